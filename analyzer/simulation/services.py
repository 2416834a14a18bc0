"""Which entries a namespace sees, in Istio's order, and which of their ports have a cluster behind them.

Sources: istio/istio pilot/pkg/serviceregistry/serviceentry/conversion.go (one service per host and address),
pilot/pkg/model/push_context.go (visibility, order), pilot/pkg/model/sidecar.go (one namespace per host name).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from analyzer.mesh.model import Mesh, Port, ServiceEntry
from analyzer.mesh.names import network_of
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.simulation.versions import Version
from analyzer.vocabulary import Resolution

_DYNAMIC_DNS_PROTOCOLS = {"HTTP", "TLS", "GRPC", "HTTP2"}


@dataclass(frozen=True)
class Service:
    """One host of one entry at one address; an entry without addresses stands at no address (0.0.0.0).

    `sure` is false where the order against another entry rests on creation times that nobody gave.
    """

    entry: ServiceEntry
    host: str
    address: str | None

    @cached_property
    def is_prefix(self) -> bool:
        """Whether the address is a CIDR wider than one address (`/32` and `/128` are plain addresses to Istio)."""
        network = network_of(self.address) if self.address else None
        return network is not None and network.num_addresses > 1

    @cached_property
    def plain_address(self) -> str | None:
        """The single address, without a prefix length."""
        network = network_of(self.address) if self.address else None
        return str(network.network_address) if network is not None and network.num_addresses == 1 else None


def visible_entries(mesh: Mesh, namespace: str) -> list[ServiceEntry]:
    """The entries that proxies of a namespace learn of, in Istio's order.

    What is exported to the namespace by `.` or by name comes before all public entries; inside each group the
    oldest first, then by host. Proposals are younger than everything that exists.
    """
    private: list[ServiceEntry] = []
    public: list[ServiceEntry] = []
    for entry in mesh.service_entries:
        scopes = entry.export_to or ("*",)
        if "~" in scopes:
            continue
        if "*" in scopes:
            public.append(entry)
        elif namespace in scopes or ("." in scopes and entry.namespace == namespace):
            private.append(entry)
    return [*sorted(private, key=_age), *sorted(public, key=_age)]


def _age(entry: ServiceEntry) -> tuple[bool, str, tuple[str, ...], str, str]:
    return (entry.proposed, entry.creation_timestamp or "", entry.hosts[:1], entry.namespace, entry.name)


def services_of(entries: Iterable[ServiceEntry], namespace: str, version: Version) -> list[Service]:
    """Entries as services; of a host name in several namespaces only one namespace's entries survive.

    Since 1.24 the client's own namespace wins, else the first in order; 1.22 and 1.23 take the first; before,
    every entry counts.
    """
    every = [
        Service(entry, host, address)
        for entry in entries
        for host in entry.hosts
        for address in (entry.addresses or (None,))
        if address is None or network_of(address) is not None
    ]
    if version < (1, 22):
        return every
    home: dict[str, str] = {}
    for service in every:
        chosen = home.setdefault(service.host, service.entry.namespace)
        if version >= (1, 24) and service.entry.namespace == namespace != chosen:
            home[service.host] = namespace
    return [service for service in every if home[service.host] == service.entry.namespace]


class Clusters:
    """Which (host, port) has a cluster, by Istio's merging of entries that share a host name."""

    def __init__(self, services: Iterable[Service], version: Version) -> None:
        self._version = version
        self._first: dict[str, ServiceEntry] = {}
        self._owners: dict[tuple[str, int], ServiceEntry] = {}
        ports: dict[str, list[tuple[ServiceEntry, Port]]] = defaultdict(list)
        for service in services:
            self._first.setdefault(service.host, service.entry)
            ports[service.host] += [(service.entry, port) for port in service.entry.ports]
        for host, declared in ports.items():
            first = self._first[host]
            for entry, port in declared:
                if version < (1, 22) or entry is first or _merges(entry, first):
                    self._owners.setdefault((host, port.number), entry)

    def why_missing(self, service: Service, port: Port) -> str | None:
        """Why traffic for this port would find no working cluster, or null where it would."""
        entry, host = service.entry, service.host
        if (host, port.number) not in self._owners:
            first = self._first[host].reference
            return (
                f"entries {first} and {entry.reference} share the host {host} but differ in resolution, labels or "
                f"exportTo, so port {port.number} of the second has no cluster"
            )
        if host != host.lower() and self._version >= (1, 27) and port_class(port.protocol) is PortClass.HTTP:
            return f"the host {host} has upper case: since 1.27 its route names a cluster that does not exist"
        if entry.resolution is Resolution.STATIC and not entry.endpoints and entry.workload_selector is None:
            return "resolution STATIC without endpoints: there is nowhere to connect to"
        if entry.resolution is Resolution.DYNAMIC_DNS and (
            self._version < (1, 30) or port.protocol not in _DYNAMIC_DNS_PROTOCOLS
        ):
            return "sidecars have no DYNAMIC_DNS clusters before 1.30, and none for this protocol"
        return None


def _merges(entry: ServiceEntry, first: ServiceEntry) -> bool:
    return (
        entry.namespace == first.namespace
        and entry.resolution is first.resolution
        and dict(entry.labels) == dict(first.labels)
        and entry.workload_selector == first.workload_selector
        and sorted(entry.export_to) == sorted(first.export_to)
    )
