"""Splunk: search results (`result._raw`, one a line or in `results`), and events of the HTTP Event Collector."""

from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.parsing.claims import merged
from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_envelopes import JsonEnvelope, claims_of_record, inners, objects_in, records_of

_OF_HEC = {"time", "host", "source", "sourcetype", "index", "fields"}


def _records(value: Any) -> Sequence[Inner] | None:
    if isinstance(value, list):
        return (
            [inner for item in value for inner in _of_result(item)] if value and all(map(_is_result, value)) else None
        )
    if _is_result(value.get("result")):
        return _of_result(value["result"])
    results = value.get("results")
    if isinstance(results, list) and results and all(map(_is_result, results)):
        return [inner for result in objects_in(results) for inner in _of_result(result)]
    if _is_result(value):
        return _of_result(value)
    if "event" in value and (value.keys() & _OF_HEC) and value.keys() <= _OF_HEC | {"event"}:
        return _of_hec(value)
    return None


def _is_result(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("_raw"), str)


def _of_result(result: Mapping[str, Any]) -> list[Inner]:
    return inners(result["_raw"], claims_of_record(_single(result)))


def _of_hec(event: Mapping[str, Any]) -> list[Inner]:
    fields = event.get("fields")
    known = merged(claims_of_record(_single(fields)) if isinstance(fields, dict) else {}, claims_of_record(event))
    content = event["event"]
    return records_of(content, known) if isinstance(content, dict) else inners(content, known)


def _single(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields with one value each; of a field with several none is believed."""
    return {key: value for key, value in fields.items() if not isinstance(value, list) or len(value) == 1}


ENVELOPE = JsonEnvelope(
    name="splunk",
    reference="Splunk REST API Reference, search/v2/jobs/export; Splunk: Format events for HTTP Event Collector",
    hints=(b'"_raw"', b'"event"'),
    records=_records,
)
