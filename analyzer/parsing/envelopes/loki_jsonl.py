"""`logcli query --output=jsonl`: an object a line with the line, its labels and its time."""

from collections.abc import Sequence
from typing import Any

from analyzer.parsing.claims import claims_of
from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_envelopes import JsonEnvelope, inners

_KEYS = {"line", "timestamp"}


def _records(value: Any) -> Sequence[Inner] | None:
    """One record, or the array of records that Grafana's Explore downloads (labels under `fields` there)."""
    if isinstance(value, list):
        found = [_records(item) if isinstance(item, dict) else None for item in value]
        return None if not found or None in found else [inner for part in found for inner in part or ()]
    if not value.keys() >= _KEYS or not isinstance(value["line"], str):
        return None
    labels = value.get("labels", value.get("fields"))
    return inners(value["line"], claims_of(labels) if isinstance(labels, dict) else {})


ENVELOPE = JsonEnvelope(
    name="loki_jsonl", reference="grafana/loki pkg/logcli/output/jsonl.go", hints=(b'"line"',), records=_records
)
