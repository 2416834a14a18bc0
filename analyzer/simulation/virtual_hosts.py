"""The virtual hosts of a port's HTTP route: which Host header leads to which service, and by whose routes.

Sources: istio/istio pilot/pkg/networking/core/httproute.go (buildSidecarOutboundVirtualHosts,
generateVirtualHostDomains), core/route/route.go (BuildSidecarVirtualHostWrapper); Envoy's domain search order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.mesh.model import Port, VirtualService
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.mesh.services import Service as KubernetesService
from analyzer.simulation.clusters import Cluster
from analyzer.simulation.listeners import Target, longest_suffix
from analyzer.simulation.routes import Route, hosts_of, http_routes, overlap
from analyzer.simulation.services import CLUSTER_DOMAIN, Service
from analyzer.simulation.sidecars import imports_of
from analyzer.vocabulary import Resolution

if TYPE_CHECKING:
    from analyzer.simulation.scope import Egress, Scope

_IN_CLUSTER = f".svc.{CLUSTER_DOMAIN}"
_HTTP = (PortClass.HTTP, PortClass.AUTO)


Found = tuple[Target, Sequence[Route] | None]
"""What a virtual host leads to, and a VirtualService's routes where they stand in for the default one."""


class VirtualHosts:
    """The domains of one port's route table, built when first asked for."""

    def __init__(self, number: int, scope: "Scope", egress: "Egress | None") -> None:
        self._number, self._scope, self._egress = number, scope, egress
        self._exact: dict[str, Found] = {}
        self._suffixes: dict[str, Target] = {}
        self._odd_suffixes: dict[str, Target] = {}
        self._suffix_routes: dict[str, Sequence[Route] | None] = {}
        self._is_built = False

    def find(self, host: str) -> Found | None:
        """Envoy's order: the exact domain, then the longest wildcard suffix; a wildcard never matches its apex."""
        if not self._is_built:
            self._build()
        found = self._exact.get(host)
        if found is not None:
            return found
        target = longest_suffix(host, self._suffixes)
        if target is None:
            target = _partial(host, self._odd_suffixes)
        if target is None:
            return None
        return target, self._suffix_routes.get(target.service.host)

    def target_of(self, service: Service, port: Port, *, http: bool = False) -> Target:
        """What a service's own route or chain leads to."""
        return Target(service, port, lambda: (self._cluster(service, port, http=http),), service.source.reference)

    def _cluster(self, service: Service, port: Port, *, http: bool) -> Cluster:
        cluster = self._scope.clusters.of(service.host, port.number)
        upper = service.host != service.host.lower()
        if http and upper and self._scope.version >= (1, 27) and cluster.missing is None:
            why = f"the host {service.host} has upper case: since 1.27 its route names a cluster that does not exist"
            cluster = replace(cluster, missing=why)
        return cluster

    def routes_for(self, service: Service) -> Sequence[Route] | None:
        """The routes that a VirtualService puts in place of a service's own, null where none does."""
        if self._egress is None or not self._egress.virtual_services:
            return None
        for item in self._egress.http_routes_of(service.host):
            if item.http:
                routes = http_routes(item, self._scope.client, self._number, self._scope.delegates)
                if routes:
                    return routes
        return None

    def _build(self) -> None:
        self._is_built = True
        if self._egress is None:
            return
        services = self._http_services()
        self._add_hosts_without_service(services)
        last = {service.host: service for service, _ in services}
        for service, port in services:
            target = self.target_of(service, port, http=True)
            routes = self.routes_for(service)
            for domain in self._domains(service, last[service.host]):
                if domain.startswith("*"):
                    self._add_wildcard(domain, target, routes)
                else:
                    self._exact.setdefault(domain, (target, routes))

    def _http_services(self) -> list[tuple[Service, Port]]:
        assert self._egress is not None
        return [
            (service, port)
            for service in self._egress.by_port.get(self._number, ())
            for port in service.ports
            if port.number == self._number and port_class(port.protocol) in _HTTP
        ]

    def _domains(self, service: Service, last: Service) -> Iterator[str]:
        """The names that a service answers to, and its last address; a headless Service to all names below them too."""
        for name in self._names(service):
            yield name
            if service.is_kubernetes and service.resolution is Resolution.NONE:
                yield f"*.{name}"
        if last.plain_address is not None:
            yield last.plain_address

    def _names(self, service: Service) -> Iterator[str]:
        """A service's host with and without a dot, short ones, and what else points at it."""
        host = service.host.lower()
        yield host
        if self._scope.version >= (1, 27) and not host.endswith("."):
            yield f"{host}."
        if host.endswith(_IN_CLUSTER):
            yield from _short_names(host, self._scope.client.namespace)
        yield from self._aliases(service)

    def _aliases(self, service: Service) -> Iterator[str]:
        """Since 1.21 an ExternalName Service is another name of what it points at.

        A Sidecar imports it by a pattern for the namespace of what it points at (sidecar.go, matchingAliasService).
        """
        found = self._scope.aliases.get(service.host, ()) if self._scope.version >= (1, 21) else ()
        if not found or self._egress is None:
            return
        own = self._scope.client.namespace
        imports = imports_of(self._egress.listener, own, self._scope.version)
        for item in found:
            full = f"{item.name}.{item.namespace}{_IN_CLUSTER}"
            if imports.covers(service.source.namespace, full):
                yield full
                yield from _short_names(full, own)

    def _add_hosts_without_service(self, services: Sequence[tuple[Service, Port]]) -> None:
        """A VirtualService's hosts that no service of the port has: virtual hosts on port 80, and beside a service.

        A wildcard host that some service falls under is none of them: it stands for those services alone
        (route.go, separateVSHostsAndServices).
        """
        assert self._egress is not None
        if not self._egress.virtual_services:
            return
        registered = {service.host for service in self._egress.by_port.get(self._number, ())}
        routed = {item.reference for service, _ in services for item in self._egress.http_routes_of(service.host)}
        for item in self._egress.virtual_services:
            if not item.http or (self._number != 80 and item.reference not in routed):
                continue
            orphans = [host for host in hosts_of(item) if not _is_among(host, registered)]
            routes = http_routes(item, self._scope.client, self._number, self._scope.delegates) if orphans else []
            for host in orphans if routes else ():
                self._add_orphan(item, host, routes)

    def _add_wildcard(self, domain: str, target: Target, routes: Sequence[Route] | None) -> None:
        suffix = domain[1:].lower()
        known = self._suffixes if suffix.startswith(".") else self._odd_suffixes
        if suffix not in known:
            known[suffix] = target
            self._suffix_routes[target.service.host] = routes

    def _add_orphan(self, item: VirtualService, host: str, routes: Sequence[Route]) -> None:
        stand_in = Service(KubernetesService(namespace=item.namespace, name=item.name), host, None)
        target = Target(stand_in, Port(self._number, "http", "HTTP"), (), item.reference, rerouted=True)
        if host.startswith("*"):
            self._add_wildcard(host, target, routes)
        else:
            self._exact.setdefault(host.lower(), (target, routes))


def _is_among(host: str, registered: set[str]) -> bool:
    return host in registered or (host.startswith("*") and any(overlap(host, name) for name in registered))


def _short_names(host: str, namespace: str) -> Iterator[str]:
    """`name.namespace.svc`, `name.namespace`, and `name` within the namespace itself."""
    name, _, rest = host.removesuffix(_IN_CLUSTER).partition(".")
    if rest and "." not in rest:
        yield f"{name}.{rest}.svc"
        yield f"{name}.{rest}"
        if rest == namespace:
            yield name


def _partial(host: str, suffixes: dict[str, Target]) -> Target | None:
    """The longest wildcard that does not begin at a dot, such as `*-eu.example.com`."""
    matching = [suffix for suffix in suffixes if host.endswith(suffix) and host != suffix]
    return suffixes[max(matching, key=len)] if matching else None
