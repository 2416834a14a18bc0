"""What a format logs beside the access log's own fields, as one JSON object."""

import json
from collections.abc import Mapping
from typing import Any


def as_extra(values: Mapping[str, Any]) -> str | None:
    """The values that are there as a JSON object, keys sorted; null where none is."""
    present = {name: value for name, value in values.items() if value is not None and value not in ("", "-", {}, [])}
    return json.dumps(present, ensure_ascii=False, sort_keys=True, separators=(",", ":")) if present else None
