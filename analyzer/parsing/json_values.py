"""JSON in and out of envelopes: one line in, one line out, whatever a text inside holds."""

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from analyzer.vocabulary import ACCESS_LOG_FIELDS

_FEWEST_KEYS = 4
"""Keys of Istio's by which an object is an access-log entry that somebody parsed already."""
_FIELDS = frozenset(ACCESS_LOG_FIELDS)
_FOR_PYTHON = re.compile(rb"\\u[dD]|NaN|Infinity|\d{19}")
"""What orjson refuses and Python reads: lone surrogates, which Envoy writes as any other byte that is not UTF-8, odd
numbers and very long ones."""


def load(line: bytes) -> Any:
    """The value of a line, or null where it is not JSON."""
    try:
        return orjson.loads(line)
    except ValueError:
        if _FOR_PYTHON.search(line) is None:
            return None
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def load_object(line: bytes) -> dict[str, Any] | None:
    """The object of a line, or null where it is none."""
    found = load(line)
    return found if isinstance(found, dict) else None


def dump(value: Any) -> bytes:
    """A value as one line."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode("ascii")


def lines_of(content: Any) -> list[bytes]:
    """The lines of a record's content: of a text each line by itself, of an object the object on one line."""
    if isinstance(content, dict):
        return [dump(content)]
    if not isinstance(content, str):
        return []
    text = content.encode("utf-8", "surrogatepass")
    if b"\n" not in text:
        return [text]
    if text.lstrip()[:1] == b"{" and (whole := load_object(text)) is not None:
        return [dump(whole)]  # pretty-printed
    return [line for line in text.split(b"\n") if line.strip()]


def is_parsed_entry(value: Any) -> bool:
    """Whether an object holds enough of Istio's access-log keys to be an entry, or is one of ztunnel's."""
    return isinstance(value, dict) and (len(_FIELDS & value.keys()) >= _FEWEST_KEYS or is_of_ztunnel(value))


def is_of_ztunnel(record: Mapping[str, Any]) -> bool:
    """Whether an object is ztunnel's, whose `message` is a word of its own (istio/ztunnel src/telemetry.rs)."""
    return record.get("scope") == "access" and "dst.addr" in record


def parsed_entry_in(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The entry that a shipper parsed into a record: the record's own keys, or an object under one of them."""
    if is_of_ztunnel(record):
        return {name: value for name, value in record.items() if name != "kubernetes"}
    if is_parsed_entry(record):
        return {name: record[name] for name in ACCESS_LOG_FIELDS if name in record}
    return next((value for _, value in sorted(record.items()) if is_parsed_entry(value)), None)
