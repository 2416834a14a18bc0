"""Entries of Envoy's gRPC access log service as protobuf JSON, in camelCase or with the names as they are declared.

HTTP entries have a request and a response, TCP entries have the connection's bytes. What stands at its default is left
out, 64-bit integers are strings, addresses are objects. Sources: envoyproxy/envoy
api/envoy/data/accesslog/v3/accesslog.proto, api/envoy/config/core/v3/address.proto; protocolbuffers/protobuf
docs, ProtoJSON Format.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from analyzer.parsing.by_line import read_by_line
from analyzer.parsing.careful import CarefulLine, Shape
from analyzer.parsing.extras import as_extra
from analyzer.parsing.flags import flags_of_service
from analyzer.parsing.objects import as_text, milliseconds, object_of
from analyzer.parsing.parsed import EXTRA, MISSING, Reading, Reason
from analyzer.vocabulary import ACCESS_LOG_FIELDS

_VERSIONS = {"HTTP10": "HTTP/1.0", "HTTP11": "HTTP/1.1", "HTTP2": "HTTP/2", "HTTP3": "HTTP/3"}
_VERSION_NUMBERS = dict(enumerate(_VERSIONS, start=1))
_FEWEST_QUOTES = 8
_TCP_CODE = "0"
"""What Envoy's text formats write for a connection."""


class EnvoyAls:
    """One entry a line; a message of many entries is taken apart before."""

    name = "envoy_als"
    reference = "envoyproxy/envoy api/envoy/data/accesslog/v3/accesslog.proto"
    fields = frozenset(ACCESS_LOG_FIELDS)
    relays = False
    blind_spot = ""

    def may_read(self, shape: Shape) -> bool:
        """Whether a line of this shape may be an object with an address."""
        return shape.braced and shape.quotes >= _FEWEST_QUOTES

    def read_line(self, line: str) -> CarefulLine | None:
        """Read one entry; one that tells of a stream before its end is refused, its last one counts."""
        entry = object_of(line)
        common = None if entry is None else _object(entry, "common_properties")
        if entry is None or not common:
            return None
        if not _get(common, "upstream_cluster") and not _address(common, "downstream_local_address"):
            return None
        if _get(common, "intermediate_log_entry") is True:
            return CarefulLine({}, tampered=False, refused=Reason.INTERMEDIATE)
        known = {
            name: value
            for name, value in {**_of_common(common), **_of_kind(entry)}.items()
            if value is not None and value not in MISSING
        }
        return CarefulLine(known, tampered=False)

    def read(self, data: bytes) -> Reading:
        """Read a block of UTF-8 lines."""
        return read_by_line(self, data)


def _of_common(common: Mapping[str, Any]) -> dict[str, str | None]:
    duration = _get(common, "duration") or _get(common, "time_to_last_downstream_tx_byte")
    rest = {name: _get(common, name) for name in ("custom_tags", "upstream_request_attempt_count")}
    return {
        "start_time": _time(_get(common, "start_time")),
        "response_flags": flags_of_service(_object(common, "response_flags")),
        "connection_termination_details": as_text(_get(common, "connection_termination_details")),
        "upstream_transport_failure_reason": as_text(_get(common, "upstream_transport_failure_reason")),
        "duration": _milliseconds(duration),
        "upstream_host": _address(common, "upstream_remote_address"),
        "upstream_cluster": as_text(_get(common, "upstream_cluster")),
        "upstream_local_address": _address(common, "upstream_local_address"),
        "downstream_local_address": _address(common, "downstream_local_address"),
        "downstream_remote_address": _client(common),
        "requested_server_name": as_text(_get(_object(common, "tls_properties"), "tls_sni_hostname")),
        "route_name": as_text(_get(common, "route_name")),
        EXTRA: as_extra(rest),
    }


def _of_kind(entry: Mapping[str, Any]) -> dict[str, str | None]:
    request, response = _object(entry, "request"), _object(entry, "response")
    if not request and not response:
        connection = _object(entry, "connection_properties")
        return {
            "response_code": _TCP_CODE,
            "bytes_received": as_text(_get(connection, "received_bytes")) or "0",
            "bytes_sent": as_text(_get(connection, "sent_bytes")) or "0",
        }
    version = _get(entry, "protocol_version")
    return {
        "method": as_text(_get(request, "request_method")),
        "path": as_text(_get(request, "original_path") or _get(request, "path")),
        "protocol": _VERSIONS.get(_VERSION_NUMBERS.get(version, "") if isinstance(version, int) else str(version)),
        "response_code": as_text(_get(response, "response_code")) or _TCP_CODE,
        "response_code_details": as_text(_get(response, "response_code_details")),
        "bytes_received": as_text(_get(request, "request_body_bytes")) or "0",
        "bytes_sent": as_text(_get(response, "response_body_bytes")) or "0",
        "x_forwarded_for": as_text(_get(request, "forwarded_for")),
        "user_agent": as_text(_get(request, "user_agent")),
        "request_id": as_text(_get(request, "request_id")),
        "authority": as_text(_get(request, "authority")),
    }


def _get(holder: Mapping[str, Any], name: str) -> Any:
    """A field by its declared name or by that name in camelCase."""
    return holder[name] if name in holder else holder.get(_IN_CAMEL_CASE[name])


class _CamelCase(dict[str, str]):
    """Names in camelCase, each made once."""

    def __missing__(self, name: str) -> str:
        first, *rest = name.split("_")
        return self.setdefault(name, first + "".join(word.capitalize() for word in rest))


_IN_CAMEL_CASE = _CamelCase()


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = _get(holder, name)
    return found if isinstance(found, dict) else {}


def _address(common: Mapping[str, Any], name: str) -> str | None:
    socket = _object(_object(common, name), "socket_address")
    host, port = as_text(_get(socket, "address")), as_text(_get(socket, "port_value"))
    if not host:
        return None
    return f"[{host}]:{port or 0}" if ":" in host else f"{host}:{port or 0}"


def _client(common: Mapping[str, Any]) -> str | None:
    """A client's X-Forwarded-For replaces its address, and port 0 tells; the direct address is the peer's own."""
    remote = _address(common, "downstream_remote_address")
    if remote is not None and not remote.endswith(":0"):
        return remote
    return _address(common, "downstream_direct_remote_address") or remote


def _time(value: Any) -> str | None:
    """RFC 3339, or seconds and nanoseconds where the message was written by other means."""
    if isinstance(value, dict):
        seconds, nanos = value.get("seconds"), value.get("nanos", 0)
        if not str(seconds).isdigit() or not str(nanos).isdigit():
            return None
        try:
            return f"{datetime.fromtimestamp(int(str(seconds)), UTC):%Y-%m-%dT%H:%M:%S}.{int(nanos):09d}Z"
        except (ValueError, OverflowError, OSError):
            return None
    return value if isinstance(value, str) else None


def _milliseconds(value: Any) -> str | None:
    if isinstance(value, dict):
        seconds, nanos = str(value.get("seconds", 0)), str(value.get("nanos", 0))
        return str(int(seconds) * 1000 + int(nanos) // 1_000_000) if seconds.isdigit() and nanos.isdigit() else None
    return milliseconds(value)


FORMAT = EnvoyAls()
