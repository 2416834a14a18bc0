"""Which entry of the mesh is for a destination already, seen by its callers or hidden from them."""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from analyzer.evidence import DestinationKey, Judged
from analyzer.mesh.model import Mesh, ServiceEntry
from analyzer.mesh.names import is_dns1123_label, is_dns1123_subdomain, network_of
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.simulation.registry import visible_entries
from analyzer.vocabulary import MANAGED_BY, MANAGED_BY_LABEL, ApplicationProtocol, Resolution

CLASS_OF: Mapping[ApplicationProtocol, PortClass] = {
    ApplicationProtocol.HTTP: PortClass.HTTP,
    ApplicationProtocol.GRPC: PortClass.HTTP,
    ApplicationProtocol.TLS: PortClass.TLS,
    ApplicationProtocol.TCP: PortClass.TCP,
}


@dataclass
class Lacking:
    """Destinations that one existing entry is for and does not admit.

    `hidden_from` are those whose namespace it is not exported to, with that namespace; `unlisted` those from whom only
    the egress list of a Sidecar hides it.
    """

    entry: ServiceEntry
    items: list[Judged] = field(default_factory=list)
    hidden_from: dict[DestinationKey, str] = field(default_factory=dict)
    unlisted: set[DestinationKey] = field(default_factory=set)

    @property
    def namespaces(self) -> list[str]:
        """The namespaces that the entry is to be exported to as well."""
        return sorted(set(self.hidden_from.values()))


def is_ours(entry: ServiceEntry) -> bool:
    """Whether an entry was made by this program."""
    return entry.labels.get(MANAGED_BY_LABEL) == MANAGED_BY


def is_nameable(entry: ServiceEntry) -> bool:
    """Whether Kubernetes takes an entry's name and namespace, so that it can be written."""
    return is_dns1123_subdomain(entry.name) and is_dns1123_label(entry.namespace)


class Existing:
    """The entries of a mesh by what they are for; what a namespace sees is looked up once."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._all = _by_host(mesh.service_entries)
        self._seen: dict[str, tuple[dict[str, list[ServiceEntry]], dict[str, list[ServiceEntry]]]] = {}

    def seen(self, key: DestinationKey, namespace: str) -> ServiceEntry | None:
        """The entry for exactly this host, or this address alone, that a proposal would compete with."""
        if namespace not in self._seen:
            entries = visible_entries(self._mesh, namespace)
            self._seen[namespace] = _by_host(entries), _by_address(entries)
        by_host, by_address = self._seen[namespace]
        if key.host is not None:
            found = by_host.get(key.host, ())
            return next((entry for entry in found if entry.namespace == namespace), next(iter(found), None))
        if key.application_protocol is not ApplicationProtocol.TCP:
            return None
        return next(iter(by_address.get(key.destination_ip or "", ())), None)

    def rivals(self, entry: ServiceEntry, key: DestinationKey, *, to_export: bool) -> list[str]:
        """Other entries of its namespace for the host with which an edited entry would not be one to Istio.

        They merge with equal resolution, labels, selector and exportTo (istio/istio pilot/pkg/model/sidecar.go).
        """
        return sorted(
            other.reference
            for other in self._all.get(key.host or "", ())
            if other is not entry
            and other.namespace == entry.namespace
            and (to_export or _merged_by(other) != _merged_by(entry))
        )

    def own_hidden(self, key: DestinationKey, namespace: str) -> ServiceEntry | None:
        """The entry of the callers' own namespace for this host that is exported to others only."""
        return next((entry for entry in self._all.get(key.host or "", ()) if entry.namespace == namespace), None)

    def shared_hidden(self, items: Sequence[Judged]) -> ServiceEntry | None:
        """An entry that names the namespaces that it is for, and whose hosts and ports are just those that are needed.

        To be named there too is the least change; where the entry holds more, an own one is.
        """
        host = items[0].key.host
        needed = {
            (
                item.key.destination_port,
                CLASS_OF.get(item.key.application_protocol) if item.key.application_protocol else None,
            )
            for item in items
        }
        for entry in self._all.get(host or "", ()):
            named = entry.export_to and not {".", "*", "~"} & set(entry.export_to)
            declared = {(port.number, port_class(port.protocol)) for port in entry.ports}
            if named and len(entry.hosts) == 1 and declared == needed:
                return entry
        return None


def _merged_by(entry: ServiceEntry) -> tuple[object, ...]:
    selector = None if entry.workload_selector is None else dict(entry.workload_selector)
    return entry.resolution, dict(entry.labels), selector, sorted(entry.export_to)


def _class(key: DestinationKey) -> PortClass | None:
    return CLASS_OF[key.application_protocol] if key.application_protocol else None


def _by_host(entries: Iterable[ServiceEntry]) -> dict[str, list[ServiceEntry]]:
    by_host: dict[str, list[ServiceEntry]] = defaultdict(list)
    for entry in entries:
        for host in dict.fromkeys(host.lower().removesuffix(".") for host in entry.hosts):
            by_host[host].append(entry)
    return by_host


def _by_address(entries: Iterable[ServiceEntry]) -> dict[str, list[ServiceEntry]]:
    """Entries for one fixed address alone; ours are not among them, for their names say their port."""
    by_address: dict[str, list[ServiceEntry]] = defaultdict(list)
    for entry in entries:
        if (
            len(entry.addresses) == 1
            and entry.resolution in (Resolution.STATIC, Resolution.NONE)
            and not is_ours(entry)
        ):
            network = network_of(entry.addresses[0])
            if network is not None and network.num_addresses == 1:
                by_address[str(ipaddress.ip_address(network.network_address))].append(entry)
    return by_address
