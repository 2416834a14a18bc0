"""Replay requests against a mesh, one rule after the other, and say which one decided.

The order is Istio's and Envoy's: the listener of the dialled address, else the port's; the chain by prefix and
server name; for HTTP the virtual host by Host header; then whether the cluster exists (istio/istio
pilot/pkg/networking/core; envoyproxy/envoy source/common/listener_manager/filter_chain_manager_impl.cc).
"""

import re
from collections import Counter
from collections.abc import Iterable

from analyzer.evidence import Destination, Request
from analyzer.mesh.model import Mesh, ServiceEntry
from analyzer.mesh.names import covers
from analyzer.simulation.listeners import ChainGroup, Listener, PortView, Target, build_port, longest_suffix
from analyzer.simulation.replay import Decision, Replay, ReplayedDestination
from analyzer.simulation.services import Clusters, Service, services_of, visible_entries
from analyzer.simulation.versions import version_of
from analyzer.vocabulary import (
    NEWEST_ISTIO,
    WORST_FIRST,
    ApplicationProtocol,
    EgressClass,
    Mode,
    Outcome,
    Resolution,
)

_HTTP = (ApplicationProtocol.HTTP, ApplicationProtocol.GRPC)
_PORT_SUFFIX = re.compile(r":\d+$")
_UNKNOWN_NAMESPACE = ""
_Asked = tuple[str, str | None, str | None, str | None, int | None, ApplicationProtocol | None, bool, str | None]


class Simulator:
    """A mesh in one mode and version; decisions are remembered, so equal requests cost one."""

    def __init__(self, mesh: Mesh, *, mode: Mode = Mode.REGISTRY_ONLY, istio_version: str = NEWEST_ISTIO) -> None:
        self.mesh, self.mode, self.istio_version = mesh, mode, istio_version
        self._version = version_of(istio_version)
        self._scopes: dict[str, _Scope] = {}
        self._decided: dict[_Asked, Decision] = {}

    def decide(self, request: Request) -> Decision:
        """What would happen to a request."""
        if request.egress_class is EgressClass.IN_MESH:
            return _IN_MESH
        if request.egress_class is EgressClass.REGISTERED and self.mesh.is_empty:
            return _REGISTERED_IN_LOG
        namespace = request.key.source_namespace or _UNKNOWN_NAMESPACE
        asked = (
            namespace,
            request.authority,
            request.requested_server_name,
            request.destination_ip,
            request.destination_port,
            request.application_protocol,
            request.method_is_connect,
            request.key.host,
        )
        if asked not in self._decided:
            self._decided[asked] = self._decide(namespace, request)
        return self._decided[asked]

    def replay(self, destinations: Iterable[Destination]) -> Replay:
        """Replay every request of every destination; a destination fares as its worst request does."""
        replayed = [self._replay_one(destination) for destination in destinations]
        coverage: Counter[Outcome] = Counter()
        for destination in replayed:
            coverage.update(destination.by_outcome)
        return Replay(
            mode=self.mode,
            istio_version=self.istio_version,
            manifests=len(self.mesh.service_entries),
            coverage={outcome: coverage[outcome] for outcome in Outcome},
            destinations=tuple(sorted(replayed, key=lambda item: item.key.order)),
        )

    def _replay_one(self, destination: Destination) -> ReplayedDestination:
        by_outcome: Counter[Outcome] = Counter()
        worst: Decision | None = None
        for request in destination.requests:
            decision = self.decide(request)
            by_outcome[decision.outcome] += request.entries
            if worst is None or WORST_FIRST.index(decision.outcome) < WORST_FIRST.index(worst.outcome):
                worst = decision
        decided = worst or _nothing_known(self.mode)
        ordered = {outcome: by_outcome[outcome] for outcome in Outcome if by_outcome[outcome]}
        return ReplayedDestination(destination.key, destination.entries, decided, ordered)

    def _scope(self, namespace: str) -> "_Scope":
        if namespace not in self._scopes:
            self._scopes[namespace] = _Scope(self.mesh, namespace, self._version)
        return self._scopes[namespace]

    def _decide(self, namespace: str, request: Request) -> Decision:
        if request.destination_port is None:
            return Decision(
                Outcome.CONDITIONAL,
                "destination_unknown",
                "The log does not show which port was dialled.",
                conditions=("host_unknown",),
            )
        view = self._scope(namespace).port(request.destination_port)
        listener = _listener(view, request.destination_ip)
        if listener is None:
            return self._fallthrough(
                "no_listener", f"No entry visible here has port {request.destination_port}, so the policy decides."
            )
        group = listener.group_for(request.destination_ip)
        if request.application_protocol in _HTTP:
            if listener.has_http and not _prefix_wins(listener, group):
                return self._http(request, view, listener)
            return self._tcp(request, group, reads_http=False)
        if request.requested_server_name is not None:
            return self._tls(request, group)
        return self._tcp(request, group, reads_http=listener.has_http)

    def _fallthrough(self, rule: str, because: str) -> Decision:
        if self.mode is Mode.REGISTRY_ONLY:
            return Decision(Outcome.BLOCKED, rule, because)
        return Decision(Outcome.ALLOWED, rule, because, unguarded=True)

    def _http(self, request: Request, view: PortView, listener: Listener) -> Decision:
        if request.method_is_connect:
            return Decision(
                Outcome.BROKEN,
                "connect_has_no_route",
                "CONNECT matches no route of an HTTP listener (404 in every mode); declare the proxy as a TCP port.",
            )
        if listener.any_host is not None:
            return _reached(request, listener.any_host, "own_listener_any_host", unguarded=True)
        if request.authority is None:
            return Decision(
                Outcome.CONDITIONAL,
                "host_unknown",
                "The log does not show the Host header.",
                conditions=("host_unknown",),
            )
        host = request.authority.lower()
        if self._version >= (1, 16):
            host = _PORT_SUFFIX.sub("", host)
        target = view.virtual_host(host)
        if target is None:
            return self._fallthrough(
                "no_virtual_host", "No entry visible here has this host on this port, so the catch-all route decides."
            )
        return _reached(request, target, "virtual_host", unguarded=False)

    def _tls(self, request: Request, group: ChainGroup) -> Decision:
        name = request.requested_server_name or ""
        target = group.by_sni.get(name)
        target = target or longest_suffix(name, group.by_sni)
        if target is not None:
            return _reached(request, target, "server_name", unguarded=False)
        if group.rest is not None:
            return _reached(request, group.rest, "match_all_chain", unguarded=True)
        return self._fallthrough(
            "no_server_name", "No entry visible here has this server name on this port, so the policy decides."
        )

    def _tcp(self, request: Request, group: ChainGroup, *, reads_http: bool) -> Decision:
        if group.rest is not None:
            return _reached(request, group.rest, "match_all_chain", unguarded=True)
        if group.by_sni and request.application_protocol not in _HTTP:
            return Decision(
                Outcome.CONDITIONAL,
                "server_name_unknown",
                "Allowed if the server name is one of the entries on this port; the log does not show it.",
                conditions=("sni_unknown",),
            )
        if reads_http and request.application_protocol not in _HTTP and request.destination_port != 80:
            return Decision(
                Outcome.CONDITIONAL,
                "may_be_http",
                "If these bytes are HTTP, the entries on this port will route them by Host, and that was not logged.",
                conditions=("host_unknown",),
            )
        return self._fallthrough(
            "no_chain", "No chain of this port's listener takes these bytes, so the policy decides."
        )


