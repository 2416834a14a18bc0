"""Work on the dictionary of a column instead of its rows: look at each distinct value once."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

Codes = np.ndarray[Any, np.dtype[np.int32]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


class Coded:
    """A dictionary column as codes (-1 for null) and its distinct values."""

    def __init__(self, column: pa.DictionaryArray) -> None:
        indices = column.indices
        if indices.null_count:
            indices = indices.fill_null(-1)
        self.codes: Codes = np.asarray(indices)
        self.values: list[str] = column.dictionary.to_pylist()

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def known(self) -> Flags:
        """Which rows have a value."""
        return self.codes >= 0

    def map(self, function: Callable[[str], int], absent: int) -> Codes:
        """A small number a row: `function` of the value, `absent` for null."""
        table = np.empty(len(self.values) + 1, np.int32)
        table[:-1] = [function(value) for value in self.values]
        table[-1] = absent
        return table[self.codes]  # -1 picks the last


def enumerated(codes: Codes, names: Sequence[str]) -> pa.DictionaryArray:
    """A dictionary column from codes into a fixed list of names; -1 is null."""
    return _dictionary(codes, list(names))


def deduplicated(codes: Codes, values: Sequence[str | None]) -> pa.DictionaryArray:
    """A dictionary column from codes into values that may be equal, null or unused; -1 is null."""
    used = np.zeros(len(values) + 1, bool)
    used[codes] = True
    places: dict[Hashable, int] = {}
    table = np.full(len(values) + 1, -1, np.int32)
    for index in np.flatnonzero(used[:-1]).tolist():
        value = values[index]
        if value is not None:
            table[index] = places.setdefault(value, len(places))
    return _dictionary(table[codes], list(places))


def _dictionary(codes: Codes, values: list[Any]) -> pa.DictionaryArray:
    missing = codes < 0
    indices = pa.array(codes, pa.int32(), mask=missing) if missing.any() else pa.array(codes, pa.int32())
    return pa.DictionaryArray.from_arrays(indices, pa.array(values, pa.string()))
