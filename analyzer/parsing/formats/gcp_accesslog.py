"""Traffic logs of Istio on Google Cloud (Cloud Service Mesh): `client-` and `server-accesslog-stackdriver`.

A Cloud Logging entry as `gcloud logging read --format=json` and log sinks export it. The proxy's own labels say what
an access log says, `httpRequest` holds the request, and the client's pod is the monitored resource of a client log. A
connection is reported when it opens, while it lasts and when it closes; only the last report counts. Sources:
istio/proxy extensions/stackdriver/log/logger.cc and testdata/stackdriver/*_access_log_entry.yaml.tmpl; Google Cloud
Logging, LogEntry and HttpRequest.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from analyzer.parsing.by_line import read_by_line
from analyzer.parsing.careful import CarefulLine, Shape
from analyzer.parsing.extras import as_extra
from analyzer.parsing.json_keys import start_of
from analyzer.parsing.objects import as_text, milliseconds, object_in, object_of
from analyzer.parsing.parsed import EXTRA, MISSING, Reading, Reason
from analyzer.vocabulary import ACCESS_LOG_FIELDS

_LOG = re.compile(r".*(?:/|%2F)(?P<side>client|server)-accesslog-stackdriver")
_BEFORE_THE_END = ("OPEN", "CONNECTED")
_DENIED = "AuthzDenied"
"""What the logger makes of `rbac_access_denied_matched_policy[...]`."""
_PORT = re.compile(r":([0-9]{1,5})$")
_AUTHORITY = re.compile(r"[^/?#]*")
_PORTS = {"http": 80, "https": 443}
_OWN_LABELS = re.compile(
    r"source_.*|destination_.*|response_flag|route_name|upstream_host|upstream_cluster|requested_server_name|request_id"
    r"|x-envoy-original-path|upstream_transport_failure_reason|response_details|total_(?:sent|received)_bytes"
    r"|connection_state|protocol|log_sampled|mesh_uid|service_authentication_policy|connection_id"
)
_FEWEST_QUOTES = 12


class GcpAccesslog:
    """One LogEntry a line."""

    name = "gcp_accesslog"
    reference = "istio/proxy extensions/stackdriver/log/logger.cc"
    fields = frozenset(ACCESS_LOG_FIELDS)
    relays = True
    blind_spot = (
        "Cloud Service Mesh's traffic logs do not tell when a connection without HTTP began, only when it was reported, "
        "and name the port of an HTTP request only where its Host does."
    )

    def may_read(self, shape: Shape) -> bool:
        """Whether a line of this shape may be an object with labels."""
        return shape.braced and shape.quotes >= _FEWEST_QUOTES

    def read_line(self, line: str) -> CarefulLine | None:
        """Read one entry of one of the two logs."""
        entry = object_of(line)
        side = None if entry is None else _side_of(str(entry.get("logName", "")))
        if entry is None or side is None:
            return None
        labels, request = object_in(entry, "labels"), object_in(entry, "httpRequest")
        if labels.get("connection_state") in _BEFORE_THE_END:
            return CarefulLine({}, tampered=False, refused=Reason.INTERMEDIATE)
        values = {
            **_of_labels(labels),
            **(_of_request(request, labels) if request else _of_connection(labels)),
            **_source(side, object_in(object_in(entry, "resource"), "labels"), labels),
            "start_time": start_of(str(entry.get("timestamp", ""))),
        }
        if side == "server" and values.get("upstream_cluster") in (None, *MISSING):
            values["judged_cluster"] = "inbound|||"
        known = {name: value for name, value in values.items() if value is not None and value not in MISSING}
        return CarefulLine(known, tampered=False)

    def read(self, data: bytes) -> Reading:
        """Read a block of UTF-8 lines."""
        return read_by_line(self, data)


@lru_cache(maxsize=256)
def _side_of(log: str) -> str | None:
    """Who wrote a log by its name, client or server; null where it is another log."""
    match = _LOG.fullmatch(log)
    return None if match is None else match["side"]


@lru_cache(maxsize=256)
def _is_own(label: str) -> bool:
    """Whether a label is the logger's own and not an operator's."""
    return _OWN_LABELS.fullmatch(label) is not None


def _of_labels(labels: Mapping[str, Any]) -> dict[str, str | None]:
    details = as_text(labels.get("response_details"))
    rest = {name: value for name, value in labels.items() if not _is_own(name)}
    return {
        "response_flags": as_text(labels.get("response_flag")),
        "response_code_details": "rbac_access_denied" if details == _DENIED else details,
        "upstream_transport_failure_reason": as_text(labels.get("upstream_transport_failure_reason")),
        "upstream_host": as_text(labels.get("upstream_host")),
        "upstream_cluster": as_text(labels.get("upstream_cluster")),
        "requested_server_name": as_text(labels.get("requested_server_name")),
        "route_name": as_text(labels.get("route_name")),
        "request_id": as_text(labels.get("request_id")),
        EXTRA: as_extra(rest),
    }


def _of_request(request: Mapping[str, Any], labels: Mapping[str, Any]) -> dict[str, str | None]:
    scheme, authority, path = _url(as_text(request.get("requestUrl")) or "")
    port = _port_of(authority) or _PORTS.get(scheme)
    return {
        "method": as_text(request.get("requestMethod")),
        "path": as_text(labels.get("x-envoy-original-path")) or path,
        # gRPC is always HTTP/2; of the rest the logger does not tell the version.
        "protocol": "HTTP/2" if labels.get("protocol") == "grpc" else _version(as_text(request.get("protocol"))),
        "response_code": as_text(request.get("status")),
        "bytes_received": as_text(request.get("requestSize")),
        "bytes_sent": as_text(request.get("responseSize")),
        "duration": milliseconds(request.get("latency")),
        "user_agent": as_text(request.get("userAgent")),
        "authority": authority,
        "downstream_local_address": _address(as_text(request.get("serverIp")), port),
        "downstream_remote_address": _address(as_text(request.get("remoteIp")), None),
    }


def _of_connection(labels: Mapping[str, Any]) -> dict[str, str | None]:
    return {
        "response_code": "0",
        "bytes_received": as_text(labels.get("total_received_bytes")),
        "bytes_sent": as_text(labels.get("total_sent_bytes")),
        "downstream_local_address": _address(
            as_text(labels.get("destination_ip")), as_text(labels.get("destination_port"))
        ),
        "downstream_remote_address": _address(as_text(labels.get("source_ip")), as_text(labels.get("source_port"))),
    }


def _source(side: str, resource: Mapping[str, Any], labels: Mapping[str, Any]) -> dict[str, str | None]:
    """The client: the pod that logs on its own side, the peer that is named on the other."""
    named = {f"source_{kind}": as_text(labels.get(f"source_{kind}")) for kind in ("namespace", "workload")}
    if side == "server":
        return {**named, "source_pod": as_text(labels.get("source_name"))}
    return {
        "source_cluster": as_text(resource.get("cluster_name")),
        "source_namespace": as_text(resource.get("namespace_name")) or named["source_namespace"],
        "source_workload": named["source_workload"],
        "source_pod": as_text(resource.get("pod_name")) or as_text(labels.get("source_name")),
    }


def _url(url: str) -> tuple[str, str, str | None]:
    """Scheme, authority and path with its query; nothing is decoded and nothing refused."""
    scheme, _, rest = url.partition("://")
    authority = _AUTHORITY.match(rest)[0]  # type: ignore[index]
    return scheme.lower(), authority, rest[len(authority) :] or None


def _port_of(authority: str) -> int | None:
    """The port that a Host names, which may hold anything else a client thinks of."""
    match = _PORT.search(authority)
    return int(match[1]) if match is not None and int(match[1]) < 65536 else None


def _version(protocol: str | None) -> str | None:
    return protocol if protocol is not None and protocol.upper().startswith("HTTP/") else None


def _address(ip: str | None, port: str | int | None) -> str | None:
    """An address with its port; newer proxies write both into one."""
    if not ip or re.fullmatch(r"[0-9.]+:\d+|\[.*\]:\d+", ip) or port is None:
        return ip
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


FORMAT = GcpAccesslog()
