"""Log lines for tests: an honest line with only the interesting fields named."""

import json
import re
from typing import Any

from analyzer.vocabulary import ACCESS_LOG_FIELDS

HTTP = {
    "method": "GET",
    "path": "/",
    "protocol": "HTTP/1.1",
    "response_code": 200,
    "response_code_details": "via_upstream",
    "user_agent": "curl/8.5.0",
    "request_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "upstream_host": "203.0.113.10:80",
    "upstream_local_address": "10.0.0.1:40000",
    "downstream_local_address": "203.0.113.10:80",
}
TCP = {"response_code": 0, "downstream_local_address": "203.0.113.10:443"}
BLOCKED_HTTP = HTTP | {
    "response_code": 502,
    "response_code_details": "direct_response",
    "upstream_host": None,
    "upstream_local_address": None,
    "route_name": "block_all",
    "authority": "api.example.com",
}
BLOCKED_TCP = TCP | {"response_flags": "UH", "upstream_cluster": "BlackHoleCluster"}


def fields(base: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    """All fields of a line, missing ones null."""
    line: dict[str, Any] = dict.fromkeys(ACCESS_LOG_FIELDS)
    line |= {"start_time": "2026-03-02T10:00:00.000Z", "bytes_received": 0, "bytes_sent": 0, "duration": 1}
    line |= {"downstream_remote_address": "10.0.0.1:50000"}
    return line | (base or {}) | values


def text(base: dict[str, Any] | None = None, **values: Any) -> str:
    """A line in Istio's default text format."""
    v = {name: "-" if value is None else value for name, value in fields(base, **values).items()}
    return (
        f'[{v["start_time"]}] "{v["method"]} {v["path"]} {v["protocol"]}" {v["response_code"]} {v["response_flags"]} '
        f"{v['response_code_details']} {v['connection_termination_details']} "
        f'"{v["upstream_transport_failure_reason"]}" {v["bytes_received"]} {v["bytes_sent"]} {v["duration"]} '
        f'{v["upstream_service_time"]} "{v["x_forwarded_for"]}" "{v["user_agent"]}" "{v["request_id"]}" '
        f'"{v["authority"]}" "{v["upstream_host"]}" {v["upstream_cluster"]} {v["upstream_local_address"]} '
        f"{v['downstream_local_address']} {v['downstream_remote_address']} {v['requested_server_name']} {v['route_name']}"
    )


def as_json(base: dict[str, Any] | None = None, **values: Any) -> str:
    """The same line in Istio's default JSON format."""
    line = fields(base, **values)
    return json.dumps({**line, "response_flags": line["response_flags"] or "-"}, ensure_ascii=False)


_ZTUNNEL = {
    "src.addr": "10.0.0.1:50000",
    "src.workload": "shop-5b8c7d6f49-m4v9t",
    "src.namespace": "shop",
    "dst.addr": "203.0.113.10:80",
}


def ztunnel_fields(
    service: str | None = None, error: str | None = None, direction: str = "outbound", **more: str
) -> dict[str, str | int]:
    """The keys of one connection through a ztunnel, in ztunnel's order; a name with `__` for each dot."""
    named = {key.replace("__", "."): value for key, value in more.items()}
    known: dict[str, str | int] = {**_ZTUNNEL, **named, **({} if service is None else {"dst.service": service})}
    known |= {"direction": direction, "bytes_sent": 79, "bytes_recv": 1028, "duration": "63ms"}
    return known if error is None else known | {"error": error}


def ztunnel_text(message: str = "connection complete", blank: str = "\t", **fields: str) -> str:
    """A line of ztunnel's text format."""
    pairs = [
        f"{key}={value}" if key.endswith("addr") or isinstance(value, int) else f"{key}={json.dumps(value)}"
        for key, value in ztunnel_fields(**fields).items()
    ]
    return blank.join(("2026-03-02T10:00:00.063000Z", "info", "access", message, " ".join(pairs)))


def ztunnel_json(message: str = "connection complete", **fields: str) -> str:
    """A line of ztunnel's JSON format."""
    head = {"level": "info", "time": "2026-03-02T10:00:00.063000Z", "scope": "access", "message": message}
    return json.dumps(head | ztunnel_fields(**fields), separators=(",", ":"))


_RENAMED = {
    "start_time": "timestamp",
    "method": "request.method",
    "path": "request.path",
    "authority": "request.host",
    "response_code": "status",
    "downstream_local_address": "downstream.local_address",
    "upstream_host": "upstreamHost",
    "upstream_cluster": "cluster",
}


def renamed_json(base: dict[str, Any] | None = None, **values: Any) -> str:
    """The same line in JSON with keys that an operator chose, some in objects."""
    line: dict[str, Any] = {}
    for name, value in fields(base, **values).items():
        outer, _, inner = _RENAMED.get(name, name).rpartition(".")
        (line.setdefault(outer, {}) if outer else line)[inner] = value
    return json.dumps(line | {"response_flags": line["response_flags"] or "-"})


def _socket(address: str | None) -> dict[str, Any] | None:
    if address is None:
        return None
    host, _, port = address.rpartition(":")
    return {"socketAddress": {"address": host.strip("[]"), "portValue": int(port)}}


_ALS_FLAGS = {"UH": "noHealthyUpstream", "UF": "upstreamConnectionFailure", "URX": "upstreamRetryLimitExceeded"}


def als_entry(base: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    """The same line as an entry of Envoy's gRPC access log service."""
    v = fields(base, **values)
    flags = {_ALS_FLAGS[flag]: True for flag in (v["response_flags"] or "").split(",") if flag}
    common = {
        "startTime": v["start_time"],
        "duration": f"{v['duration'] / 1000:.3f}s",
        "upstreamRemoteAddress": _socket(v["upstream_host"]),
        "upstreamLocalAddress": _socket(v["upstream_local_address"]),
        "downstreamLocalAddress": _socket(v["downstream_local_address"]),
        "downstreamRemoteAddress": _socket(v["downstream_remote_address"]),
        "upstreamCluster": v["upstream_cluster"],
        "routeName": v["route_name"],
        "responseFlags": flags,
        "tlsProperties": v["requested_server_name"] and {"tlsSniHostname": v["requested_server_name"]},
    }
    entry: dict[str, Any] = {"commonProperties": {name: value for name, value in common.items() if value}}
    if v["protocol"] is None:
        size = {"receivedBytes": str(v["bytes_received"]), "sentBytes": str(v["bytes_sent"])}
        return entry | {"connectionProperties": size}
    names = {"requestMethod": "method", "authority": "authority", "path": "path", "userAgent": "user_agent"}
    request = {key: v[name] for key, name in (names | {"requestId": "request_id"}).items() if v[name]}
    return entry | {
        "protocolVersion": {"HTTP/1.1": "HTTP11", "HTTP/2": "HTTP2"}[v["protocol"]],
        "request": request | {"requestBodyBytes": str(v["bytes_received"])},
        "response": {
            "responseCode": v["response_code"],
            "responseCodeDetails": v["response_code_details"],
            "responseBodyBytes": str(v["bytes_sent"]),
        },
    }


def snake(value: Any) -> Any:
    """An object with the names of protobuf as they are declared."""
    if not isinstance(value, dict):
        return value
    return {re.sub("([A-Z])", lambda m: "_" + m[1].lower(), key): snake(inner) for key, inner in value.items()}


def als(base: dict[str, Any] | None = None, **values: Any) -> str:
    """That entry as a line."""
    return json.dumps(als_entry(base, **values))


def gcp_entry(base: dict[str, Any] | None = None, side: str = "client", **values: Any) -> dict[str, Any]:
    """The same line as an entry of Cloud Service Mesh's traffic log."""
    v = fields(base, **values)
    labels = {
        "response_flag": v["response_flags"] or "-",
        "upstream_cluster": v["upstream_cluster"],
        "upstream_host": v["upstream_host"],
        "route_name": v["route_name"],
        "requested_server_name": v["requested_server_name"],
        "response_details": v["response_code_details"],
        "source_workload": "shop",
        "source_namespace": "shop",
        "protocol": "http" if v["protocol"] else "tcp",
    }
    resource = {"cluster_name": "east", "namespace_name": "shop", "pod_name": "shop-5b8c7d6f49-m4v9t"}
    entry: dict[str, Any] = {
        "logName": f"projects/p/logs/{side}-accesslog-stackdriver",
        "resource": {"type": "k8s_pod", "labels": resource},
        "timestamp": v["start_time"],
        "severity": "INFO",
    }
    ip, _, port = v["downstream_local_address"].rpartition(":")
    client, _, client_port = v["downstream_remote_address"].rpartition(":")
    if v["protocol"]:
        request = {
            "requestMethod": v["method"],
            "requestUrl": f"http://{v['authority']}{v['path']}",
            "status": v["response_code"],
            "userAgent": v["user_agent"],
            "serverIp": ip,
            "remoteIp": client,
            "requestSize": str(v["bytes_received"]),
            "responseSize": str(v["bytes_sent"]),
            "latency": f"{v['duration'] / 1000:.3f}s",
        }
        entry |= {"httpRequest": {name: value for name, value in request.items() if value is not None}}
        labels["request_id"] = v["request_id"]
    else:
        labels |= {"destination_ip": ip, "destination_port": port, "source_ip": client, "source_port": client_port}
        labels |= {"total_received_bytes": str(v["bytes_received"]), "total_sent_bytes": str(v["bytes_sent"])}
        labels["connection_state"] = "CLOSE"
        entry["textPayload"] = "shop --> somewhere"
    return entry | {"labels": {name: value for name, value in labels.items() if value}}


def gcp(base: dict[str, Any] | None = None, side: str = "client", **values: Any) -> str:
    """That entry as a line."""
    return json.dumps(gcp_entry(base, side, **values))


def otlp(*bodies: Any, attributes: dict[str, Any] | None = None, scopes: str = "scopeLogs") -> str:
    """Log records with these bodies (text, or an object) in one line of OTLP JSON."""
    known = [{"key": key, "value": _any_value(value)} for key, value in (attributes or {}).items()]
    records = [{"timeUnixNano": "1", "body": _any_value(body), "attributes": known, "traceId": ""} for body in bodies]
    resource = {"attributes": [{"key": "k8s.pod.name", "value": {"stringValue": "shop-5b8c7d6f49-m4v9t"}}]}
    return json.dumps({"resourceLogs": [{"resource": resource, scopes: [{"scope": {}, "logRecords": records}]}]})


def _any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"kvlistValue": {"values": [{"key": key, "value": _any_value(inner)} for key, inner in value.items()]}}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {} if value is None else {"stringValue": value}
