"""A message of Envoy's gRPC access log service as JSON: a node, and entries of HTTP or of TCP.

Source: envoyproxy/envoy api/envoy/service/accesslog/v3/als.proto (StreamAccessLogsMessage).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.parsing.claims import claims_of_node
from analyzer.parsing.envelopes import Claims, Inner
from analyzer.parsing.json_envelopes import JsonEnvelope, objects_in
from analyzer.parsing.json_values import dump

_LISTS = (("httpLogs", "http_logs"), ("tcpLogs", "tcp_logs"))


def _records(value: Any) -> Sequence[Inner] | None:
    if isinstance(value, list):
        return None
    logs = [value[name] for names in _LISTS for name in names if isinstance(value.get(name), dict)]
    if not logs:
        return None
    known = _writer(value)
    return [
        Inner(dump(entry), known) for log in logs for entry in objects_in(log.get("logEntry", log.get("log_entry")))
    ]


def _writer(message: Mapping[str, Any]) -> Claims:
    node: Any = message
    for key in ("identifier", "node", "id"):
        node = node.get(key) if isinstance(node, dict) else None
    return claims_of_node(node)


ENVELOPE = JsonEnvelope(
    name="als_message",
    reference="envoyproxy/envoy api/envoy/service/accesslog/v3/als.proto",
    hints=(b'"httpLogs"', b'"http_logs"', b'"tcpLogs"', b'"tcp_logs"'),
    records=_records,
)
