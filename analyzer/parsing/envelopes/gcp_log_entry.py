"""Google Cloud Logging entries: what a container wrote, as text or as an object, with its pod as resource labels.

One entry a line, or an array of entries as `gcloud logging read --format=json` prints it. Entries of the mesh's own
traffic logs are a format of their own and only come out of their array. Source: googleapis/googleapis
google/logging/v2/log_entry.proto, google/api/monitored_resource.proto (k8s_container).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.parsing.claims import CONTAINER, claims
from analyzer.parsing.envelopes import Claims, Inner
from analyzer.parsing.json_envelopes import JsonEnvelope, inners, objects_in
from analyzer.parsing.json_values import dump

_LABELS = {
    "cluster_name": "source_cluster",
    "namespace_name": "source_namespace",
    "pod_name": "source_pod",
    "container_name": CONTAINER,
}
_TRAFFIC = "accesslog-stackdriver"
_IN_PAYLOAD = ("message", "log", "textPayload")


def _records(value: Any) -> Sequence[Inner] | None:
    if isinstance(value, list):
        if not any(_is_entry(item) for item in value):
            return None
        return [inner for item in objects_in(value) for inner in _of_entry(item)]
    return _of_entry(value) if _is_entry(value) and not _is_traffic(value) else None


def _of_entry(entry: Mapping[str, Any]) -> list[Inner]:
    if not _is_entry(entry) or _is_traffic(entry):
        return [Inner(dump(entry))]
    payload = entry.get("jsonPayload", entry.get("textPayload"))
    if isinstance(payload, dict):
        written = next((payload[key] for key in _IN_PAYLOAD if isinstance(payload.get(key), str)), None)
        payload = payload if written is None else written
    return inners(payload, _writer(entry))


def _writer(entry: Mapping[str, Any]) -> Claims:
    resource = entry.get("resource")
    labels = resource.get("labels") if isinstance(resource, dict) else None
    if not isinstance(labels, dict):
        return {}
    return claims(**{label: str(labels[key]) for key, label in _LABELS.items() if labels.get(key)})


def _is_entry(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("logName"), str) and isinstance(value.get("resource"), dict)


def _is_traffic(entry: Mapping[str, Any]) -> bool:
    return _TRAFFIC in entry["logName"]


ENVELOPE = JsonEnvelope(
    name="gcp_log_entry",
    reference="googleapis/googleapis google/logging/v2/log_entry.proto",
    hints=(b'"logName"',),
    records=_records,
)
