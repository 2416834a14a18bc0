"""What istiod makes of ServiceEntries and Kubernetes Services before it writes any configuration.

Written from Istio's source and kept apart from `analyzer.simulation` on purpose: the two are compared. Sources:
istio/istio pilot/pkg/serviceregistry/serviceentry/conversion.go (one service per host and address),
pilot/pkg/model/push_context.go (visibility, order), pilot/pkg/model/sidecar.go (one namespace per host name, merging).
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analyzer.mesh.model import Endpoint, Port, ServiceEntry
from analyzer.vocabulary import Resolution


@dataclass(frozen=True)
class MeshService:
    """A Kubernetes Service with a ClusterIP and the pods behind it, `ip:port` each."""

    host: str
    address: str
    ports: tuple[Port, ...]
    pods: tuple[str, ...]

    def short_names(self, client_namespace: str) -> tuple[str, ...]:
        """What pods may call it; istio/istio pilot/pkg/networking/core/httproute.go (GenerateAltVirtualHosts)."""
        name, namespace, *_ = self.host.split(".")
        alone = (name,) if namespace == client_namespace else ()
        return (*alone, f"{name}.{namespace}", f"{name}.{namespace}.svc")


@dataclass(frozen=True)
class Service:
    """One host at one address; no address stands for 0.0.0.0, that is any."""

    host: str
    address: str | None
    ports: tuple[Port, ...]
    resolution: Resolution
    entry: ServiceEntry | None = None
    mesh: MeshService | None = None
    aliases: tuple[str, ...] = ()

    @property
    def prefix(self) -> str | None:
        """The address in CIDR form with its host bits gone, or null where it is a single address or none."""
        network = None if self.address is None else ipaddress.ip_network(self.address, strict=False)
        return None if network is None or network.num_addresses == 1 else str(network)

    @property
    def bound_address(self) -> str | None:
        """The single address that listeners are bound to, or null where it is a prefix or none."""
        if self.address is None or self.prefix is not None:
            return None
        return str(ipaddress.ip_network(self.address).network_address)


def visible_services(
    namespace: str, entries: Iterable[ServiceEntry], mesh: Sequence[MeshService]
) -> tuple[Service, ...]:
    """The services that proxies of a namespace learn of, in the order in which istiod writes listeners."""
    private, public = [], []
    for entry in entries:
        scopes = entry.export_to or ("*",)
        if "*" in scopes:
            public.append(entry)
        elif namespace in scopes or ("." in scopes and entry.namespace == namespace):
            private.append(entry)
    services = [_of_mesh(service, namespace) for service in mesh]
    services += [s for group in (private, public) for entry in sorted(group, key=_age) for s in _of_entry(entry)]
    return _one_namespace_per_host(services, namespace)


def clustered_ports(services: Iterable[Service]) -> dict[tuple[str, int], Service]:
    """Which service stands behind each (host, port): of entries that share a host, only like ones are merged."""
    first: dict[str, Service] = {}
    owners: dict[tuple[str, int], Service] = {}
    for service in services:
        leader = first.setdefault(service.host, service)
        if _alike(leader, service):
            for port in service.ports:
                owners.setdefault((service.host, port.number), service)
    return owners


def endpoints_of(service: Service, port: Port, dns: dict[str, tuple[str, ...]]) -> list[tuple[str, int]]:
    """Where the proxy connects to; names are looked up in the test's own DNS."""
    if service.mesh is not None:
        return [(ip, int(number)) for ip, _, number in (pod.rpartition(":") for pod in service.mesh.pods)]
    declared = service.entry.endpoints if service.entry else ()
    places = declared or (() if service.resolution is Resolution.STATIC else (Endpoint(service.host),))
    target = port.target_port or port.number
    return [
        (address, place.ports.get(port.name, target)) for place in places for address in _addresses(place.address, dns)
    ]


def _addresses(name: str, dns: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return dns.get(name.lower().rstrip("."), ())
    return (name,)


def _of_mesh(service: MeshService, namespace: str) -> Service:
    names = service.short_names(namespace)
    return Service(service.host, service.address, service.ports, Resolution.STATIC, mesh=service, aliases=names)


def _of_entry(entry: ServiceEntry) -> list[Service]:
    return [
        Service(host, address, entry.ports, entry.resolution, entry=entry)
        for host in entry.hosts
        for address in (entry.addresses or (None,))
    ]


def _age(entry: ServiceEntry) -> tuple[bool, str, tuple[str, ...], str, str]:
    return (entry.proposed, entry.creation_timestamp or "", entry.hosts[:1], entry.namespace, entry.name)


def _one_namespace_per_host(services: Sequence[Service], own: str) -> tuple[Service, ...]:
    """The client's own namespace, else Kubernetes, else the first (Istio 1.24 onwards)."""
    home: dict[str, str | None] = {}
    for service in services:
        namespace = service.entry.namespace if service.entry else None
        chosen = home.setdefault(service.host, namespace)
        if namespace == own != chosen:
            home[service.host] = own
    return tuple(s for s in services if home[s.host] == (s.entry.namespace if s.entry else None))


def _alike(one: Service, other: Service) -> bool:
    if one.entry is None or other.entry is None:
        return one is other
    same = one.entry, other.entry
    return same[0] is same[1] or (
        same[0].namespace == same[1].namespace
        and same[0].resolution is same[1].resolution
        and dict(same[0].labels) == dict(same[1].labels)
        and same[0].workload_selector == same[1].workload_selector
        and sorted(same[0].export_to) == sorted(same[1].export_to)
    )
