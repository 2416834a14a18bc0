"""OpenTelemetry logs as OTLP JSON, one export a line, many log records in each.

Istio's provider fills the body with a text format (its default unless told otherwise, line end and all) and the
attributes with the labels of `logFormat.labels`, every value a string. Older collectors write
`instrumentationLibraryLogs` for `scopeLogs`. Sources: open-telemetry/opentelemetry-proto
opentelemetry/proto/logs/v1/logs.proto and docs/specification.md (JSON Protobuf Encoding: camelCase names, 64-bit
integers as strings); open-telemetry/opentelemetry-collector-contrib exporter/fileexporter; istio/istio
pilot/pkg/model/telemetry_logging.go (buildOpenTelemetryAccessLogConfig).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analyzer.parsing.claims import claims_of, claims_of_node, merged
from analyzer.parsing.envelopes import Claims, Inner
from analyzer.parsing.json_envelopes import JsonEnvelope, inners, objects_in
from analyzer.parsing.json_keys import ENVOYS_OWN, flattened, keys_of

_ACCESS_LOG = re.compile(r"\s*\[\d{4}-\d\d-\d\dT")
_FEWEST_OF_ENVOY = 2
_DEEPEST = 8


def _records(value: Any) -> Sequence[Inner] | None:
    if isinstance(value, list):
        return None
    exports = _either(value, "resourceLogs", "resource_logs")
    if not isinstance(exports, list):
        return None
    return [inner for export in objects_in(exports) for inner in _of_resource(export)]


def _of_resource(export: Mapping[str, Any]) -> Iterator[Inner]:
    resource = export.get("resource")
    known = _writer(_attributes(resource if isinstance(resource, dict) else {}))
    scopes = _either(export, "scopeLogs", "scope_logs", "instrumentationLibraryLogs", "instrumentation_library_logs")
    for scope in objects_in(scopes):
        for record in objects_in(_either(scope, "logRecords", "log_records", "logs")):
            attributes = _attributes(record)
            yield from inners(_content(_value(record.get("body")), attributes), merged(known, claims_of(attributes)))


def _content(body: Any, attributes: Mapping[str, Any]) -> Any:
    """What tells of the entry: attributes hold one value each and cannot be forged by a quote, so where they are an
    access log's they are preferred to a body that is not plainly one."""
    if isinstance(body, dict):
        return {**attributes, **body}
    named = keys_of(tuple(flattened(attributes))).named
    told = len(named & ENVOYS_OWN) >= _FEWEST_OF_ENVOY
    if isinstance(body, str) and body.strip() and not (told and not _ACCESS_LOG.match(body)):
        return body
    return dict(attributes) or body


def _writer(attributes: Mapping[str, Any]) -> Claims:
    """Who wrote the records: Kubernetes' attributes, or the node that Envoy's built-in labels name."""
    return merged(claims_of(attributes), claims_of_node(attributes.get("node_name")))


def _attributes(holder: Mapping[str, Any]) -> dict[str, Any]:
    pairs = holder.get("attributes")
    return {str(pair.get("key")): _value(pair.get("value")) for pair in objects_in(pairs) if "key" in pair}


def _value(wrapped: Any, levels: int = _DEEPEST) -> Any:
    """The value inside an `AnyValue`."""
    if not isinstance(wrapped, dict) or not levels:
        return None
    for kind, value in wrapped.items():
        name = kind.replace("_", "").lower()
        if name in ("stringvalue", "boolvalue", "doublevalue"):
            return value
        if name == "intvalue":
            return int(value) if str(value).lstrip("-").isdigit() and len(str(value)) < 20 else value
        if name in ("kvlistvalue", "arrayvalue"):
            values = value.get("values") if isinstance(value, dict) else None
            if name == "arrayvalue":
                return [_value(item, levels - 1) for item in objects_in(values)]
            return {str(item.get("key")): _value(item.get("value"), levels - 1) for item in objects_in(values)}
    return None


def _either(holder: Mapping[str, Any], *names: str) -> Any:
    return next((holder[name] for name in names if name in holder), None)


ENVELOPE = JsonEnvelope(
    name="otlp",
    reference="open-telemetry/opentelemetry-proto opentelemetry/proto/logs/v1/logs.proto, docs/specification.md",
    hints=(b'"resourceLogs"', b'"resource_logs"'),
    records=_records,
)
