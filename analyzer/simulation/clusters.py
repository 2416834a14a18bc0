"""Which (host, port) has a cluster that works, by Istio's merging of services that share a host name.

Sources: istio/istio pilot/pkg/model/sidecar.go (appendSidecarServices), pilot/pkg/networking/core/cluster.go,
cluster_builder.go.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from analyzer.mesh.model import Port, ServiceEntry
from analyzer.simulation.registry import Registry
from analyzer.simulation.routes import Client, destination_hosts
from analyzer.simulation.services import Service
from analyzer.vocabulary import Resolution

if TYPE_CHECKING:
    from analyzer.simulation.scope import Egress

_DYNAMIC_DNS_PROTOCOLS = frozenset(("HTTP", "TLS", "GRPC", "HTTP2"))
_BY_DNS = (Resolution.DNS, Resolution.DNS_ROUND_ROBIN)


@dataclass(frozen=True)
class Cluster:
    """What stands behind a route or chain: `missing` says why it cannot work, `doubt` what it depends on."""

    service: Service | None
    missing: str | None = None
    doubt: str | None = None
    note: str = ""


class Clusters:
    """The clusters of one scope."""

    def __init__(self, egress: Sequence["Egress"], registry: Registry, client: Client, *, has_sidecar: bool) -> None:
        self._egress, self._registry, self._namespace = egress, registry, client.namespace
        self._has_sidecar = has_sidecar
        self._mesh, self._version = registry.mesh, registry.version
        self._owners: dict[str, dict[int, Service]] = {}
        self._known: dict[tuple[str, int], Cluster] = {}

    def services_named(self, host: str) -> Sequence[Service]:
        """The services of a host name, the one that owns the clusters first."""
        found = [*dict.fromkeys(kept for egress in self._egress for kept in egress.named(host).values())]
        if not found and host in self._led_to:
            found = self._from_first_namespace(host)
        return sorted(found, key=lambda service: not service.is_kubernetes)

    @cached_property
    def _led_to(self) -> frozenset[str]:
        """What routes name: it is imported as a cluster, and gets neither listener nor virtual host."""
        routes = {id(item): item for egress in self._egress for item in egress.virtual_services}
        delegates = self._registry.delegates
        return frozenset(host for item in routes.values() for host in destination_hosts(item, delegates))

    def _from_first_namespace(self, host: str) -> list[Service]:
        """Of several namespaces it is the client's own, else the first by name (pickFirstVisibleNamespace)."""
        found = self._registry.named(host, self._namespace)
        places = {service.source.namespace for service in found}
        home = self._namespace if self._namespace in places else min(places, default="")
        return [service for service in found if service.source.namespace == home]

    def of(self, host: str, number: int) -> Cluster:
        """The cluster of a host and a service port."""
        known = self._known.get((host, number))
        if known is None:
            known = self._known[host, number] = self._of(host, number)
        return known

    def _of(self, host: str, number: int) -> Cluster:
        owner = self._owners_of(host).get(number)
        if owner is None:
            return Cluster(None, self._why_none(host, number))
        port = next(port for port in owner.ports if port.number == number)
        return self._works(owner, port)

    def _owners_of(self, host: str) -> dict[int, Service]:
        if host not in self._owners:
            self._owners[host] = self._merge(self.services_named(host))
        return self._owners[host]

    def _merge(self, services: Sequence[Service]) -> dict[int, Service]:
        owners: dict[int, Service] = {}
        for service in services:
            if self._merges(service, services[0]):
                for port in service.ports:
                    if port.protocol != "UDP":
                        owners.setdefault(port.number, service)
        return owners

    def _merges(self, service: Service, first: Service) -> bool:
        """Whether a service adds its ports to those of the first of its name."""
        if service.source is first.source or (self._version < (1, 22) and not self._has_sidecar):
            return True
        entry, other = service.entry, first.entry
        if entry is None or other is None or entry.namespace != other.namespace:
            return False
        return self._version < (1, 22) or _are_alike(entry, other)

    def _why_none(self, host: str, number: int) -> str:
        services = self.services_named(host)
        if not services:
            return f"there is no service {host} here"
        declaring = next((item for item in services if any(port.number == number for port in item.ports)), None)
        if declaring is None:
            return f"{host} has no port {number}"
        first = services[0].source.reference
        if services[0].is_kubernetes:
            return f"the Service {first} owns the host {host}, so port {number} of the entry has no cluster"
        return (
            f"entries {first} and {declaring.source.reference} share the host {host} but differ in resolution, labels "
            f"or exportTo, so port {number} of the second has no cluster"
        )

    def _works(self, service: Service, port: Port) -> Cluster:
        entry = service.entry
        if entry is None:
            return self._kubernetes(service)
        if entry.resolution is Resolution.DYNAMIC_DNS:
            return Cluster(service, self._why_no_dynamic_dns(service, port))
        found = self._connects(service, entry)
        is_sure = found.missing is None and found.doubt is None
        return found if is_sure or not self._has_endpoints_elsewhere(service, entry, port) else Cluster(service)

    def _connects(self, service: Service, entry: ServiceEntry) -> Cluster:
        """Whether an entry by itself says where to connect to."""
        if entry.workload_selector is not None and entry.resolution is not Resolution.NONE:
            return self._selected(service, entry)
        if entry.resolution is Resolution.STATIC and not entry.endpoints:
            return Cluster(service, "resolution STATIC without endpoints: there is nowhere to connect to")
        if entry.resolution in _BY_DNS and not entry.endpoints and service.host.startswith("*"):
            return Cluster(service, f"{service.host} cannot be resolved: DNS without endpoints wants a full name")
        return Cluster(service)

    def _has_endpoints_elsewhere(self, service: Service, entry: ServiceEntry, port: Port) -> bool:
        """Whether another entry of its namespace gives the host an endpoint on a port: they all are one's endpoints.

        Source: istio/istio pilot/pkg/serviceregistry/serviceentry (instances are kept by namespace and host).
        """
        return any(
            other is not entry and other.endpoints and any(item.number == port.number for item in other.ports)
            for other in self._registry.entries.get((entry.namespace, service.host), ())
        )

    def _why_no_dynamic_dns(self, service: Service, port: Port) -> str | None:
        if self._version < (1, 30):
            return "sidecars have no DYNAMIC_DNS clusters before 1.30"
        if not service.host.startswith("*"):
            return "DYNAMIC_DNS has clusters for wildcard hosts only"
        if port.protocol not in _DYNAMIC_DNS_PROTOCOLS:
            return f"DYNAMIC_DNS has no clusters for {port.protocol or 'a port without protocol'}"
        return None

    def _selected(self, service: Service, entry: ServiceEntry) -> Cluster:
        """An entry whose endpoints are the workloads that it selects in its own namespace."""
        selector = (entry.workload_selector or {}).items()
        workloads = [
            item
            for item in (*self._mesh.workload_entries, *self._mesh.pods)
            if item.namespace == entry.namespace and all(item.labels.get(key) == value for key, value in selector)
        ]
        if workloads:
            return Cluster(service)
        if not self._mesh.pods:
            return Cluster(service, doubt="workload_labels", note="No Pod documents say what its selector selects.")
        return Cluster(service, "its workloadSelector selects nothing, so there is nowhere to connect to")

    def _kubernetes(self, service: Service) -> Cluster:
        slices = self._registry.endpoint_slices.get((service.source.namespace, service.source.name), ())
        if slices and not any(item.addresses for item in slices):
            return Cluster(service, "no endpoint of the Service is ready")
        return Cluster(service, note="" if slices else "No EndpointSlice says whether an endpoint is ready.")


