"""stern's `json` and `extjson` outputs: an object a line with the message, the pod and the container."""

from collections.abc import Sequence
from typing import Any

from analyzer.parsing.claims import claims
from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_envelopes import JsonEnvelope, inners

_JSON = {"message", "podName", "containerName"}
_EXTENDED = {"pod", "container", "message"}


def _records(record: Any) -> Sequence[Inner] | None:
    if not isinstance(record, dict):
        return None
    if record.keys() >= _JSON:
        pod, container = record["podName"], record["containerName"]
    elif _EXTENDED <= record.keys() <= _EXTENDED | {"namespace"}:
        pod, container = record["pod"], record["container"]
    else:
        return None
    names = {"source_namespace": record.get("namespace"), "source_pod": pod, "container": container}
    known = claims(**{key: name for key, name in names.items() if isinstance(name, str)})
    return inners(record["message"], known)


ENVELOPE = JsonEnvelope(
    name="stern_json",
    reference="stern/stern stern/stern.go, type Log; cmd/cmd.go, outputs json and extjson",
    hints=(b'"podName"', b'"container"'),
    records=_records,
)
