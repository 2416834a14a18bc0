"""All services and routes of a mesh in the order in which istiod looks at them, and by what they are looked up by.

Sources: istio/istio pilot/pkg/model/push_context.go (servicesExportedToNamespace, SortServicesByCreationTime).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from analyzer.mesh.model import DestinationRule, EndpointSlice, Mesh, ServiceEntry, VirtualService
from analyzer.mesh.objects import MeshObject
from analyzer.mesh.routing import MESH_GATEWAY
from analyzer.mesh.services import Service as KubernetesService
from analyzer.simulation.routes import Delegates, rests_on_client
from analyzer.simulation.services import IN_CLUSTER, Service, services_of
from analyzer.simulation.versions import Version
from analyzer.simulation.visibility import EVERYBODY, Visibilities, scope_of

Item = TypeVar("Item", bound=MeshObject)
_Age = tuple[bool, bool, str, Any]


class Order:
    """By age, oldest first. Where nobody gave a time, any order is possible: `forward` is one, its reverse another."""

    def __init__(self, *, forward: bool) -> None:
        self._forward = forward

    def of(self, items: Iterable[Item]) -> list[Item]:
        """Objects by age, then by name."""
        return self._sorted(list(items), lambda item: (item.name, item.namespace), lambda item: item)

    def of_services(self, services: Iterable[Service]) -> list[Service]:
        """Services by age, then by host, then by namespace."""
        return self._sorted(list(services), lambda item: (item.host, item.source.namespace), lambda item: item.source)

    def _sorted(self, items: list[Any], name: Any, source: Any) -> list[Any]:
        dated: list[Any] = []
        undated: list[Any] = []
        for item in items:
            (undated if source(item).creation_timestamp is None else dated).append(item)
        dated.sort(key=lambda item: (source(item).proposed, source(item).creation_timestamp, *name(item)))
        undated.sort(key=lambda item: (*name(item), source(item).name))
        if not self._forward:
            undated = _reversed_by_source(undated, source)
        both = [*undated, *dated] if self._forward else [*dated, *undated]
        return sorted(both, key=lambda item: source(item).proposed)


def _reversed_by_source(items: list[Any], source: Any) -> list[Any]:
    """Objects the other way round, each one's own services still in their order."""
    groups: dict[int, list[Any]] = {}
    for item in items:
        groups.setdefault(id(source(item)), []).append(item)
    return [item for group in reversed(groups.values()) for item in group]


def is_age_open(one: MeshObject, other: MeshObject) -> bool:
    """Whether nobody knows which of two objects is older."""
    undated = one.creation_timestamp is None or other.creation_timestamp is None
    return one is not other and one.proposed == other.proposed and undated


def is_order_known(items: Iterable[MeshObject]) -> bool:
    """Whether ages say everything: at most one object is undated where others stand beside it."""
    undated: dict[bool, int] = defaultdict(int)
    every: dict[bool, int] = defaultdict(int)
    for item in items:
        every[item.proposed] += 1
        undated[item.proposed] += item.creation_timestamp is None
    return all(undated[proposed] == 0 or every[proposed] == 1 for proposed in every)


def group_of(scope: frozenset[str], item: MeshObject, namespace: str) -> int:
    """Where an object stands for a namespace, before age decides: its own, exported to it by name, public."""
    return 2 if scope == EVERYBODY else int(item.namespace != namespace)


class Services:
    """Services in order, by port and by host; the indexes are made when first asked for."""

    def __init__(self, every: Sequence[Service] = ()) -> None:
        self.every = every

    def on_port(self, number: int) -> Sequence[Service]:
        """Those that have a port."""
        return self._by_port.get(number, ())

    def named(self, host: str) -> Sequence[Service]:
        """Those of a host name, as it is written."""
        return self._by_host.get(host, ())

    @property
    def hosts(self) -> Collection[str]:
        """The host names, each once."""
        return self._by_host.keys()

    @cached_property
    def members(self) -> frozenset[Service]:
        """The same services without an order."""
        return frozenset(self.every)

    @cached_property
    def shares_hosts(self) -> bool:
        """Whether two objects have a host name in common."""
        return any(are_of_several(found) for found in self._by_host.values())

    @cached_property
    def _by_port(self) -> Mapping[int, Sequence[Service]]:
        found: dict[int, list[Service]] = {}
        for service in self.every:
            for number in dict.fromkeys(port.number for port in service.ports):
                found.setdefault(number, []).append(service)
        return found

    @cached_property
    def _by_host(self) -> Mapping[str, Sequence[Service]]:
        found: dict[str, list[Service]] = {}
        for service in self.every:
            found.setdefault(service.host, []).append(service)
        return found


def are_of_several(services: Sequence[Service]) -> bool:
    """Whether services are not all of one object."""
    return any(service.source is not services[0].source for service in services)


_NOTHING = Services()


