"""Records of Fluent Bit, Fluentd and other shippers: the line under `log` or `message`, the writer under `kubernetes`.

Where the shipper parsed the line (`Merge_Log`), its keys stand beside the metadata or under a key of their own.
"""

from collections.abc import Sequence
from typing import Any

from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_envelopes import JsonEnvelope, has_writer, records_of
from analyzer.parsing.json_values import is_of_ztunnel

_OF_A_SHIPPER = ("@timestamp", "stream", "time", "date", "tag", "logtag", "_p", "container_name", "container_id")
_OF_OTHERS = ("_source", "_raw", "_id", "result", "podName", "PodName", "logStreamName", "logEvents")
_DOCKER = {"log", "stream", "time", "attrs"}


def _records(value: Any) -> Sequence[Inner] | None:
    """One record, or the array of records that Fluent Bit's outputs write in their format `json`."""
    if isinstance(value, list):
        found = [_record(item) for item in value]
        return None if not found or None in found else [inner for part in found for inner in part or ()]
    return _record(value)


def _record(record: Any) -> Sequence[Inner] | None:
    if not isinstance(record, dict) or any(key in record for key in _OF_OTHERS) or record.keys() <= _DOCKER - {"log"}:
        return None
    if has_writer(record):
        return records_of(record)
    if is_of_ztunnel(record):
        return None
    if record.keys() <= _DOCKER and ("time" in record or "stream" in record):
        return None
    written = isinstance(record.get("log"), (str, dict)) or (
        isinstance(record.get("message"), str) and any(key in record for key in _OF_A_SHIPPER)
    )
    return records_of(record) if written else None


ENVELOPE = JsonEnvelope(
    name="fluent_record",
    reference="fluent/fluent-bit-docs pipeline/filters/kubernetes.md; fabric8io/fluent-plugin-kubernetes_metadata_filter",
    hints=(b'"kubernetes', b'"log"', b'"k8s', b'"message"'),
    records=_records,
)
