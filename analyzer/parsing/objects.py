"""One line as a JSON object, for the formats that look into it one after another."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from analyzer.parsing.json_values import load_object

_SECONDS = re.compile(r"(?P<whole>\d{1,12})(?:\.(?P<fraction>\d{1,9}))?s")


@lru_cache(maxsize=2)
def object_of(line: str) -> Mapping[str, Any] | None:
    """The object that a line is; null where it is none. The last lines are remembered, so do not change it."""
    bare = line.strip()
    if not (bare.startswith("{") and bare.endswith("}")):
        return None
    return load_object(line.encode("utf-8", "surrogatepass"))


def object_in(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under a key; an empty one where there is none."""
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def milliseconds(duration: Any) -> str | None:
    """A protobuf duration as JSON has it (`1.234s`), in whole milliseconds."""
    match = _SECONDS.fullmatch(duration) if isinstance(duration, str) else None
    if match is None:
        return None
    return str(int(match["whole"]) * 1000 + int((match["fraction"] or "0").ljust(3, "0")[:3]))


def as_text(value: Any) -> str | None:
    """A scalar as Envoy's text would have it; null for nothing, an object or a list."""
    if value is None or isinstance(value, (dict, list)):
        return None
    if isinstance(value, str):
        return value
    return str(value) if type(value) is int else json.dumps(value)
