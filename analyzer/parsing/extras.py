"""What a format logs beside the access log's own fields, as one JSON object."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
import pyarrow as pa

_NOTHING: tuple[Any, ...] = ("", "-", {}, [])


def as_extra(values: Mapping[str, Any]) -> str | None:
    """The values that are there as a JSON object, keys sorted; null where none is."""
    present = {name: value for name, value in values.items() if value is not None and value not in _NOTHING}
    return _object(present) if present else None


def extra_column(columns: Mapping[str, pa.Array]) -> pa.Array:
    """The same of whole columns of text, in which what is missing is null already."""
    names = list(columns)
    rows = zip(*(column.to_pylist() for column in columns.values()), strict=True)
    return pa.array([as_extra(dict(zip(names, row, strict=True))) for row in rows], pa.string())


def _object(present: dict[str, Any]) -> str:
    try:
        return orjson.dumps(present, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # half a surrogate pair, or a number that orjson does not write
        return json.dumps(present, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
