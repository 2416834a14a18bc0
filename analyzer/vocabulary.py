"""The field's words: every closed set of names that more than one room of the house speaks.

Names are Envoy's, Istio's and Kubernetes' own wherever one exists; the rest are the words of the
output contract. This module imports nothing of ours, so that every layer may speak them.
"""

from enum import StrEnum
from typing import Final


class Direction(StrEnum):
    """Which side of the proxy a line was written on."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    GATEWAY = "gateway"
    UNKNOWN = "unknown"


class EgressClass(StrEnum):
    """By whose leave an entry went where it went."""

    BLOCKED = "blocked"
    PASSTHROUGH = "passthrough"
    REGISTERED = "registered"
    IN_MESH = "in_mesh"
    INBOUND = "inbound"
    NO_ROUTE = "no_route"
    UNCLASSIFIED = "unclassified"


class Mechanism(StrEnum):
    """The part of the proxy's configuration that decided an entry."""

    BLOCK_ALL = "block_all"
    BLACKHOLE_CLUSTER = "blackhole_cluster"
    ALLOW_ANY = "allow_any"
    PASSTHROUGH_CLUSTER = "passthrough_cluster"
    DYNAMIC_DNS = "dynamic_dns"
    EGRESS_PROXY = "egress_proxy"
    SERVICE_ENTRY = "service_entry"
    EGRESS_GATEWAY = "egress_gateway"
    MESH_SERVICE = "mesh_service"
    INBOUND = "inbound"
    INBOUND_PASSTHROUGH = "inbound_passthrough"
    ROUTE_NOT_FOUND = "route_not_found"
    FILTER_CHAIN_NOT_FOUND = "filter_chain_not_found"
    CLUSTER_NOT_FOUND = "cluster_not_found"
    DIRECT_RESPONSE = "direct_response"
    INSUFFICIENT_FIELDS = "insufficient_fields"
    BAD_REQUEST = "bad_request"


CLASS_OF: Final[dict[Mechanism, EgressClass]] = {
    Mechanism.BLOCK_ALL: EgressClass.BLOCKED,
    Mechanism.BLACKHOLE_CLUSTER: EgressClass.BLOCKED,
    Mechanism.ALLOW_ANY: EgressClass.PASSTHROUGH,
    Mechanism.PASSTHROUGH_CLUSTER: EgressClass.PASSTHROUGH,
    Mechanism.DYNAMIC_DNS: EgressClass.PASSTHROUGH,
    Mechanism.EGRESS_PROXY: EgressClass.PASSTHROUGH,
    Mechanism.SERVICE_ENTRY: EgressClass.REGISTERED,
    Mechanism.EGRESS_GATEWAY: EgressClass.REGISTERED,
    Mechanism.MESH_SERVICE: EgressClass.IN_MESH,
    Mechanism.INBOUND: EgressClass.INBOUND,
    Mechanism.INBOUND_PASSTHROUGH: EgressClass.INBOUND,
    Mechanism.ROUTE_NOT_FOUND: EgressClass.NO_ROUTE,
    Mechanism.FILTER_CHAIN_NOT_FOUND: EgressClass.NO_ROUTE,
    Mechanism.CLUSTER_NOT_FOUND: EgressClass.NO_ROUTE,
    Mechanism.DIRECT_RESPONSE: EgressClass.NO_ROUTE,
    Mechanism.INSUFFICIENT_FIELDS: EgressClass.UNCLASSIFIED,
    Mechanism.BAD_REQUEST: EgressClass.UNCLASSIFIED,
}
"""Each mechanism belongs to exactly one class, so a class is never stored without its reason."""


class Result(StrEnum):
    """What became of the connection, apart from policy."""

    OK = "ok"
    REFUSED_BY_POLICY = "refused_by_policy"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS_FAILURE = "tls_failure"
    NO_HEALTHY_UPSTREAM = "no_healthy_upstream"
    UPSTREAM_RESET = "upstream_reset"
    CLIENT_RESET = "client_reset"
    RATE_LIMITED = "rate_limited"
    DENIED = "denied"
    BAD_REQUEST = "bad_request"
    OTHER = "other"


class HostSource(StrEnum):
    """Which field named the destination."""

    AUTHORITY = "authority"
    SNI = "sni"
    CLUSTER = "cluster"
    LEARNED = "learned"


class ApplicationProtocol(StrEnum):
    """What the proxy took the bytes for."""

    HTTP = "http"
    GRPC = "grpc"
    TLS = "tls"
    TCP = "tcp"


