"""What single values mean to the truth table: cluster and route names, flags, details, reduced to a few kinds.

A block holds thousands of rows but few distinct values, so each value is looked at once and remembered.
Names: istio/istio pilot/pkg/networking/util/util.go, core/cluster_builder.go, core/httproute.go; flags and
details: envoyproxy/envoy envoy/stream_info/stream_info.h and source/common/stream_info/utility.h.
"""

import re
from enum import IntEnum, IntFlag, auto
from functools import lru_cache
from typing import NamedTuple


class ClusterKind(IntEnum):
    """What an Envoy cluster stands for."""

    ABSENT = 0
    BLACK_HOLE = auto()
    PASSTHROUGH = auto()
    DYNAMIC_DNS = auto()
    INBOUND = auto()
    INBOUND_PASSTHROUGH = auto()
    WAYPOINT_SERVICE = auto()
    WAYPOINT_EXTERNAL = auto()
    MESH_SERVICE = auto()
    EGRESS_GATEWAY = auto()
    SERVICE_ENTRY = auto()
    PORTLESS = auto()
    REFUSED_AHEAD = auto()
    OTHER = auto()


class RouteKind(IntEnum):
    """What a route name says about the outbound policy."""

    ABSENT = 0
    BLOCK_ALL = auto()
    ALLOW_ANY = auto()
    ALLOW_ANY_DYNAMIC_DNS = auto()
    OTHER = auto()


class DetailsKind(IntEnum):
    """Who answered, by `%RESPONSE_CODE_DETAILS%`."""

    ABSENT = 0
    VIA_UPSTREAM = auto()
    DIRECT_RESPONSE = auto()
    ROUTE_NOT_FOUND = auto()
    CLUSTER_NOT_FOUND = auto()
    FILTER_CHAIN_NOT_FOUND = auto()
    BAD_REQUEST = auto()
    DENIED = auto()
    RATE_LIMITED = auto()
    ANSWERED_BY_PROXY = auto()
    TIMEOUT = auto()
    TLS_FAILURE = auto()
    UPSTREAM_RESET = auto()
    UNREACHABLE = auto()
    OTHER = auto()


class Failure(IntEnum):
    """What `%UPSTREAM_TRANSPORT_FAILURE_REASON%` blames."""

    ABSENT = 0
    TLS = auto()
    TIMEOUT = auto()
    OTHER = auto()


class MethodKind(IntEnum):
    """What the truth table asks of a method."""

    ABSENT = 0
    CONNECT = auto()
    POST = auto()
    OTHER = auto()


class ProtocolKind(IntEnum):
    """HTTP or not, and which; test the protocol, not the method: a codec error is HTTP without a method."""

    ABSENT = 0
    HTTP1 = auto()
    HTTP2 = auto()


class Flags(IntFlag):
    """Response flags that the truth table or the result looks at; the rest is `OTHER`."""

    UH = auto()
    UF = auto()
    UT = auto()
    UC = auto()
    UR = auto()
    UPE = auto()
    NR = auto()
    NC = auto()
    DC = auto()
    DR = auto()
    DPE = auto()
    IH = auto()
    UAEX = auto()
    RL = auto()
    DF = auto()
    TIMED_OUT = auto()
    URX = auto()
    OTHER = auto()


_FLAG = {
    "UH": Flags.UH,
    "UF": Flags.UF,
    "UT": Flags.UT,
    "UC": Flags.UC,
    "UR": Flags.UR,
    "UPE": Flags.UPE,
    "NR": Flags.NR,
    "NC": Flags.NC,
    "DC": Flags.DC,
    "DR": Flags.DR,
    "DPE": Flags.DPE,
    "IH": Flags.IH,
    "UAEX": Flags.UAEX,
    "RL": Flags.RL,
    "RLSE": Flags.RL,
    "DF": Flags.DF,
    "UMSDR": Flags.TIMED_OUT,
    "SI": Flags.TIMED_OUT,
    "DT": Flags.TIMED_OUT,
    "URX": Flags.URX,
}
_CLUSTERS = {
    "BlackHoleCluster": ClusterKind.BLACK_HOLE,
    "PassthroughCluster": ClusterKind.PASSTHROUGH,
    "AllowAnyDynamicDNSCluster": ClusterKind.DYNAMIC_DNS,
    "outbound": ClusterKind.REFUSED_AHEAD,  # what ztunnel refused before it looked the destination up
}
_ROUTES = {
    "block_all": RouteKind.BLOCK_ALL,
    "allow_any": RouteKind.ALLOW_ANY,
    "allow_any_dynamic_dns": RouteKind.ALLOW_ANY_DYNAMIC_DNS,
}
_DETAILS = {
    "via_upstream": DetailsKind.VIA_UPSTREAM,
    "direct_response": DetailsKind.DIRECT_RESPONSE,
    "route_not_found": DetailsKind.ROUTE_NOT_FOUND,
    "cluster_not_found": DetailsKind.CLUSTER_NOT_FOUND,
    "filter_chain_not_found": DetailsKind.FILTER_CHAIN_NOT_FOUND,
    "missing_host_header": DetailsKind.BAD_REQUEST,
    "low_version": DetailsKind.BAD_REQUEST,
    "absolute_path_rejected": DetailsKind.ANSWERED_BY_PROXY,
    "upgrade_failed": DetailsKind.ANSWERED_BY_PROXY,
    "request_rate_limited": DetailsKind.RATE_LIMITED,
    "dns_resolution_failure": DetailsKind.UNREACHABLE,
}
_DETAIL_SHAPES = (
    (re.compile(r"rbac_access_denied|ext_authz"), DetailsKind.DENIED),
    (re.compile(r"http[12]\.|http\.|codec_error"), DetailsKind.BAD_REQUEST),
    (re.compile(r"upstream_reset.*(TLS_error|CERTIFICATE|SSL)"), DetailsKind.TLS_FAILURE),
    (re.compile(r".*timeout"), DetailsKind.TIMEOUT),
    (re.compile(r"upstream_reset\S*\{\w*connection_failure"), DetailsKind.UNREACHABLE),
    (re.compile(r"upstream_reset\S*\{overflow"), DetailsKind.OTHER),  # the proxy's own circuit breaker
    (re.compile(r"upstream_reset"), DetailsKind.UPSTREAM_RESET),
)
_MESH_HOST = re.compile(r"[^.]+\.[^.]+\.svc(\..+)?")
_GATEWAY_LABEL = re.compile(r"[^.]*egress-?gateway")


