"""Rows that are alike in some columns: what is the same for all of them is worked out once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

Numbers = np.ndarray[Any, np.dtype[np.int64]]


def alike(columns: Sequence[pa.Array]) -> tuple[Numbers, Numbers]:
    """The first row of each combination of values, in order, and which of these combinations each row has."""
    codes = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        missing = len(coded.dictionary)
        joined = codes * (missing + 1) + np.asarray(coded.indices.fill_null(missing))
        codes = np.asarray(pa.array(joined).dictionary_encode().indices).astype(np.int64)
    return np.flatnonzero(np.diff(np.maximum.accumulate(codes), prepend=-1)), codes
