"""What the proxies of one workload are told of: services, routes, clusters, policy.

Sources: istio/istio pilot/pkg/model/sidecar.go (convertToSidecarScope), pilot/pkg/networking/core/listener.go
(buildSidecarOutboundListeners).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from analyzer.mesh.model import VirtualService
from analyzer.mesh.scoping import EgressListener, OutboundPolicy, Sidecar
from analyzer.simulation.clusters import Cluster, Clusters, merged_into_one
from analyzer.simulation.destinations import Destinations
from analyzer.simulation.listeners import ChainGroup, Target
from analyzer.simulation.ports import PortView, build_port
from analyzer.simulation.registry import Registry, Services, is_age_open
from analyzer.simulation.routes import Client, hosts_of, imported_routes, overlap
from analyzer.simulation.services import Service
from analyzer.simulation.sidecars import EVERYTHING, imported, imports_of, in_one_namespace, is_subset


class Egress:
    """One egress listener with what it imports; what that is, is looked up by host or port when asked for."""

    def __init__(self, listener: EgressListener, scope: "Scope") -> None:
        registry, namespace = scope.registry, scope.client.namespace
        self.listener = listener
        self._registry, self._namespace, self._has_sidecar = registry, namespace, scope.sidecar is not None
        self.imports = imports_of(listener, namespace, registry.version)
        visible = registry.virtual_services(namespace)
        self.virtual_services = imported_routes(visible, listener, namespace, registry.version)
        self._by_host: dict[str, Mapping[Service, Service]] = {}
        self._by_port: dict[int, Sequence[Service]] = {}

    def on_port(self, number: int) -> Sequence[Service]:
        """The services that have a port, in order."""
        if number not in self._by_port:
            self._by_port[number] = [*self.private_on_port(number), *self._taken(self._registry.public, number)]
        return self._by_port[number]

    def private_on_port(self, number: int) -> Sequence[Service]:
        """Those of them that are not public."""
        return self._taken(self._registry.private(self._namespace), number)

    def _taken(self, services: Services, number: int) -> Sequence[Service]:
        places = self.imports.places
        found: list[Service] = []
        for service in services.on_port(number):
            if places is None or service.source.namespace in places:
                kept = self.named(service.host).get(service)
                if kept is service or (kept is not None and any(port.number == number for port in kept.ports)):
                    found.append(kept)
        return found

    def named(self, host: str) -> Mapping[Service, Service]:
        """The services of a host name that are imported, in order, and what each is after merging."""
        if host not in self._by_host:
            self._by_host[host] = self._named(host)
        return self._by_host[host]

    def _named(self, host: str) -> Mapping[Service, Service]:
        registry, version = self._registry, self._registry.version
        found = imported(registry.named(host, self._namespace), self.listener, self.imports, version)
        found = in_one_namespace(found, self._namespace, version, has_sidecar=self._has_sidecar)
        if not self._has_sidecar and (1, 22) <= version < (1, 24) and found:
            return merged_into_one(found)
        return dict(zip(found, found, strict=True))

    def routes_of(self, host: str) -> list[VirtualService]:
        """The VirtualServices whose TLS and TCP routes hold for a host: all that have a name in common, in order."""
        if not self.virtual_services:
            return []
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
    """One namespace's view under one Sidecar, in one order of creation; ports are built when first asked for.

    `beneath` is the scope of a namespace that has nothing of its own. One that sees all of that, and besides only what
    is exported to it, takes ports and clusters from there; for others it is null.
    """

    def __init__(
        self, registry: Registry, client: Client, sidecar: Sidecar | None = None, beneath: "Scope | None" = None
    ) -> None:
        self.registry, self.client, self.sidecar = registry, client, sidecar
        self.mesh, self.version = registry.mesh, registry.version
        self.beneath = beneath if self._sees_all_of_it else None
        listeners = (sidecar.egress if sidecar is not None else None) or (EVERYTHING,)
        self.egress = [Egress(listener, self) for listener in listeners]
        self.clusters = Clusters(self.egress, registry, client, has_sidecar=sidecar is not None)
        self.destinations = Destinations(registry, client, self.clusters)
        self._ports: dict[int, PortView] = {}
        self._working: dict[int, bool] = {}

    def port(self, number: int) -> PortView:
        """Everything that these proxies have on one port."""
        if number not in self._ports:
            self._ports[number] = build_port(number, self)
        return self._ports[number]

    def is_order_open(self, one: Service, other: Service) -> bool:
        """Whether nobody knows which of two services istiod looks at first."""
        groups = {self.registry.group_of(item, self.client.namespace) for item in (one, other)}
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
        private, public = self.registry.private(self.client.namespace), self.registry.public
        return private.shares_hosts or public.shares_hosts or any(public.named(host) for host in private.hosts)

    def policy(self, default: OutboundPolicy, *, override: bool) -> tuple[OutboundPolicy, str | None]:
        """The outbound policy, and the Sidecar that sets it if one does."""
        if self.sidecar is not None and self.sidecar.outbound_policy is not None and not override:
            return self.sidecar.outbound_policy, self.sidecar.reference
        return default, None

    def behind(self, target: Target) -> Sequence[Cluster]:
        """The clusters that the traffic of a target goes to."""
        if target.leads is not None:
            return self.destinations.of(target.leads)
        host, number = target.service.host, target.port.number
        named = host.lower() if target.http and self.version >= (1, 27) else host
        of = self if self.beneath is None or self._is_special(named) else self.beneath
        cluster = of.clusters.of(named, number)
        if named != host and cluster.missing is not None:
            why = f"the host {host} has upper case: since 1.27 its route names a cluster that does not exist"
            cluster = replace(cluster, missing=why)
        return (cluster,)

    def all_work(self, group: ChainGroup) -> bool:
        """Whether every server name of some chains of this scope leads to a cluster that works."""
        known = self._working.get(id(group))
        if known is None:
            clusters = (cluster for target in group.by_name for cluster in self.behind(target))
            known = self._working[id(group)] = all(item.missing is None and item.doubt is None for item in clusters)
        return known

    def is_special(self, number: int) -> bool:
        """Whether some public service of a port is not here what it is to everybody."""
        return number in self._special_ports

    @property
    def _sees_all_of_it(self) -> bool:
        """Whether no egress list narrows what is public, and all that is public is routed as for everybody."""
        if self.sidecar is not None and (self.sidecar.egress is not None or self.version < (1, 24)):
            return False
        private = self.registry.has_private_virtual_services(self.client.namespace)
        return not private and not self.registry.rests_on_client

    def _is_special(self, host: str) -> bool:
        return host in self._contested or bool(self.registry.private(self.client.namespace).named(host))

    @cached_property
    def _contested(self) -> Collection[str]:
        return self.registry.contested_in(self.client.namespace)

    @cached_property
    def _special_ports(self) -> frozenset[int]:
        named = (self.registry.named(host, self.client.namespace) for host in self._contested)
        return frozenset(port.number for services in named for service in services for port in service.ports)