class Verdict(StrEnum):
    """What the audit says of a destination; in this order the first that matches wins."""

    DENIED = "denied"
    INTERNAL = "internal"
    SUSPICIOUS = "suspicious"
    LEGITIMATE = "legitimate"
    REVIEW = "review"


class Outcome(StrEnum):
    """What the replay says would happen to a request."""

    BLOCKED = "blocked"
    BROKEN = "broken"
    MISDIRECTED = "misdirected"
    CONDITIONAL = "conditional"
    ALLOWED = "allowed"


WORST_FIRST: Final[tuple[Outcome, ...]] = tuple(Outcome)
"""Outcomes from worst to best: a destination's outcome is the worst of its rows."""


class Readiness(StrEnum):
    """Whether a namespace may be switched to REGISTRY_ONLY; worst first."""

    NOT_READY = "not_ready"
    CANNOT_SAY_YET = "cannot_say_yet"
    READY_AFTER_PROPOSALS = "ready_after_proposals"
    READY = "ready"


class CauseCode(StrEnum):
    """Why a request is refused, or would be under REGISTRY_ONLY."""

    NO_ENTRY = "no_entry"
    NOT_EXPORTED = "not_exported"
    SIDECAR_LIST = "sidecar_list"
    PORT_MISSING = "port_missing"
    PROTOCOL_WRONG = "protocol_wrong"
    NAME_DIFFERS = "name_differs"
    ADDRESS_DIFFERS = "address_differs"
    AUTO_ALLOCATED = "auto_allocated"
    CAPTURED = "captured"
    CANNOT_WORK = "cannot_work"
    NAME_UNKNOWN = "name_unknown"
    REGISTERED_SINCE = "registered_since"
    UPSTREAM_FAILURE = "upstream_failure"


class SideEffectCode(StrEnum):
    """What an entry does beyond what it is for."""

    CAPTURES_OTHERS = "captures_others"
    OPENS_PORT = "opens_port"
    SKIPS_NAME_CHECK = "skips_name_check"


class GrantStatus(StrEnum):
    """How much of what an entry allows was used."""

    UNUSED = "unused"
    WIDER_THAN_USED = "wider_than_used"
    USED = "used"


class Mode(StrEnum):
    """`outboundTrafficPolicy.mode` (istio/api mesh/v1alpha1/config.proto)."""

    REGISTRY_ONLY = "REGISTRY_ONLY"
    ALLOW_ANY = "ALLOW_ANY"
    ALLOW_ANY_DYNAMIC_DNS = "ALLOW_ANY_DYNAMIC_DNS"


class Resolution(StrEnum):
    """`ServiceEntry.resolution` (istio/api networking/v1alpha3/service_entry.proto)."""

    NONE = "NONE"
    STATIC = "STATIC"
    DNS = "DNS"
    DNS_ROUND_ROBIN = "DNS_ROUND_ROBIN"
    DYNAMIC_DNS = "DYNAMIC_DNS"


class Location(StrEnum):
    """`ServiceEntry.location`."""

    MESH_EXTERNAL = "MESH_EXTERNAL"
    MESH_INTERNAL = "MESH_INTERNAL"


class Severity(StrEnum):
    """How much a validation finding weighs, heaviest first."""

    ERROR = "error"
    WARNING = "warning"
    DANGER = "danger"
    INFO = "info"


ACCESS_LOG_FIELDS: Final[tuple[str, ...]] = (
    "start_time",
    "method",
    "path",
    "protocol",
    "response_code",
    "response_flags",
    "response_code_details",
    "connection_termination_details",
    "upstream_transport_failure_reason",
    "bytes_received",
    "bytes_sent",
    "duration",
    "upstream_service_time",
    "x_forwarded_for",
    "user_agent",
    "request_id",
    "authority",
    "upstream_host",
    "upstream_cluster",
    "upstream_local_address",
    "downstream_local_address",
    "downstream_remote_address",
    "requested_server_name",
    "route_name",
)
"""Istio's JSON access-log keys, in its text format's order (istio/istio pilot/pkg/model/telemetry_logging.go)."""

SOURCE_FIELDS: Final[tuple[str, ...]] = (
    "source_cluster",
    "source_namespace",
    "source_workload",
    "source_pod",
)
"""Who wrote the line; Istio's default formats do not say, so labels, names and envelopes do."""

DESTINATION_KEY: Final[tuple[str, ...]] = (
    "source_namespace",
    "source_workload",
    "host",
    "destination_ip",
    "destination_port",
    "application_protocol",
)
"""What tells one destination from another; `destination_ip` only where `host` is null."""

MANAGED_BY: Final = "egress-audit"
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
NEWEST_ISTIO: Final = "1.31"
OLDEST_ISTIO: Final = "1.9"