class _Scope:
    """What one namespace sees; ports are built when they are first asked for."""

    def __init__(self, mesh: Mesh, namespace: str, version: tuple[int, int]) -> None:
        self._version = version
        services = services_of(visible_entries(mesh, namespace), namespace, version)
        self._clusters = Clusters(services, version)
        self._by_port: dict[int, list[Service]] = {}
        for service in services:
            for number in {port.number for port in service.entry.ports}:
                self._by_port.setdefault(number, []).append(service)
        self._views: dict[int, PortView] = {}

    def port(self, number: int) -> PortView:
        if number not in self._views:
            self._views[number] = build_port(number, self._by_port.get(number, ()), self._clusters, self._version)
        return self._views[number]


def _listener(view: PortView, address: str | None) -> Listener | None:
    bound = view.by_address.get(address) if address is not None else None
    return bound or view.wildcard


def _prefix_wins(listener: Listener, group: ChainGroup) -> bool:
    """A chain with a destination prefix takes all bytes for its addresses, plain HTTP included."""
    return group is not listener.groups.get(None) and bool(group.by_sni or group.rest)


def _reached(request: Request, target: Target, rule: str, *, unguarded: bool) -> Decision:
    entry = target.service.entry
    by = entry.reference
    if target.missing is not None:
        return Decision(Outcome.BROKEN, "no_cluster", f"Matched {by}, but {target.missing}.", by)
    if not _meant(request, target):
        return Decision(
            Outcome.MISDIRECTED,
            rule,
            f"{by} takes this traffic for {target.service.host}, which is not what was asked for.",
            by,
            unguarded,
        )
    return Decision(Outcome.ALLOWED, rule, _because(rule, entry, target), by, unguarded)


def _meant(request: Request, target: Target) -> bool:
    """Whether an entry is for what was asked for: the name where one is known, else the address."""
    host = request.key.host
    if host is not None:
        return any(covers(pattern.rstrip("."), host) for pattern in target.service.entry.hosts)
    return target.service.address is not None or target.service.entry.resolution is Resolution.NONE


def _because(rule: str, entry: ServiceEntry, target: Target) -> str:
    port, host = target.port, target.service.host
    where = f"{host} of {entry.reference}, port {port.number} {port.protocol}"
    return {
        "virtual_host": f"The Host header matches {where}.",
        "server_name": f"The server name matches {where}.",
        "own_listener_any_host": f"{entry.reference} has a listener of its own for this address that takes any Host.",
    }.get(rule, f"{entry.reference} takes everything on this address and port {port.number}, whatever the name.")


def _nothing_known(mode: Mode) -> Decision:
    outcome = Outcome.BLOCKED if mode is Mode.REGISTRY_ONLY else Outcome.ALLOWED
    return Decision(outcome, "no_requests", "No request of this destination is known.")


_IN_MESH = Decision(
    Outcome.ALLOWED, "in_mesh_service", "The log shows it reaching a Kubernetes service, which is registered by itself."
)
_REGISTERED_IN_LOG = Decision(
    Outcome.ALLOWED,
    "registered_in_log",
    "The log shows it leaving under an existing entry; no mesh documents were given to look at that entry (--mesh).",
)
