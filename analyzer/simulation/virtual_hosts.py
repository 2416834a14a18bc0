"""The virtual hosts of a port's HTTP route: which Host header leads to which service, and by whose routes.

Sources: istio/istio pilot/pkg/networking/core/httproute.go (buildSidecarOutboundVirtualHosts,
generateVirtualHostDomains), core/route/route.go (BuildSidecarVirtualHostWrapper); Envoy's domain search order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from analyzer.mesh.model import Port, VirtualService
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.mesh.services import Service as KubernetesService
from analyzer.simulation.listeners import Leads, Target, longest_suffix, own_target
from analyzer.simulation.routes import Route, hosts_of, http_routes, overlap
from analyzer.simulation.services import IN_CLUSTER, Service
from analyzer.vocabulary import Resolution

if TYPE_CHECKING:
    from analyzer.simulation.scope import Egress, Scope

_HTTP = (PortClass.HTTP, PortClass.AUTO)


Found = tuple[Target, Sequence[Route] | None]
"""What a virtual host leads to, and a VirtualService's routes where they stand in for the default one."""


class VirtualHosts:
    """The domains of one port's route table, built when first asked for."""

    def __init__(self, number: int, scope: "Scope", egress: "Egress | None") -> None:
        self._number, self._scope, self._egress = number, scope, egress
        self._exact: dict[str, Found] = {}
        self._suffixes: dict[str, Found] = {}
        self._odd_suffixes: dict[str, Found] = {}
        self._hosts: set[str] = set()
        self._is_built = False

    def serves(self, service: Service) -> bool:
        """Whether a service has a virtual host on this port."""
        self._build()
        return service.host in self._hosts

    def find(self, host: str) -> Found | None:
        """Envoy's order: the exact domain, then the longest wildcard suffix; a wildcard never matches its apex."""
        self._build()
        return self._exact.get(host) or longest_suffix(host, self._suffixes) or _partial(host, self._odd_suffixes)

    def routes_for(self, service: Service) -> Sequence[Route] | None:
        """The routes that a VirtualService puts in place of a service's own, null where none does."""
        if self._egress is None or not self._egress.virtual_services:
            return None
        for item in self._egress.http_routes_of(service.host):
            if item.http:
                routes = http_routes(item, self._scope.client, self._number, self._scope.registry.delegates)
                if routes:
                    return routes
        return None

    def _build(self) -> None:
        if self._is_built or self._egress is None:
            return
        self._is_built = True
        if not self._build_over_shared(self._egress):
            self._clear()
            self._add(self._http_ports(self._egress.on_port(self._number)))

    def _build_over_shared(self, egress: "Egress") -> bool:
        """Put the scope's own domains before those that everybody has; false where one changes what another does."""
        beneath, number = self._scope.beneath, self._number
        private = egress.private_on_port(number)
        if beneath is None or self._scope.is_special(number) or (private and egress.virtual_services):
            return False
        below = beneath.port(number).virtual_hosts
        below._build()
        self._add(self._http_ports(private))
        if not self._add_names_at_home(below, beneath):
            return False
        self._exact = below._exact | self._exact
        self._suffixes = below._suffixes | self._suffixes
        self._odd_suffixes = below._odd_suffixes | self._odd_suffixes
        self._hosts |= below._hosts
        return True

    def _add_names_at_home(self, below: "VirtualHosts", beneath: "Scope") -> bool:
        """Add the names that public services have in this namespace alone; false where one is taken already."""
        hosts = self._scope.registry.named_at_home(self._scope.client.namespace)
        found = [item for item in beneath.egress[0].on_port(self._number) if item.host in hosts] if hosts else []
        services = self._http_ports(found)
        last = {service.host: service for service, _ in services}
        for service, port in services:
            everywhere = set(below._domains(service, last[service.host]))
            own = [name for name in self._domains(service, last[service.host]) if name not in everywhere]
            if any(below._has(name) for name in own):
                return False
            self._add_domains(own, (own_target(service, port, http=True), self.routes_for(service)))
        return True

    def _clear(self) -> None:
        self._hosts.clear()
        for domains in (self._exact, self._suffixes, self._odd_suffixes):
            domains.clear()

    def _add(self, services: Sequence[tuple[Service, Port]]) -> None:
        self._add_hosts_without_service(services)
        last = {service.host: service for service, _ in services}
        self._hosts.update(last)
        for service, port in services:
            found = own_target(service, port, http=True), self.routes_for(service)
            self._add_domains(self._domains(service, last[service.host]), found)

    def _http_ports(self, services: Iterable[Service]) -> list[tuple[Service, Port]]:
        """The services with an HTTP port; of those that share a host, the last one's port says whether there is one."""
        numbered = [
            (service, next(port for port in service.ports if port.number == self._number)) for service in services
        ]
        last = {self._key(service.host): port_class(port.protocol) in _HTTP for service, port in numbered}
        return [
            (service, port)
            for service, port in numbered
            if last[self._key(service.host)] and port_class(port.protocol) in _HTTP
        ]

    def _key(self, host: str) -> str:
        """What istiod keeps a service of the port under: its host, in lower case since 1.27."""
        return host.lower() if self._scope.version >= (1, 27) else host

    def _add_domains(self, domains: Iterable[str], found: Found) -> None:
        """Add names that are not taken yet."""
        for domain in domains:
            known, name = self._place(domain)
            known.setdefault(name, found)

    def _has(self, domain: str) -> bool:
        known, name = self._place(domain)
        return name in known

    def _place(self, domain: str) -> tuple[dict[str, Found], str]:
        """Where a domain is kept, and as what."""
        lowered = domain.lower()
        if not domain.startswith("*"):
            return self._exact, lowered
        return self._suffixes if lowered.startswith("*.") else self._odd_suffixes, lowered[1:]

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
        if host.endswith(IN_CLUSTER):
            yield from _short_names(host, self._scope.client.namespace)
        yield from self._aliases(service)

    def _aliases(self, service: Service) -> Iterator[str]:
        """Since 1.21 an ExternalName Service is another name of what it points at.

        A Sidecar imports it by a pattern for the namespace of what it points at (sidecar.go, matchingAliasService).
        """
        found = self._scope.registry.aliases.get(service.host, ()) if self._scope.version >= (1, 21) else ()
        for item in found:
            full = f"{item.name}.{item.namespace}{IN_CLUSTER}"
            if self._egress is not None and self._egress.imports.covers(service.source.namespace, full):
                yield full
                yield from _short_names(full, self._scope.client.namespace)

    def _add_hosts_without_service(self, services: Sequence[tuple[Service, Port]]) -> None:
        """A VirtualService's hosts that no service of the port has: virtual hosts on port 80, and beside a service.

        A wildcard host that some service falls under is none of them: it stands for those services alone
        (route.go, separateVSHostsAndServices).
        """
        assert self._egress is not None
        if not self._egress.virtual_services:
            return
        registered = {service.host for service in self._egress.on_port(self._number)}
        routed = {item.reference for service, _ in services for item in self._egress.http_routes_of(service.host)}
        for item in self._egress.virtual_services:
            if not item.http or (self._number != 80 and item.reference not in routed):
                continue
            orphans = [host for host in hosts_of(item) if not _is_among(host, registered)]
            delegates = self._scope.registry.delegates
            routes = http_routes(item, self._scope.client, self._number, delegates) if orphans else []
            for host in orphans if routes else ():
                self._add_domains((host,), (self._stand_in(item, host), routes))

    def _stand_in(self, item: VirtualService, host: str) -> Target:
        service = Service(KubernetesService(namespace=item.namespace, name=item.name), host, None)
        leads = Leads((), item.namespace, self._number)
        return Target(service, Port(self._number, "http", "HTTP"), item.reference, leads, rerouted=True)


def _is_among(host: str, registered: set[str]) -> bool:
    return host in registered or (host.startswith("*") and any(overlap(host, name) for name in registered))


def _short_names(host: str, namespace: str) -> Iterator[str]:
    """`name.namespace.svc`, `name.namespace`, and `name` within the namespace itself."""
    name, _, rest = host.removesuffix(IN_CLUSTER).partition(".")
    if rest and "." not in rest:
        yield f"{name}.{rest}.svc"
        yield f"{name}.{rest}"
        if rest == namespace:
            yield name


def _partial(host: str, suffixes: Mapping[str, Found]) -> Found | None:
    """The longest wildcard that does not begin at a dot, such as `*-eu.example.com`."""
    matching = [suffix for suffix in suffixes if host.endswith(suffix) and host != suffix]
    return suffixes[max(matching, key=len)] if matching else None