class ClusterName(NamedTuple):
    """`direction|port|subset|host` taken apart; the port is the service's, not always the dialled one."""

    direction: str
    port: str
    subset: str
    host: str


def split_cluster(name: str) -> ClusterName | None:
    """Take an Envoy cluster name apart, or say with null that it has not that grammar."""
    parts = name.split("|")
    return ClusterName(*parts) if len(parts) == 4 else None


@lru_cache(maxsize=1 << 16)
def cluster_kind(name: str) -> ClusterKind:
    """What a cluster stands for."""
    if name in _CLUSTERS:
        return _CLUSTERS[name]
    if name.startswith("InboundPassthroughCluster"):
        return ClusterKind.INBOUND_PASSTHROUGH
    parts = split_cluster(name)
    if parts is None:
        return ClusterKind.OTHER
    if parts.direction == "inbound":
        return ClusterKind.INBOUND
    if parts.direction == "inbound-vip":
        return ClusterKind.WAYPOINT_SERVICE if is_mesh_host(parts.host) else ClusterKind.WAYPOINT_EXTERNAL
    if parts.direction != "outbound":
        return ClusterKind.OTHER
    if parts.port == "0":
        return ClusterKind.PORTLESS
    if is_mesh_host(parts.host):
        return ClusterKind.EGRESS_GATEWAY if _GATEWAY_LABEL.match(parts.host) else ClusterKind.MESH_SERVICE
    return ClusterKind.SERVICE_ENTRY


def is_mesh_host(host: str) -> bool:
    """Whether a name is a Kubernetes service's: `name.namespace.svc`, with or without a domain, or one label."""
    return "." not in host or _MESH_HOST.fullmatch(host) is not None


@lru_cache(maxsize=1 << 12)
def route_kind(name: str) -> RouteKind:
    """What a route name says about the outbound policy."""
    return _ROUTES.get(name, RouteKind.OTHER)


@lru_cache(maxsize=1 << 12)
def flags_of(text: str) -> Flags:
    """The flags of one value as a set; HTTP and TCP lines write them in different order."""
    flags = Flags(0)
    for flag in text.split(","):
        flags |= _FLAG.get(flag, Flags.OTHER)
    return flags


@lru_cache(maxsize=1 << 12)
def details_kind(text: str) -> DetailsKind:
    """Who answered."""
    if text in _DETAILS:
        return _DETAILS[text]
    return next((kind for shape, kind in _DETAIL_SHAPES if shape.match(text)), DetailsKind.OTHER)


@lru_cache(maxsize=1 << 12)
def failure_of(text: str) -> Failure:
    """What a transport failure reason blames."""
    if "TLS" in text or "SSL" in text or "CERTIFICATE" in text:
        return Failure.TLS
    return Failure.TIMEOUT if "timeout" in text.lower() or "timed_out" in text.lower() else Failure.OTHER


def method_kind(text: str) -> MethodKind:
    """What the truth table asks of a method."""
    return {"CONNECT": MethodKind.CONNECT, "POST": MethodKind.POST}.get(text, MethodKind.OTHER)


def protocol_kind(text: str) -> ProtocolKind:
    """Which HTTP a protocol field names."""
    return ProtocolKind.HTTP1 if text.startswith("HTTP/1") else ProtocolKind.HTTP2
