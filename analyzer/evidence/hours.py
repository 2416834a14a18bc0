"""In which hours each namespace was heard of: what a log can prove depends on when it was written."""

from typing import Any

import numpy as np
import pyarrow as pa

from analyzer.aggregates import Summary
from analyzer.parsing.parsed import TIMESTAMP

HOURS = Summary(
    name="hours",
    schema=pa.schema([("source_namespace", pa.string()), ("hour", TIMESTAMP), ("entries", pa.int64())]),
    keys=("source_namespace", "hour"),
    measures={"entries": "sum"},
)
"""Entries per namespace and hour (UTC), inbound ones too: any line shows that the log was kept. None without a time."""

_HOUR = 60 * 60 * 1_000_000


def hours_of(times: Any, namespaces: pa.DictionaryArray, untimed: int) -> pa.Table:
    """The summary of some entries; `times` are microseconds, `untimed` where there is none."""
    timed = np.flatnonzero(times != untimed)
    codes = np.asarray(namespaces.indices.fill_null(-1)).astype(np.int64)[timed] + 1
    size = len(namespaces.dictionary) + 1
    encoded = pa.array(times[timed] // _HOUR * size + codes).dictionary_encode()
    distinct = np.asarray(encoded.dictionary)
    code = distinct % size - 1
    names = namespaces.dictionary.cast(pa.string())
    table = pa.table(
        {
            "source_namespace": names.take(pa.array(code, mask=code < 0)),
            "hour": pa.array(distinct // size * _HOUR).cast(TIMESTAMP),
            "entries": pa.array(np.bincount(np.asarray(encoded.indices), minlength=len(distinct)), pa.int64()),
        }
    )
    return HOURS.fold(table)
