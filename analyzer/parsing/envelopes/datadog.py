"""Datadog: the search API's `data` (version 1: `logs`), whole or one object a line, and archives of such lines.

Tags and attributes name the pod.
"""

from collections.abc import Sequence
from typing import Any

from analyzer.parsing.claims import claims_of, merged
from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_envelopes import JsonEnvelope, objects_in, records_of

_ARCHIVED = ("service", "host", "source", "tags", "status", "attributes")


def _records(value: Any) -> Sequence[Inner] | None:
    if isinstance(value, list):
        return [inner for item in value for inner in _of_event(item)] if value and all(map(_is_event, value)) else None
    events = value.get("data")
    if isinstance(events, list) and events and all(map(_is_event, events)):
        return [inner for event in objects_in(events) for inner in _of_event(event)]
    older = value.get("logs")
    if isinstance(older, list) and older and all(isinstance(log, dict) and "content" in log for log in older):
        return [
            inner
            for log in older
            for inner in (_of_log(log["content"]) if isinstance(log["content"], dict) else [Inner(b"")])
        ]
    if _is_event(value):
        return _of_event(value)
    if value.keys() == {"id", "content"} and isinstance(value["content"], dict):
        return _of_log(value["content"])
    if "_id" in value and "_source" not in value and sum(key in value for key in _ARCHIVED) >= 2:
        return _of_log(value)
    return None


def _is_event(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == "log" and isinstance(value.get("attributes"), dict)


def _of_event(event: dict[str, Any]) -> list[Inner]:
    return _of_log(event["attributes"])


def _of_log(log: dict[str, Any]) -> list[Inner]:
    """The message, or the attributes that a pipeline parsed it into."""
    attributes = log.get("attributes")
    parsed = attributes if isinstance(attributes, dict) else {}
    return records_of({**parsed, **({"message": log["message"]} if log.get("message") else {})}, _writer(log, parsed))


def _writer(log: dict[str, Any], attributes: dict[str, Any]) -> dict[str, str]:
    """Tags are `key:value`; they come from the agent, so they win over attributes, which may come from the line."""
    tags = log.get("tags")
    pairs = [tag.split(":", 1) for tag in tags if isinstance(tag, str) and ":" in tag] if isinstance(tags, list) else []
    return merged(claims_of({key: value for key, value in reversed(pairs)}), claims_of(attributes))


ENVELOPE = JsonEnvelope(
    name="datadog",
    reference="DataDog/datadog-api-client-python, LogsListResponse; DataDog/documentation content/en/logs/log_configuration/archives.md",
    hints=(b'"attributes"', b'"_id"', b'"content"'),
    records=_records,
)
