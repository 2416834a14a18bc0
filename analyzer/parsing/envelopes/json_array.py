"""A JSON array of entries, as `jq --slurp` and many a script write it: each an object or a line of text."""

from collections.abc import Sequence
from typing import Any

from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_envelopes import JsonEnvelope, inners
from analyzer.parsing.json_values import is_parsed_entry


def _records(value: Any) -> Sequence[Inner] | None:
    """An array counts where one of its values is an entry; a value that is none becomes a line that is refused."""
    if not isinstance(value, list) or not any(is_parsed_entry(item) or _is_line(item) for item in value):
        return None
    return [inner for item in value for inner in inners(item)]


def _is_line(item: Any) -> bool:
    return isinstance(item, str) and item[:3] == "[20"


ENVELOPE = JsonEnvelope(
    name="json_array",
    reference="jqlang/jq docs/content/manual, --slurp",
    hints=(b'"upstream_cluster"', b'"response_flags"', b'"downstream_local_address"', b'"[20'),
    records=_records,
    begins=(b"[",),
)