def merged_into_one(services: Sequence[Service]) -> dict[Service, Service]:
    """Of services of one host name the first, and what others of its namespace add to it: their further ports.

    Istio 1.22 and 1.23 build listeners of no more where no Sidecar holds: a second address of an entry has none.
    """
    first = min(services, key=lambda item: not item.is_kubernetes)
    numbers = {port.number for port in first.ports}
    kept: dict[Service, Service] = {}
    for service in services:
        if service is first:
            kept[service] = service
        elif _adds_ports(service, first):
            added = tuple(port for port in service.ports if port.number not in numbers)
            numbers.update(port.number for port in added)
            kept[service] = replace(service, address=first.address, allocated=first.allocated, ports=added)
    return kept


def _adds_ports(service: Service, first: Service) -> bool:
    entry, other = service.entry, first.entry
    if entry is None or other is None or entry is other:
        return False
    return entry.namespace == other.namespace and _are_alike(entry, other)


def _are_alike(entry: ServiceEntry, other: ServiceEntry) -> bool:
    """Whether two entries of one namespace are merged where they share a host name."""
    return (
        entry.resolution is other.resolution
        and dict(entry.labels) == dict(other.labels)
        and entry.workload_selector == other.workload_selector
        and sorted(entry.export_to) == sorted(other.export_to)
    )
