"""The truth table: from the few facts of a line to the mechanism that decided it and to what became of it.

Rules stand in order and the first that matches wins. Sources: istio/istio pilot/pkg/networking/core
(httproute.go buildCatchAllVirtualHost, listener_builder.go, cluster_builder.go) and lines measured with
Envoy 1.40 under that configuration; older versions from the issues named at the rules.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from analyzer.classification.kinds import (
    ClusterKind,
    DetailsKind,
    Failure,
    Flags,
    MethodKind,
    ProtocolKind,
    RouteKind,
)
from analyzer.vocabulary import CLASS_OF, Direction, EgressClass, Mechanism, Result


class Facts(NamedTuple):
    """All that the table looks at.

    `http` is true for a line of an HTTP request, also where a forged line left the version unreadable.
    `connected` says that `upstream_host` is known, `own_address` that the dialled address is the proxy's own.
    `knows_policy` says whether the format logs cluster and route at all, `knows_details` the same of details.
    """

    http: bool
    protocol: ProtocolKind
    method: MethodKind
    code: int | None
    flags: Flags
    details: DetailsKind
    cluster: ClusterKind
    route: RouteKind
    failure: Failure
    connected: bool
    named_by_sni: bool
    own_address: bool
    denied_connection: bool
    knows_policy: bool
    knows_details: bool


class Conclusion(NamedTuple):
    """What the table says of a line."""

    mechanism: Mechanism
    direction: Direction
    result: Result

    @property
    def egress_class(self) -> EgressClass:
        """The class of the mechanism."""
        return CLASS_OF[self.mechanism]


class Rule(NamedTuple):
    """One row of the table."""

    mechanism: Mechanism
    direction: Direction
    holds: Callable[[Facts], bool]


def _no_cluster(facts: Facts) -> bool:
    return facts.cluster is ClusterKind.ABSENT and not facts.connected


def _blocked_http_without_route_name(facts: Facts) -> bool:
    """Istio 1.1-1.5, or a format without route name: 502 by the proxy itself, nothing connected."""
    return (
        facts.http
        and facts.method not in (MethodKind.ABSENT, MethodKind.CONNECT)
        and facts.code == 502
        and not facts.flags
        and facts.details in (DetailsKind.ABSENT, DetailsKind.DIRECT_RESPONSE)
        and facts.route is RouteKind.ABSENT
        and facts.knows_policy
        and _no_cluster(facts)
    )


def _blocked_tcp_without_cluster(facts: Facts) -> bool:
    """Istio 1.6-1.9: Envoy took the cluster from the host it never chose (istio/istio issues 17850, 33281)."""
    return (
        not facts.http
        and Flags.UH in facts.flags
        and facts.details is DetailsKind.ABSENT
        and facts.route is RouteKind.ABSENT
        and facts.knows_policy
        and _no_cluster(facts)
    )


def _unread_request(facts: Facts) -> bool:
    """The codec refused it: there is a protocol, but the method and the name are lost."""
    return (
        facts.http
        and (facts.details is DetailsKind.BAD_REQUEST or bool(facts.flags & (Flags.DPE | Flags.IH)))
        and facts.cluster is ClusterKind.ABSENT
    )


_OUT, _IN, _GATEWAY, _UNKNOWN = Direction.OUTBOUND, Direction.INBOUND, Direction.GATEWAY, Direction.UNKNOWN
_ROUTED = (ClusterKind.MESH_SERVICE, ClusterKind.EGRESS_GATEWAY, ClusterKind.SERVICE_ENTRY)

RULES: tuple[Rule, ...] = (
    Rule(Mechanism.INBOUND, _IN, lambda f: f.cluster is ClusterKind.INBOUND),
    Rule(Mechanism.INBOUND_PASSTHROUGH, _IN, lambda f: f.cluster is ClusterKind.INBOUND_PASSTHROUGH),
    Rule(Mechanism.BLOCK_ALL, _OUT, lambda f: f.route is RouteKind.BLOCK_ALL and _no_cluster(f)),
    Rule(Mechanism.BLACKHOLE_CLUSTER, _OUT, lambda f: f.cluster is ClusterKind.BLACK_HOLE),
    Rule(Mechanism.BLOCK_ALL, _OUT, _blocked_http_without_route_name),
    Rule(Mechanism.BLACKHOLE_CLUSTER, _OUT, _blocked_tcp_without_cluster),
    # A request that the proxy answered itself went nowhere, whatever cluster its route had (403 upgrade_failed).
    Rule(
        Mechanism.DIRECT_RESPONSE,
        _OUT,
        lambda f: f.details is DetailsKind.ANSWERED_BY_PROXY and not f.connected,
    ),
    Rule(
        Mechanism.DYNAMIC_DNS,
        _OUT,
        lambda f: f.cluster is ClusterKind.DYNAMIC_DNS or f.route is RouteKind.ALLOW_ANY_DYNAMIC_DNS,
    ),
    Rule(Mechanism.ALLOW_ANY, _OUT, lambda f: f.cluster is ClusterKind.PASSTHROUGH and f.http),
    Rule(Mechanism.PASSTHROUGH_CLUSTER, _OUT, lambda f: f.cluster is ClusterKind.PASSTHROUGH),
    Rule(
        Mechanism.EGRESS_PROXY,
        _OUT,
        lambda f: f.cluster is ClusterKind.PORTLESS or (f.cluster in _ROUTED and f.route is RouteKind.ALLOW_ANY),
    ),
    # A missing cluster is a fact of configuration even where the route's cluster name is logged.
    Rule(
        Mechanism.CLUSTER_NOT_FOUND,
        _UNKNOWN,
        lambda f: Flags.NC in f.flags or f.details is DetailsKind.CLUSTER_NOT_FOUND,
    ),
    Rule(Mechanism.MESH_SERVICE, _GATEWAY, lambda f: f.cluster is ClusterKind.WAYPOINT_SERVICE),
    Rule(Mechanism.SERVICE_ENTRY, _GATEWAY, lambda f: f.cluster is ClusterKind.WAYPOINT_EXTERNAL),
    Rule(Mechanism.MESH_SERVICE, _GATEWAY, lambda f: f.cluster is ClusterKind.MESH_SERVICE and f.own_address),
    Rule(Mechanism.SERVICE_ENTRY, _GATEWAY, lambda f: f.cluster is ClusterKind.SERVICE_ENTRY and f.own_address),
    Rule(Mechanism.EGRESS_GATEWAY, _OUT, lambda f: f.cluster is ClusterKind.EGRESS_GATEWAY),
    Rule(Mechanism.MESH_SERVICE, _OUT, lambda f: f.cluster is ClusterKind.MESH_SERVICE),
    Rule(Mechanism.SERVICE_ENTRY, _OUT, lambda f: f.cluster is ClusterKind.SERVICE_ENTRY),
    # Without the detail, a TCP line with NR is an older Envoy's word for a missing cluster.
    Rule(
        Mechanism.CLUSTER_NOT_FOUND,
        _UNKNOWN,
        lambda f: not f.http and Flags.NR in f.flags and f.details is DetailsKind.ABSENT and f.knows_details,
    ),
    # Only a gateway reads the SNI before it looks for a chain; without one it may be a refused inbound call.
    Rule(Mechanism.FILTER_CHAIN_NOT_FOUND, _GATEWAY, lambda f: not f.http and Flags.NR in f.flags and f.named_by_sni),
    Rule(Mechanism.FILTER_CHAIN_NOT_FOUND, _UNKNOWN, lambda f: not f.http and Flags.NR in f.flags),
    Rule(Mechanism.BAD_REQUEST, _UNKNOWN, _unread_request),
    Rule(Mechanism.ROUTE_NOT_FOUND, _OUT, lambda f: Flags.NR in f.flags and f.method is MethodKind.CONNECT),
    Rule(
        Mechanism.ROUTE_NOT_FOUND,
        _UNKNOWN,
        lambda f: f.http and (Flags.NR in f.flags or f.details is DetailsKind.ROUTE_NOT_FOUND),
    ),
    Rule(Mechanism.DIRECT_RESPONSE, _UNKNOWN, lambda f: f.details is DetailsKind.DIRECT_RESPONSE),
    # ztunnel says the direction even of what it refused before it knew by whose leave it would go.
    Rule(Mechanism.INSUFFICIENT_FIELDS, _OUT, lambda f: f.cluster is ClusterKind.REFUSED_AHEAD),
)


@lru_cache(maxsize=1 << 16)
def conclude(facts: Facts) -> Conclusion:
    """Walk the table; a line that fits no row cannot say by whose leave it went."""
    for rule in RULES:
        if rule.holds(facts):
            return Conclusion(rule.mechanism, rule.direction, _result(facts, CLASS_OF[rule.mechanism]))
    return Conclusion(Mechanism.INSUFFICIENT_FIELDS, _UNKNOWN, _result(facts, CLASS_OF[Mechanism.INSUFFICIENT_FIELDS]))


def _result(facts: Facts, egress_class: EgressClass) -> Result:
    """What became of the connection; flags are a set, heavier causes first."""
    if egress_class is EgressClass.BLOCKED:
        return Result.REFUSED_BY_POLICY
    flags, details = facts.flags, facts.details
    causes: tuple[tuple[bool, Result], ...] = (
        (Flags.UAEX in flags or details is DetailsKind.DENIED or facts.denied_connection, Result.DENIED),
        (Flags.RL in flags or details is DetailsKind.RATE_LIMITED, Result.RATE_LIMITED),
        (bool(flags & (Flags.DPE | Flags.IH)) or details is DetailsKind.BAD_REQUEST, Result.BAD_REQUEST),
        (facts.failure is Failure.TLS or details is DetailsKind.TLS_FAILURE, Result.TLS_FAILURE),
        (Flags.UH in flags, Result.NO_HEALTHY_UPSTREAM),
        (bool(flags & (Flags.UT | Flags.TIMED_OUT)), Result.TIMEOUT),
        (details is DetailsKind.TIMEOUT or facts.failure is Failure.TIMEOUT, Result.TIMEOUT),
        (bool(flags & (Flags.UF | Flags.DF)) or details is DetailsKind.UNREACHABLE, Result.UNREACHABLE),
        (bool(flags & (Flags.UC | Flags.UR | Flags.UPE)), Result.UPSTREAM_RESET),
        (details is DetailsKind.UPSTREAM_RESET, Result.UPSTREAM_RESET),
        # 101 with DC is how every websocket ends.
        (bool(flags & (Flags.DC | Flags.DR)) and facts.code != 101, Result.CLIENT_RESET),
    )
    for holds, result in causes:
        if holds:
            return result
    return Result.OK if _went_well(facts) else Result.OTHER


def _went_well(facts: Facts) -> bool:
    if facts.flags & (Flags.NR | Flags.NC | Flags.OTHER | Flags.URX):
        return False
    if facts.http:
        return facts.code is not None and (facts.connected or facts.details is DetailsKind.DIRECT_RESPONSE)
    return facts.connected
