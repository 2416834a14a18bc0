"""What the proxies of one workload are told of: services, routes, clusters, policy.

Sources: istio/istio pilot/pkg/model/sidecar.go (convertToSidecarScope), pilot/pkg/networking/core/listener.go
(buildSidecarOutboundListeners).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from analyzer.mesh.model import Mesh, VirtualService
from analyzer.mesh.scoping import EgressListener, OutboundPolicy, Sidecar
from analyzer.mesh.services import Service as KubernetesService
from analyzer.simulation.clusters import Clusters, one_per_host
from analyzer.simulation.destinations import Destinations
from analyzer.simulation.ports import PortView, build_port
from analyzer.simulation.registry import Order, Registry, is_age_open
from analyzer.simulation.routes import (
    Client,
    Delegates,
    destination_hosts,
    hosts_of,
    overlap,
    visible_virtual_services,
)
from analyzer.simulation.services import Service
from analyzer.simulation.sidecars import EVERYTHING, imported, is_subset, one_namespace_per_host
from analyzer.simulation.versions import Version


@dataclass(frozen=True, eq=False)
class Egress:
    """One egress listener with what it imports."""

    listener: EgressListener
    services: Sequence[Service]
    virtual_services: Sequence[VirtualService]

    @cached_property
    def by_port(self) -> Mapping[int, Sequence[Service]]:
        """The services that have a port, in order."""
        found: dict[int, list[Service]] = {}
        for service in self.services:
            for number in dict.fromkeys(port.number for port in service.ports):
                found.setdefault(number, []).append(service)
        return found

    def routes_of(self, host: str) -> list[VirtualService]:
        """The VirtualServices whose TLS and TCP routes hold for a host: all that have a name in common, in order."""
        if host.startswith("*"):
            return [item for item in self.virtual_services if any(overlap(name, host) for name in hosts_of(item))]
        found = {id(item): item for item in self._routes.get(host, ())}
        found.update((id(item), item) for name in self._wildcards if overlap(name, host) for item in self._routes[name])
        return sorted(found.values(), key=lambda item: self._places[id(item)])

    def http_routes_of(self, host: str) -> Sequence[VirtualService]:
        """Those whose HTTP routes do: all that name the host; without one, the first of the longest wildcard."""
        if host in self._routes and not host.startswith("*"):
            return self._routes[host]
        longest = max((name for name in self._wildcards if is_subset(host, name)), key=len, default=None)
        return () if longest is None else self._routes[longest][:1]

    @cached_property
    def _routes(self) -> Mapping[str, list[VirtualService]]:
        found: dict[str, list[VirtualService]] = {}
        for item in self.virtual_services:
            for name in dict.fromkeys(hosts_of(item)):
                found.setdefault(name, []).append(item)
        return found

    @cached_property
    def _wildcards(self) -> Sequence[str]:
        return [name for name in self._routes if name.startswith("*")]

    @cached_property
    def _places(self) -> Mapping[int, int]:
        return {id(item): place for place, item in enumerate(self.virtual_services)}


class Scope:
    """One namespace's view under one Sidecar, in one order of creation; ports are built when first asked for."""

    def __init__(
        self, mesh: Mesh, registry: Registry, client: Client, sidecar: Sidecar | None, order: Order, version: Version
    ) -> None:
        self.mesh, self.client, self.sidecar, self.version = mesh, client, sidecar, version
        self._registry = registry
        listeners = (sidecar.egress if sidecar is not None else None) or (EVERYTHING,)
        visible = self._visible = registry.visible_in(client.namespace)
        chosen: list[Egress] = []
        for listener in listeners:
            services = imported(visible, listener, client.namespace, version)
            own = one_namespace_per_host(services, client.namespace, version, has_sidecar=sidecar is not None)
            if sidecar is None and (1, 22) <= version < (1, 24):
                own = one_per_host(own)
            routes = visible_virtual_services(mesh, client.namespace, order, listener, version)
            chosen.append(Egress(listener, own, routes))
        self.egress: Sequence[Egress] = _one_home_for_all(chosen)
        self.delegates = Delegates(mesh)
        every = [*dict.fromkeys(service for egress in self.egress for service in egress.services)]
        every += self._led_to(visible, every)
        self.clusters = Clusters(every, mesh, version, has_sidecar=sidecar is not None)
        self.destinations = Destinations(mesh, client, order, self.clusters)
        self.aliases = _aliases(mesh)
        self._ports: dict[int, PortView] = {}

    def port(self, number: int) -> PortView:
        """Everything that these proxies have on one port."""
        if number not in self._ports:
            self._ports[number] = build_port(number, self)
        return self._ports[number]

    def is_order_open(self, one: Service, other: Service) -> bool:
        """Whether nobody knows which of two services istiod looks at first."""
        groups = {self._registry.group_of(item, self.client.namespace) for item in (one, other)}
        return len(groups) == 1 and is_age_open(one.source, other.source)

    def forget(self) -> None:
        """Give up the ports; they and the scope know each other, so that neither would go by itself."""
        self._ports.clear()

    def rests_on_order(self, number: int) -> bool:
        """Whether undated services are in each other's way on a port, or share a host name."""
        view = self.port(number)
        return self.shares_hosts or view.rests_on_order

    @cached_property
    def shares_hosts(self) -> bool:
        """Whether two objects that are seen here have a host name in common."""
        owner: dict[str, int] = {}
        return any(owner.setdefault(item.host, id(item.source)) != id(item.source) for item in self._visible)

    def policy(self, default: OutboundPolicy, *, override: bool) -> tuple[OutboundPolicy, str | None]:
        """The outbound policy, and the Sidecar that sets it if one does."""
        if self.sidecar is not None and self.sidecar.outbound_policy is not None and not override:
            return self.sidecar.outbound_policy, self.sidecar.reference
        return default, None

    def _led_to(self, visible: Iterable[Service], known: Sequence[Service]) -> list[Service]:
        """Services that only routes name: they are imported as clusters, and get neither listener nor virtual host.

        Of several namespaces it is the client's own, else the first by name (pickFirstVisibleNamespace).
        """
        routes = [item for egress in self.egress for item in egress.virtual_services]
        wanted = {host for item in routes for host in destination_hosts(item, self.delegates)}
        wanted -= {service.host for service in known}
        if not wanted:
            return []
        found = [service for service in visible if service.host in wanted]
        homes: dict[str, set[str]] = {}
        for service in found:
            homes.setdefault(service.host, set()).add(service.source.namespace)
        own = self.client.namespace
        home = {host: own if own in places else min(places) for host, places in homes.items()}
        return [service for service in found if home[service.host] == service.source.namespace]


def _aliases(mesh: Mesh) -> Mapping[str, Sequence[KubernetesService]]:
    """ExternalName Services by what they point at."""
    found: dict[str, list[KubernetesService]] = {}
    for item in mesh.services:
        if item.external_name is not None:
            found.setdefault(item.external_name, []).append(item)
    return found


def _one_home_for_all(chosen: list[Egress]) -> list[Egress]:
    """Of a host that several egress listeners import from different namespaces, the first listener's stays."""
    if len(chosen) == 1:
        return chosen
    home: dict[str, str] = {}
    kept: list[Egress] = []
    for egress in chosen:
        services = [item for item in egress.services if home.setdefault(item.host, item.source.namespace)]
        kept.append(
            Egress(
                egress.listener,
                [item for item in services if home[item.host] == item.source.namespace],
                egress.virtual_services,
            )
        )
    return kept
