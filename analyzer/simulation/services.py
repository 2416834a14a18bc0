"""ServiceEntries and Services as istiod expands them: one service for each host and address.

Sources: istio/istio pilot/pkg/serviceregistry/serviceentry/conversion.go (convertServices),
pilot/pkg/serviceregistry/kube/conversion.go, pilot/pkg/networking/serviceentry/ip_autoallocation.go.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from analyzer.mesh.model import Mesh, Port, ServiceEntry
from analyzer.mesh.names import network_of
from analyzer.mesh.services import Service as KubernetesService
from analyzer.simulation.versions import Version
from analyzer.vocabulary import Resolution

CLUSTER_DOMAIN = "cluster.local"
IN_CLUSTER = f".svc.{CLUSTER_DOMAIN}"
"""How the full host of a Service ends."""
_UNSPECIFIED = "0.0.0.0"
_AUTO_LABEL = "networking.istio.io/enable-autoallocate-ip"


@dataclass(frozen=True, eq=False)
class Service:
    """One host of one object at one address; without an address it stands at 0.0.0.0.

    `allocated` marks an address that Istio made up: it holds only where the proxy answers DNS itself.
    """

    source: ServiceEntry | KubernetesService
    host: str
    address: str | None
    allocated: bool = False
    ports: tuple[Port, ...] = field(default=(), repr=False)

    @property
    def is_kubernetes(self) -> bool:
        """Whether Kubernetes registers it, rather than a ServiceEntry."""
        return isinstance(self.source, KubernetesService)

    @property
    def stands_by_itself(self) -> bool:
        """Whether its addresses are nobody else's; an ExternalName Service of old stands at every address."""
        source = self.source
        return self.allocated or (isinstance(source, KubernetesService) and source.external_name is None)

    @property
    def entry(self) -> ServiceEntry | None:
        """The ServiceEntry behind it, null for a Kubernetes Service."""
        return self.source if isinstance(self.source, ServiceEntry) else None

    @property
    def resolution(self) -> Resolution:
        """How its endpoints are found; a headless Service goes where the client points, as NONE does."""
        if isinstance(self.source, ServiceEntry):
            return self.source.resolution
        return Resolution.NONE if self.source.is_headless else Resolution.STATIC

    @property
    def stands_at_its_pods(self) -> bool:
        """Whether its raw bytes are taken at each pod's address: a headless Service, and an entry like one.

        Such an entry selects workloads and resolves nothing.
        """
        if isinstance(self.source, KubernetesService):
            return self.source.is_headless
        return self.resolution is Resolution.NONE and self.source.workload_selector is not None and not self.address

    @cached_property
    def is_prefix(self) -> bool:
        """Whether the address is a CIDR wider than one address (`/32` and `/128` are plain addresses to Istio)."""
        return self.address is not None and self.plain_address is None

    @cached_property
    def plain_address(self) -> str | None:
        """The single address, without a prefix length."""
        return None if self.address is None else plain_address(self.address)


@lru_cache(maxsize=1 << 16)
def plain_address(address: str) -> str | None:
    """A single address in its canonical form, null for a wider CIDR; an address yet to be allocated is itself."""
    if address.startswith(UNALLOCATED):
        return address
    network = network_of(address)
    return str(network.network_address) if network is not None and network.num_addresses == 1 else None


BY_ITSELF: Version = (1, 25)
"""Since when istiod allocates addresses without being asked."""
UNALLOCATED = "allocated to "
"""What an address is called that istiod has yet to allocate: nobody can have dialled it so far."""


def services_of(mesh: Mesh, version: Version, *, captures_dns: bool) -> Iterator[Service]:
    """Every service of a mesh, in no order that matters. Addresses that Istio cannot parse are left out.

    `captures_dns` says whether the proxy answers DNS itself, so that allocated addresses are in use.
    """
    for entry in mesh.service_entries:
        yield from _of_entry(entry, version, captures_dns)
    for service in mesh.services:
        yield from _of_kubernetes(service, version)


def _of_entry(entry: ServiceEntry, version: Version, captures_dns: bool) -> Iterator[Service]:
    addresses = tuple(address for address in entry.addresses if network_of(address) is not None)
    for host in entry.hosts:
        if entry.addresses:
            for address in addresses:
                yield Service(entry, host, None if address == _UNSPECIFIED else address, ports=entry.ports)
        elif captures_dns and is_allocated(entry, host, version):
            whose = entry.reference if version >= BY_ITSELF else entry.namespace  # once hashed from host and namespace
            for address in entry.auto_addresses.get(host) or (f"{UNALLOCATED}{host} of {whose}",):
                yield Service(entry, host, address, True, entry.ports)
        else:
            yield Service(entry, host, None, ports=entry.ports)


def is_allocated(entry: ServiceEntry, host: str, version: Version) -> bool:
    """Whether Istio allocates an address for a host of an entry.

    Since 1.25 istiod does by itself (`PILOT_ENABLE_IP_AUTOALLOCATE`) and writes it into `status`; before it does for
    proxies that ask (`ISTIO_META_DNS_AUTO_ALLOCATE`), for any entry but wildcards, with no label to decline and one
    address for entries of a namespace that share a host (pilot/pkg/serviceregistry/serviceentry/auto_allocation.go).
    """
    if entry.auto_addresses.get(host):
        return True
    if entry.addresses or entry.resolution is Resolution.NONE:
        return False
    if version >= BY_ITSELF and entry.labels.get(_AUTO_LABEL, "").lower() == "false":
        return False
    return not host.startswith("*") or (entry.resolution is Resolution.DYNAMIC_DNS and version >= (1, 28))


def _of_kubernetes(service: KubernetesService, version: Version) -> Iterator[Service]:
    host = f"{service.name}.{service.namespace}.svc.{CLUSTER_DOMAIN}"
    if service.external_name is not None:
        if version < (1, 21):
            yield Service(service, host, None, ports=service.ports)
        return
    for address in service.cluster_ips or (None,):
        yield Service(service, host, address, ports=service.ports)