class Registry:
    """A mesh in one order. Each namespace sees its own services that are not public, then what others export to it by
    name, then what is public; VirtualServices likewise.
    """

    def __init__(self, mesh: Mesh, version: Version, order: Order, *, captures_dns: bool) -> None:
        self.mesh, self.version, self._order = mesh, version, order
        visibilities, default = Visibilities(mesh, version), mesh.config.service_export_to
        scopes: dict[int, frozenset[str]] = {}

        def scope_of_service(service: Service) -> frozenset[str]:
            source = service.source
            scope = scopes.get(id(source))
            if scope is None:
                scope = scope_of(source, source.export_to, default)
                if isinstance(source, ServiceEntry):
                    scope = visibilities.capped(source, scope)
                scopes[id(source)] = scope
            return scope

        services = order.of_services(services_of(mesh, version, captures_dns=captures_dns))
        public, private = _by_scope(services, scope_of_service, lambda service: service.source.namespace)
        self.public = Services(public)
        self._private = {namespace: Services(found) for namespace, found in private.items()}

    def private(self, namespace: str) -> Services:
        """What is exported to a namespace without being public, and comes before all that is."""
        return self._private.get(namespace, _NOTHING)

    def named(self, host: str, namespace: str) -> Sequence[Service]:
        """The services of a host name that proxies of a namespace may learn of."""
        private, public = self.private(namespace).named(host), self.public.named(host)
        return [*private, *public] if private else public

    def visible_in(self, namespace: str) -> list[Service]:
        """What proxies of a namespace may learn of."""
        return [*self.private(namespace).every, *self.public.every]

    def group_of(self, service: Service, namespace: str) -> int:
        """Which of the groups of `visible_in` a service is in; only within one does age decide."""
        alone = service in self.private(namespace).members
        return group_of(frozenset((namespace,)) if alone else EVERYBODY, service.source, namespace)

    def contested_in(self, namespace: str) -> Collection[str]:
        """Hosts of which a namespace may see other services than everybody does, or in another order."""
        private, public = self.private(namespace), self.public
        return {host for host in private.hosts if public.named(host)} | self._shared_by_home.get(namespace, set())

    @cached_property
    def _shared_by_home(self) -> Mapping[str, set[str]]:
        """Public hosts that several namespaces have, by each of these."""
        found: dict[str, set[str]] = defaultdict(set)
        for host in self.public.hosts:
            homes = {service.source.namespace for service in self.public.named(host)}
            for namespace in homes if len(homes) > 1 else ():
                found[namespace].add(host)
        return found

    def named_at_home(self, namespace: str) -> Collection[str]:
        """Public hosts that have shorter names in one namespace than elsewhere."""
        return self._named_at_home.get(namespace, ())

    @cached_property
    def _named_at_home(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for host in self.public.hosts:
            if host.lower().endswith(IN_CLUSTER):
                found[host.lower().removesuffix(IN_CLUSTER).partition(".")[2]].add(host)
            for alias in self.aliases.get(host, ()):
                found[alias.namespace].add(host)
        return found

    def virtual_services(self, namespace: str) -> Sequence[VirtualService]:
        """The VirtualServices for sidecars that a namespace may learn of."""
        public, private = self._virtual_services
        return [*private[namespace], *public] if namespace in private else public

    def has_private_virtual_services(self, namespace: str) -> bool:
        """Whether a VirtualService is exported to a namespace without being public."""
        return namespace in self._virtual_services[1]

    @cached_property
    def _virtual_services(self) -> tuple[Sequence[VirtualService], Mapping[str, Sequence[VirtualService]]]:
        default = self.mesh.config.virtual_service_export_to
        # without hosts it is a delegate of another
        roots = (item for item in self.mesh.virtual_services if MESH_GATEWAY in item.gateways and item.hosts)
        return _by_scope(
            self._order.of(roots), lambda item: scope_of(item, item.export_to, default), lambda item: item.namespace
        )

    @cached_property
    def destination_rules(self) -> Sequence[DestinationRule]:
        """The DestinationRules in order."""
        return self._order.of(self.mesh.destination_rules)

    @cached_property
    def delegates(self) -> Delegates:
        """The VirtualServices that others hand over to."""
        return Delegates(self.mesh)

    @cached_property
    def rests_on_client(self) -> bool:
        """Whether some route is there for some clients only."""
        return any(rests_on_client(item) for item in self.mesh.virtual_services)

    @cached_property
    def entries(self) -> Mapping[tuple[str, str], Sequence[ServiceEntry]]:
        """ServiceEntries by namespace and host."""
        found: dict[tuple[str, str], list[ServiceEntry]] = {}
        for entry in self.mesh.service_entries:
            for host in entry.hosts:
                found.setdefault((entry.namespace, host), []).append(entry)
        return found

    @cached_property
    def endpoint_slices(self) -> Mapping[tuple[str, str], Sequence[EndpointSlice]]:
        """EndpointSlices by the namespace and name of their Service."""
        found: dict[tuple[str, str], list[EndpointSlice]] = {}
        for item in self.mesh.endpoint_slices:
            found.setdefault((item.namespace, item.service), []).append(item)
        return found

    @cached_property
    def aliases(self) -> Mapping[str, Sequence[KubernetesService]]:
        """ExternalName Services by what they point at."""
        found: dict[str, list[KubernetesService]] = {}
        for item in self.mesh.services:
            if item.external_name is not None:
                found.setdefault(item.external_name, []).append(item)
        return found


def _by_scope(
    items: Iterable[Any], scope: Callable[[Any], frozenset[str]], home: Callable[[Any], str]
) -> tuple[list[Any], dict[str, list[Any]]]:
    """What is public, and by namespace what is exported to it only: its own, then that of others."""
    public: list[Any] = []
    own: dict[str, list[Any]] = defaultdict(list)
    named: dict[str, list[Any]] = defaultdict(list)
    for item in items:
        seen_by = scope(item)
        if seen_by == EVERYBODY:
            public.append(item)
            continue
        for namespace in seen_by:
            (own if home(item) == namespace else named)[namespace].append(item)
    return public, {namespace: [*own[namespace], *named[namespace]] for namespace in {*own, *named}}


def visible_entries(mesh: Mesh, namespace: str, version: Version = (1, 31)) -> Sequence[ServiceEntry]:
    """The ServiceEntries that proxies of a namespace may learn of, in Istio's order, each once."""
    registry = Registry(mesh, version, Order(forward=True), captures_dns=False)
    found = {id(service.source): service.source for service in registry.visible_in(namespace)}
    return [source for source in found.values() if isinstance(source, ServiceEntry)]
