"""Replay requests against a mesh, in every way in which documents and log leave it open, and say what decided."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import groupby, product

from analyzer.evidence import Destination, Request
from analyzer.mesh.documents import without_garbage_collection
from analyzer.mesh.model import Mesh, ServiceEntry
from analyzer.mesh.names import covers
from analyzer.mesh.scoping import OutboundPolicy, Sidecar
from analyzer.simulation.deciding import Deciding, Policy
from analyzer.simulation.owners import Owners
from analyzer.simulation.registry import Order, Registry, is_order_known
from analyzer.simulation.replay import Decision, Replay, ReplayedDestination
from analyzer.simulation.routes import Client, Labels, rests_on_labels
from analyzer.simulation.scope import Scope
from analyzer.simulation.services import CLUSTER_DOMAIN, UNALLOCATED, is_allocated
from analyzer.simulation.sidecars import candidates
from analyzer.simulation.versions import version_of
from analyzer.simulation.workloads import Workloads, is_allocated_address
from analyzer.simulation.worlds import Possible, World, agreed
from analyzer.vocabulary import NEWEST_ISTIO, WORST_FIRST, EgressClass, Mode, Outcome

_UNKNOWN_NAMESPACE = ""
_NOWHERE = "\0"
"""A namespace that is none: nothing is exported to it, and nothing lives there."""
_NO_LABELS: Labels = {}
_RANKS = {outcome: WORST_FIRST.index(outcome) for outcome in Outcome}
_SCOPES_KEPT = 8
"""Scopes that a replay holds when it comes to the next namespace; each has a chain for every service it sees."""


class Simulator:
    """A mesh in one version and one mesh-wide mode; decisions are remembered, so equal requests cost one.

    `modes` are modes of single namespaces; a Sidecar with an outbound policy of its own keeps it, as in Istio,
    unless `override_sidecars`.
    """

    def __init__(
        self,
        mesh: Mesh,
        *,
        mode: Mode = Mode.REGISTRY_ONLY,
        istio_version: str = NEWEST_ISTIO,
        modes: Mapping[str, Mode] | None = None,
        override_sidecars: bool = False,
    ) -> None:
        self.mesh, self.mode, self.istio_version = mesh, mode, istio_version
        self._modes, self._override = modes or {}, override_sidecars
        self._version = version_of(istio_version)
        self._owners = Owners(mesh)
        self._workloads = Workloads(mesh, self._version)
        self._everybodys: dict[tuple[bool, bool], Scope] = {}
        self._scopes: dict[tuple[object, ...], Scope] = {}
        self._possible: dict[tuple[str, str | None, bool], Possible] = {}
        self._policies: dict[tuple[int, str], Policy] = {}
        self._ordered: dict[int, Possible] = {}
        self._resting: dict[tuple[int, int], bool] = {}
        self._decided: dict[tuple[object, ...], Decision] = {}

    def decide(self, request: Request) -> Decision:
        """What would happen to a request."""
        if request.egress_class is EgressClass.IN_MESH and not self._knows_service(request.key.host):
            return _IN_MESH
        key = request.key
        asked = (
            key.source_namespace,
            key.source_workload if self._workload_matters else None,
            request.authority,
            request.requested_server_name,
            request.destination_ip,
            request.destination_port,
            request.application_protocol,
            request.method_is_connect,
            key.host,
            request.path,
            request.method,
            request.egress_class is EgressClass.REGISTERED,
        )
        decision = self._decided.get(asked)
        if decision is None:
            decision = self._decided[asked] = self._decide(request)
        return decision

    def sidecars(self, request: Request) -> Sequence[Sidecar | None] | None:
        """The Sidecar that holds for whoever sent a request (null for none), or those of its pods where they differ.

        Null where documents do not say which holds.
        """
        namespace, workload = request.key.source_namespace or _UNKNOWN_NAMESPACE, request.key.source_workload
        found = self._possibilities(namespace, request).sidecars
        is_told = self._workloads.labels_of(namespace, workload) is not None and is_order_known(self.mesh.sidecars)
        return found if len(found) == 1 or is_told else None

    def replay(self, destinations: Iterable[Destination]) -> Replay:
        """Replay every request of every destination; a destination fares as its worst request does."""
        with without_garbage_collection():
            replayed = [
                self._replay_one(destination)
                for _, group in groupby(sorted(destinations, key=_namespace_of), key=_namespace_of)
                for destination in self._after_forgetting(group)
            ]
        coverage = dict.fromkeys(Outcome, 0)
        for destination in replayed:
            for outcome, entries in destination.by_outcome.items():
                coverage[outcome] += entries
        return Replay(
            mode=self.mode,
            istio_version=self.istio_version,
            manifests=sum(1 for _ in self.mesh.objects()),
            coverage=coverage,
            destinations=tuple(sorted(replayed, key=lambda item: item.key.order)),
        )

    def _after_forgetting(self, group: Iterable[Destination]) -> Iterable[Destination]:
        """A namespace's destinations, once what was built for the ones before is given up: memory stays bounded."""
        if len(self._scopes) > _SCOPES_KEPT:
            for scope in self._scopes.values():
                scope.forget()
            self._scopes.clear()
            self._policies.clear()
        return group

    def _replay_one(self, destination: Destination) -> ReplayedDestination:
        by_outcome: dict[Outcome, int] = {}
        worst: Decision | None = None
        for request in destination.requests:
            decision = self.decide(request)
            by_outcome[decision.outcome] = by_outcome.get(decision.outcome, 0) + request.entries
            if worst is None or _RANKS[decision.outcome] < _RANKS[worst.outcome]:
                worst = decision
        decided = worst or _nothing_known(self.mode)
        if len(by_outcome) > 1:
            by_outcome = {outcome: by_outcome[outcome] for outcome in _RANKS if outcome in by_outcome}
        return ReplayedDestination(destination.key, destination.entries, decided, by_outcome)

    def _decide(self, request: Request) -> Decision:
        namespace = request.key.source_namespace or _UNKNOWN_NAMESPACE
        decision = self._decide_in_all(namespace, request)
        left_alone = decision.by is None and request.egress_class is EgressClass.REGISTERED
        return _REGISTERED_IN_LOG if left_alone and self.mesh.is_empty else decision

    def _decide_in_all(self, namespace: str, request: Request) -> Decision:
        """Decide in every world that is possible; the order of creation is looked at only where it may matter."""
        possible = self._possibilities(namespace, request)
        if possible.only is not None:
            return self._decide_in(possible.only, namespace, request, request.destination_ip)
        if len(possible.forward) > 1 and not self._rests_on_order(possible, namespace, request.destination_port):
            possible = self._in_one_order(possible)
            if possible.only is not None:
                return self._decide_in(possible.only, namespace, request, request.destination_ip)
        worlds = possible.worlds(lambda world: self._addresses(world, namespace, request))
        return agreed(worlds, lambda world: self._decide_in(world, namespace, request, world.address))

    def _in_one_order(self, possible: Possible) -> Possible:
        known = self._ordered.get(id(possible))
        if known is None:
            known = self._ordered[id(possible)] = replace(possible, forward=possible.forward[:1])
        return known

    def _rests_on_order(self, possible: Possible, namespace: str, number: int | None) -> bool:
        """Whether undated objects are in each other's way on a port, in some world."""
        if len(possible.sidecars) > 1 or not self._is_order_of_routes_known:
            return True
        if number is None:
            return False
        known = self._resting.get((id(possible), number))
        if known is None:
            ways = product(possible.captures_dns, possible.sidecars)
            worlds = (World(True, captures, sidecar, possible.labels[0], None) for captures, sidecar in ways)
            known = any(self._scope(world, namespace).rests_on_order(number) for world in worlds)
            self._resting[id(possible), number] = known
        return known

    def _decide_in(self, world: World, namespace: str, request: Request, address: str | None) -> Decision:
        scope = self._scope(world, namespace)
        policy = self._policy(scope, namespace)
        decision = Deciding(request, address, scope, policy, self._owners).decide()
        sidecar = world.sidecar
        if sidecar is None or sidecar.egress is None or decision.rule not in _FALLTHROUGH:
            return decision
        whole = self._scope(world._replace(sidecar=None), namespace)
        without = Deciding(request, address, whole, policy, self._owners).decide()
        if without.rule in _FALLTHROUGH or without.outcome is Outcome.BROKEN:
            return decision
        because = f"The egress list of Sidecar {sidecar.reference} leaves out what would take it ({without.by})."
        return replace(decision, rule="sidecar_egress_list", because=because, by=sidecar.reference)

    def _policy(self, scope: Scope, namespace: str) -> Policy:
        known = self._policies.get((id(scope), namespace))
        if known is None:
            default = OutboundPolicy(self._modes.get(namespace, self.mode))
            known = Policy(*scope.policy(default, override=self._override))
            self._policies[id(scope), namespace] = known
        return known

    def _possibilities(self, namespace: str, request: Request) -> Possible:
        workload, allocated = request.key.source_workload, is_allocated_address(request.destination_ip)
        known = (namespace, workload if self._workload_matters else None, allocated)
        if known not in self._possible:
            labels = self._workloads.labels_of(namespace, workload)
            captures = [True] if allocated else self._workloads.captures_dns(namespace, workload)
            self._possible[known] = Possible(
                (True,) if self._is_order_known else (True, False), captures, *self._ways(namespace, labels)
            )
        return self._possible[known]

    def _ways(
        self, namespace: str, labels: Sequence[Labels] | None
    ) -> tuple[Sequence[Sidecar | None], Sequence[Labels | None]]:
        root = self.mesh.config.root_namespace
        sidecars: dict[int, Sidecar | None] = {}
        for forward in (True,) if self._is_order_known else (True, False):
            ordered = Order(forward=forward).of(self.mesh.sidecars)
            sidecars.update({id(item): item for item in candidates(ordered, namespace, root, labels)})
        if not self._routes_rest_on_labels:
            return list(sidecars.values()), (None,)
        return list(sidecars.values()), (None, _NO_LABELS) if labels is None else labels

    def _addresses(self, world: World, namespace: str, request: Request) -> Sequence[str | None]:
        """What may be dialled: what was, and what the proxy's DNS would answer once a proposed entry exists."""
        dialled, host = request.destination_ip, request.key.host
        if not world.captures_dns:
            return (dialled,)
        view = self._scope(world, namespace)
        named = view.clusters.services_named(host) if host is not None else ()
        answers = [
            service.plain_address
            for service in named
            if service.entry is not None and _is_news(service.entry, service.host, self._version)
        ]
        found = [answer for answer in answers if answer is not None]
        new = () if not found or dialled in found else found[:1]
        return (*(self._handed_out(view, request) if is_allocated_address(dialled) else ()), *new, dialled)

    def _handed_out(self, view: Scope, request: Request) -> Sequence[str]:
        """Whose address an allocated one may be, of the entries that do not show theirs; by name if there is one."""
        host, number = request.key.host, request.destination_port
        if number is None or request.destination_ip in view.port(number).by_address:
            return ()
        return [
            service.address
            for egress in view.egress
            for service in egress.on_port(number)
            if service.address is not None
            and service.address.startswith(UNALLOCATED)
            and (host is None or covers(service.host, host))
        ]

    def _scope(self, world: World, namespace: str) -> Scope:
        labels = None if world.labels is None else tuple(sorted(world.labels.items()))
        key = (world.forward, world.captures_dns, id(world.sidecar), labels, namespace)
        scope = self._scopes.get(key)
        if scope is None:
            shared = self._shared(world.forward, world.captures_dns)
            scope = Scope(shared.registry, Client(namespace, world.labels), world.sidecar, shared)
            self._scopes[key] = scope
        return scope

    def _shared(self, forward: bool, captures_dns: bool) -> Scope:
        """What is public, as a namespace sees it that has nothing of its own."""
        key = (forward, captures_dns)
        if key not in self._everybodys:
            registry = Registry(self.mesh, self._version, Order(forward=forward), captures_dns=captures_dns)
            self._everybodys[key] = Scope(registry, Client(_NOWHERE))
        return self._everybodys[key]

    def _knows_service(self, host: str | None) -> bool:
        return host is not None and host in self._service_hosts

    @cached_property
    def _service_hosts(self) -> frozenset[str]:
        return frozenset(f"{item.name}.{item.namespace}.svc.{CLUSTER_DOMAIN}" for item in self.mesh.services)

    @cached_property
    def _is_order_known(self) -> bool:
        mesh = self.mesh
        groups = ((*mesh.service_entries, *mesh.services), mesh.sidecars, mesh.virtual_services)
        return all(is_order_known(group) for group in groups)

    @cached_property
    def _is_order_of_routes_known(self) -> bool:
        """Whether the ages of VirtualServices say which of them comes first."""
        return is_order_known(self.mesh.virtual_services)

    @cached_property
    def _routes_rest_on_labels(self) -> bool:
        return any(rests_on_labels(item) for item in self.mesh.virtual_services)

    @cached_property
    def _workload_matters(self) -> bool:
        selecting = any(item.workload_selector for item in self.mesh.sidecars)
        return bool(self.mesh.pods) or selecting or self._routes_rest_on_labels


def _namespace_of(destination: Destination) -> str:
    return destination.key.source_namespace or _UNKNOWN_NAMESPACE


def _is_news(entry: ServiceEntry, host: str, version: tuple[int, int]) -> bool:
    """Whether an entry changes what DNS answers: it is new or moved, and nobody knows its address from before."""
    return (
        (entry.proposed or entry.readdressed)
        and not entry.auto_addresses
        and (bool(entry.addresses) or is_allocated(entry, host, version))
    )


_FALLTHROUGH = frozenset(
    ("no_listener", "no_chain", "no_server_name", "no_virtual_host", "allow_any_dynamic_dns", "egress_proxy")
)
"""Rules by which nothing registered took a request."""


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
