"""Loki's query API: streams, each with its labels and its values; the push API and `logcli` speak the same."""

from collections.abc import Sequence
from typing import Any

from analyzer.parsing.claims import claims_of, merged
from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_envelopes import JsonEnvelope, inners, objects_in


def _records(value: Any) -> Sequence[Inner] | None:
    if not isinstance(value, dict):
        return None
    if value.keys() == {"stream", "values"}:
        return _of_stream(value)  # a stream of an answer that was cut
    data = value.get("data", value)
    streams = data.get("result", data.get("streams")) if isinstance(data, dict) else None
    if not isinstance(streams, list) or not any(isinstance(s, dict) and "values" in s for s in streams):
        return None if streams != [] or data.get("resultType") != "streams" else []
    return [inner for stream in objects_in(streams) for inner in _of_stream(stream)]


def _of_stream(stream: dict[str, Any]) -> list[Inner]:
    labels, values = stream.get("stream"), stream.get("values")
    known = claims_of(labels) if isinstance(labels, dict) else {}
    found: list[Inner] = []
    for value in values if isinstance(values, list) else [None]:
        if not isinstance(value, list) or len(value) < 2:
            found.append(Inner(b"", known))
            continue
        # Structured metadata may stand third; the stream's own labels were set by whoever collected it.
        more = claims_of(value[2]) if len(value) > 2 and isinstance(value[2], dict) else {}
        found += inners(value[1], merged(known, more))
    return found


ENVELOPE = JsonEnvelope(
    name="loki_query",
    reference="grafana/loki docs/sources/reference/loki-http-api.md, query_range",
    hints=(b'"values"', b'"streams"'),
    records=_records,
)
