"""CloudWatch Logs as the AWS command line prints them: get-log-events, filter-log-events, Insights, subscriptions.

The name of a stream that Fluent Bit or the CloudWatch agent made holds the path of the container's log.
"""

from collections.abc import Sequence
from typing import Any

from analyzer.parsing.claims import claims_of_path
from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_envelopes import JsonEnvelope, inners, objects_in


def _records(value: Any) -> Sequence[Inner] | None:
    if isinstance(value, list):
        return _of_events(value, "") if value and all(map(_is_event, value)) else None
    stream = str(value.get("logStream", value.get("logStreamName", "")))
    if isinstance(value.get("logEvents"), list) and "messageType" in value:
        return _of_events(value["logEvents"], stream)
    events = value.get("events")
    if isinstance(events, list) and (not events or any(map(_is_event, events))):
        return (
            _of_events(events, stream)
            if events or "nextForwardToken" in value or "searchedLogStreams" in value
            else None
        )
    rows = value.get("results")
    if isinstance(rows, list) and any(isinstance(row, list) for row in rows):
        return _of_events([_row(row) for row in rows], "")
    return _of_events([value], stream) if _is_event(value) and "ingestionTime" in value else None


def _is_event(value: Any) -> bool:
    return isinstance(value, dict) and "message" in value and "timestamp" in value and not value.keys() - _EVENT


_EVENT = {"message", "timestamp", "ingestionTime", "logStreamName", "eventId", "id", "extractedFields"}


def _row(row: Any) -> dict[str, Any]:
    """A row of an Insights query: pairs of field and value."""
    pairs = (
        {pair.get("field"): pair.get("value") for pair in row if isinstance(pair, dict)}
        if isinstance(row, list)
        else {}
    )
    return {"message": pairs.get("@message"), "logStreamName": pairs.get("@logStream")}


def _of_events(events: list[Any], stream: str) -> list[Inner]:
    return [
        inner
        for event in objects_in(events)
        for inner in inners(event.get("message"), claims_of_path(str(event.get("logStreamName") or stream)))
    ]


ENVELOPE = JsonEnvelope(
    name="cloudwatch_events",
    reference="aws/aws-cli logs get-log-events, filter-log-events, get-query-results; Amazon CloudWatch Logs User Guide, subscription filters",
    hints=(b'"events"', b'"logEvents"', b'"results"', b'"ingestionTime"', b'"eventId"'),
    records=_records,
)
