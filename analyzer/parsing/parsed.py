"""What reading a block of lines gives: columns in the access log's words, and the lines that gave none.

Columns carry the names of `ACCESS_LOG_FIELDS` and are already of the types in `RAW_TYPES`, and a format may add those
of `OWN_TYPES`; missing values are null. Every physical line of a block is in exactly one of: an entry, a rejected line,
a blank line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.vocabulary import ACCESS_LOG_FIELDS, SOURCE_FIELDS

DICTIONARY = pa.dictionary(pa.int32(), pa.string())
TIMESTAMP = pa.timestamp("us", tz="UTC")

_NUMBERS = {
    "response_code": pa.int16(),
    "bytes_received": pa.int64(),
    "bytes_sent": pa.int64(),
    "duration": pa.int64(),
    "upstream_service_time": pa.int64(),
}
_UNIQUE = ("path", "request_id", "upstream_local_address", "downstream_remote_address")

RAW_TYPES: dict[str, pa.DataType] = {
    name: TIMESTAMP if name == "start_time" else _NUMBERS.get(name, pa.string() if name in _UNIQUE else DICTIONARY)
    for name in ACCESS_LOG_FIELDS
}
"""Type of each column; text that repeats is dictionary-coded, text that hardly ever does is not."""

EXTRA = "extra"
"""The column of what a format logs beside the access log's own fields: a JSON object as text, keys sorted."""

JUDGED_AS = {
    "judged_method": "method",
    "judged_cluster": "upstream_cluster",
    "judged_flags": "response_flags",
    "judged_details": "response_code_details",
}
"""Columns of a format that does not speak in Envoy's words: what a sidecar would have written for the same. They stand
in for the named columns where an entry is classified, wherever they have a value, and are never stored."""

OWN_TYPES: dict[str, pa.DataType] = {
    **dict.fromkeys((*SOURCE_FIELDS, *JUDGED_AS), DICTIONARY),
    EXTRA: pa.string(),
}
"""Type of each column that a format may give beside those of `RAW_TYPES`."""

MISSING = frozenset(("", "-"))
"""What Envoy writes for a value that is not there, with and without `omit_empty_values`."""


class Reason(StrEnum):
    """Why a line is no entry."""

    NOT_AN_ACCESS_LOG = "not_an_access_log"
    OTHER_FORMAT = "other_format"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    TOO_LONG = "too_long"
    PARTIAL = "partial"
    INTERMEDIATE = "intermediate"


class Rejection(NamedTuple):
    """One line that no format could read; `line` counts from 0 within its block."""

    line: int
    reason: Reason
    text: bytes


Lines = np.ndarray[Any, np.dtype[np.int64]]
"""Numbers of lines."""
OddLine = tuple[int, bytes]
"""A line that a fast reader leaves to others, and its number."""


@dataclass
class Held:
    """Rows of one block that their format gathers until they are taken, from row `start` of its rows on; `lines` counts
    from 0 within the block."""

    format: str
    start: int
    lines: Lines
    tampered: np.ndarray[Any, np.dtype[np.bool_]] | None = None

    def __len__(self) -> int:
        return len(self.lines)


@dataclass
class Entries:
    """Rows that one format read from one block; `lines` counts from 0 within the block.

    `took` are pairs of a key that is not Istio's and the field it was taken for.
    """

    format: str
    columns: dict[str, Any]
    lines: Lines
    tampered: np.ndarray[Any, np.dtype[np.bool_]] | None = None
    took: frozenset[tuple[str, str]] = frozenset()

    def __len__(self) -> int:
        return len(self.lines)


@dataclass
class Reading:
    """What a format's fast reader made of a block: rows, and the lines that it leaves to others."""

    entries: Entries | None
    odd: list[OddLine] = field(default_factory=list)


def as_judged(columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    """The columns that an entry is classified by."""
    return {
        name: columns[name] if stand_in not in columns else _either(columns[stand_in], columns[name])
        for name, stand_in in {**dict.fromkeys(RAW_TYPES, ""), **{raw: own for own, raw in JUDGED_AS.items()}}.items()
    }


def _either(first: pa.Array, second: pa.Array) -> pa.Array:
    return pc.coalesce(first.cast(pa.string()), second.cast(pa.string())).dictionary_encode()
