"""What a ztunnel line means in the access log's words: ambient mesh, where a node's proxy speaks for its pods.

ztunnel knows addresses, workloads and services, and nothing of HTTP, server names, routes or the outbound policy: a
connection to an address that is no service's passes. It logs at the end of a connection and leaves out what it does
not know. Source: istio/ztunnel src/proxy/metrics.rs (keys, bytes), src/proxy/outbound.rs (passthrough), src/proxy.rs
(errors), src/telemetry.rs (encodings); Istio 1.22 and later.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from analyzer.parsing.careful import CarefulLine
from analyzer.parsing.extras import as_extra
from analyzer.parsing.parsed import MISSING, Reason

REFERENCE = "istio/ztunnel src/proxy/metrics.rs, src/telemetry.rs"
FIELDS = frozenset(
    (
        "start_time",
        "bytes_received",
        "bytes_sent",
        "duration",
        "upstream_transport_failure_reason",
        "upstream_host",
        "downstream_local_address",
        "downstream_remote_address",
        # What stands in for the cluster says by whose leave as surely as a sidecar's cluster does.
        "upstream_cluster",
    )
)
BLIND_SPOT = (
    "Ambient's ztunnel sees connections only: no Host, no server name, no path, no policy. A destination has a name "
    "there only where a Service or a ServiceEntry owns its address, and nothing is refused for not being registered: "
    "`outboundTrafficPolicy` is not for ztunnel. What a waypoint let through stands in the waypoint's own access log; "
    "refusing unknown destinations takes a NetworkPolicy, or an egress waypoint with an AuthorizationPolicy."
)
MESSAGES = ("connection complete", "connection failed")
OPENED = "connection opened"
LEVELS = ("info", "error", "warn", "debug", "trace")
EARLIEST = datetime.min.replace(tzinfo=UTC)
"""The calendar begins here; what began before has no time."""

_PORT = re.compile(r":(\d{1,5})$")
_ADDRESS = re.compile(r"(?:[0-9.]+|\[[0-9a-fA-F:.]+\]):\d{1,5}")
_READ = frozenset(
    (
        "src.addr",
        "src.workload",
        "src.namespace",
        "src.cluster",
        "dst.addr",
        "dst.service",
        "direction",
        "bytes_sent",
        "bytes_recv",
        "duration",
        "error",
    )
)
_NOWHERE = "PassthroughCluster"
_REFUSED_AHEAD = "outbound"
_DENIED = "rbac_access_denied"
"""How Envoy calls a refusal by an AuthorizationPolicy."""
_TLS = "tls error"
_CAUSES = (
    ("policy", "UAEX"),
    ("401 Unauthorized", "UAEX"),
    ("no healthy upstream", "UH"),
    ("no ip addresses were resolved", "DF"),
    ("deadline has elapsed", "UT"),
    ("timed out", "UT"),
    (_TLS, "UF"),
    ("connection closed due to connection drain", "UC"),
    ("io error", "UC"),
    ("http status", "UF"),
    ("connection failed", "UF"),
)
"""Words of ztunnel's errors and the response flag by which Envoy would tell the same."""
_UNKNOWN_FAILURE = "UF"


def read_fields(time: str | None, message: str, fields: Mapping[str, str]) -> CarefulLine | None:
    """One connection; null where the direction or the address dialled is not there.

    `bytes_received` is what the client sent: ztunnel counts from its own side, so an outbound line's `bytes_sent` and
    an inbound line's `bytes_recv` are the upload.
    """
    direction = fields.get("direction")
    if direction not in ("outbound", "inbound") or "dst.addr" not in fields:
        return None
    if message == OPENED:
        return CarefulLine({}, tampered=False, refused=Reason.INTERMEDIATE)
    sent, received = fields.get("bytes_sent"), fields.get("bytes_recv")
    upload, download = (sent, received) if direction == "outbound" else (received, sent)
    duration = (fields.get("duration") or "").removesuffix("ms")
    dialled = fields.get("dst.hbone_addr")
    if dialled is None or not _ADDRESS.fullmatch(dialled):
        dialled = fields["dst.addr"]
    values: dict[str, str | None] = {
        "start_time": _began(time, duration),
        "bytes_received": upload,
        "bytes_sent": download,
        "duration": duration,
        "upstream_transport_failure_reason": fields.get("error"),
        "upstream_host": fields["dst.addr"] if message == MESSAGES[0] and not _unreached(fields) else None,
        "downstream_local_address": dialled,
        "downstream_remote_address": fields.get("src.addr"),
        "source_cluster": fields.get("src.cluster"),
        "source_namespace": fields.get("src.namespace"),
        "source_pod": fields.get("src.workload"),
        "extra": as_extra({name: value for name, value in fields.items() if name not in _READ}),
        **_judged(direction, dialled, message, fields),
    }
    return CarefulLine(
        {name: value for name, value in values.items() if value is not None and value not in MISSING}, tampered=False
    )


def _judged(direction: str, dialled: str, message: str, fields: Mapping[str, str]) -> dict[str, str | None]:
    """What a sidecar would have written for the same connection."""
    error = fields.get("error")
    return {
        "judged_cluster": _cluster(direction, dialled, message, fields),
        "judged_flags": None if error is None else _flag(error),
        "judged_details": "via_upstream" if error is None else _details(error),
    }


def _cluster(direction: str, dialled: str, message: str, fields: Mapping[str, str]) -> str | None:
    port = _PORT.search(dialled)
    number, service = port[1] if port else "", fields.get("dst.service")
    if direction == "inbound":
        return f"inbound|{number}||{service or ''}"
    if service is not None:
        return f"outbound|{number}||{service}"
    if fields.keys() & {"dst.workload", "dst.hbone_addr"}:
        return f"outbound|{number}||"  # a pod of the mesh, dialled by its own address
    # What was refused before the destination was looked up passed nowhere.
    return _NOWHERE if message == MESSAGES[0] else _REFUSED_AHEAD


def _flag(error: str) -> str:
    return next((flag for words, flag in _CAUSES if words in error), _UNKNOWN_FAILURE)


def _details(error: str) -> str:
    if _flag(error) == "UAEX":
        return _DENIED
    return "upstream_reset_before_response_started{TLS_error}" if _TLS in error else "connection_failed"


def _unreached(fields: Mapping[str, str]) -> bool:
    return "error" in fields and not fields.get("bytes_recv", "0").strip("0")


def _began(time: str | None, duration: str) -> str | None:
    """When the connection began: it is logged when it ends, with how long it took."""
    if time is None:
        return None
    try:
        end = datetime.fromisoformat(time)
    except ValueError:
        return None
    try:
        start = end.replace(tzinfo=None) - timedelta(milliseconds=time_spent(duration))
    except OverflowError:
        return None
    return f"{start.isoformat(timespec='microseconds')}Z"


def time_spent(duration: str) -> int:
    """Milliseconds; none where that is no number, or one of more than thirty years."""
    return int(duration) if duration.isascii() and duration.isdigit() and len(duration) < 13 else 0
