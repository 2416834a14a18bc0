"""One line as a JSON object, for the formats that look into it one after another."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=2)
def object_of(line: str) -> Mapping[str, Any] | None:
    """The object that a line is; null where it is none. The last lines are remembered, so do not change it."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def as_text(value: Any) -> str | None:
    """A scalar as Envoy's text would have it; null for nothing, an object or a list."""
    if value is None or isinstance(value, (dict, list)):
        return None
    return value if isinstance(value, str) else json.dumps(value)
