"""In which hours each namespace was heard of: what a log can prove depends on when it was written."""

from typing import Any

import numpy as np
import pyarrow as pa

from analyzer.aggregates import Summary
from analyzer.dictionaries import codes_of, counted, dictionary_of
from analyzer.parsing.parsed import TIMESTAMP

HOURS = Summary(
    name="hours",
    schema=pa.schema([("source_namespace", pa.string()), ("hour", TIMESTAMP), ("entries", pa.int64())]),
    keys=("source_namespace", "hour"),
    measures={"entries": "sum"},
)
"""Entries per namespace and hour (UTC), inbound ones too: any line shows that the log was kept. None without a time."""

_HOUR = 60 * 60 * 1_000_000
UNTIMED = -(1 << 62)
"""Stands for the time of an entry that has none."""


def hours_of(times: Any, namespaces: pa.DictionaryArray) -> pa.Table:
    """The summary of some entries; `times` are microseconds, or `UNTIMED`."""
    size = len(namespaces.dictionary) + 1
    distinct, counts = counted(times // _HOUR * size + codes_of(namespaces) + 1)
    timed = distinct // size != UNTIMED // _HOUR
    distinct, counts = distinct[timed], counts[timed]
    names = dictionary_of((distinct % size - 1).astype(np.int32), namespaces.dictionary).cast(pa.string())
    return pa.table([names, pa.array(distinct // size * _HOUR).cast(TIMESTAMP), counts], schema=HOURS.schema)
