"""ServiceEntry: one per host and namespace, with all the ports that were seen to be needed.

Two entries for one host merge only with equal resolution, labels and exportTo, and otherwise lose ports, so a
host never gets two (istio/istio pilot/pkg/model/sidecar.go). Templates: istio.io traffic-management/egress.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.evidence import Judged
from analyzer.mesh.model import Endpoint, ServiceEntry
from analyzer.proposals.manifest_kind import Candidate, Unmakeable
from analyzer.proposals.naming import address_name, object_name
from analyzer.proposals.needs import one_protocol_a_port, ports_of, protocols_of, why_inexpressible
from analyzer.proposals.wildcards import Family, families
from analyzer.settings import Settings
from analyzer.simulation import version_of
from analyzer.vocabulary import MANAGED_BY, MANAGED_BY_LABEL, Location, Resolution

_LABELS = {MANAGED_BY_LABEL: MANAGED_BY}
_SYNTHETIC_DOMAIN = "egress.internal"
"""An address needs a host in its entry, which is only a label there; `.internal` is reserved for private use."""
_FEW = 5


class ServiceEntryKind:
    """Hosts by DNS and name, nameless TCP by address; never a port open to everybody."""

    name = "ServiceEntry"
    summary = "Registers an external host, its ports and protocols for the namespace that was seen to call it."

    def candidates(
        self, namespace: str, judged: Sequence[Judged], settings: Settings, istio_version: str
    ) -> tuple[list[Candidate], list[Unmakeable]]:
        """Group by host; what has no name, and plain TCP, by address and port."""
        unmakeable: list[Unmakeable] = []
        by_host: dict[str, list[Judged]] = defaultdict(list)
        by_address: dict[tuple[str, int], list[Judged]] = defaultdict(list)
        for item in judged:
            problem = why_inexpressible(item, settings)
            if problem is not None:
                unmakeable.append(problem)
            elif item.key.host is not None:
                by_host[item.key.host].append(item)
            else:
                by_address[item.key.destination_ip or "", item.key.destination_port or 0].append(item)
        chosen = {host: one_protocol_a_port(items, unmakeable) for host, items in by_host.items()}
        made = _for_hosts(namespace, {host: items for host, items in chosen.items() if items}, settings, istio_version)
        for (address, port), items in sorted(by_address.items()):
            made.append(_for_address(namespace, address, port, items, settings))
        return made, unmakeable

    def document(self, entry: ServiceEntry, annotations: dict[str, str], istio_version: str) -> dict[str, Any]:
        """The entry as `networking.istio.io/v1`, which Istio serves since 1.22, else as v1beta1."""
        version = "v1" if version_of(istio_version) >= (1, 22) else "v1beta1"
        spec: dict[str, Any] = {"hosts": list(entry.hosts)}
        if entry.addresses:
            spec["addresses"] = list(entry.addresses)
        spec["exportTo"] = list(entry.export_to)
        spec["location"] = entry.location.value
        spec["ports"] = [{"number": port.number, "name": port.name, "protocol": port.protocol} for port in entry.ports]
        spec["resolution"] = entry.resolution.value
        if entry.endpoints:
            spec["endpoints"] = [{"address": endpoint.address} for endpoint in entry.endpoints]
        return {
            "apiVersion": f"networking.istio.io/{version}",
            "kind": self.name,
            "metadata": {
                "name": entry.name,
                "namespace": entry.namespace,
                "labels": dict(sorted(entry.labels.items())),
                "annotations": dict(sorted(annotations.items())),
            },
            "spec": spec,
        }


def _for_hosts(
    namespace: str, by_host: Mapping[str, Sequence[Judged]], settings: Settings, istio_version: str
) -> list[Candidate]:
    """One candidate a host; several hosts as one wildcard where settings ask for that and enough agree."""
    protocols = {host: protocols_of(items) for host, items in by_host.items()}
    single = {
        host: _for_host(namespace, host, protocols[host], items, settings) for host, items in sorted(by_host.items())
    }
    wide = [
        _for_family(namespace, family, [single.pop(host) for host in family.hosts], settings, istio_version)
        for family in families(protocols, settings.proposals.wildcard_after_hosts, settings.proposals.shared_domains)
    ]
    return [*wide, *single.values()]


def _for_host(
    namespace: str, host: str, protocols: Mapping[int, str], items: Sequence[Judged], settings: Settings
) -> Candidate:
    entry = ServiceEntry(
        namespace=namespace,
        name=object_name(host),
        hosts=(host,),
        ports=ports_of(protocols.items()),
        location=Location.MESH_EXTERNAL,
        resolution=Resolution.DNS,
        export_to=settings.proposals.export_to,
        labels=_LABELS,
        proposed=True,
    )
    return Candidate(entry, tuple(items))


def _for_family(
    namespace: str, family: Family, members: Sequence[Candidate], settings: Settings, istio_version: str
) -> Candidate:
    """A wildcard has no one address, so the proxy asks DNS for each name, or follows the client."""
    host = f"*.{family.suffix}"
    resolution = _resolution(family, istio_version)
    entry = ServiceEntry(
        namespace=namespace,
        name=object_name(host),
        hosts=(host,),
        ports=ports_of(family.ports),
        location=Location.MESH_EXTERNAL,
        resolution=resolution,
        export_to=settings.proposals.export_to,
        labels=_LABELS,
        proposed=True,
    )
    return Candidate(
        entry,
        tuple(item for member in members for item in member.made_for),
        widens=_gained(family, members, resolution),
        needs_review=True,
        narrower=tuple(members),
    )


def _resolution(family: Family, istio_version: str) -> Resolution:
    """DYNAMIC_DNS where every port is TLS: sidecars know it since 1.30, and for HTTP only where no other service of
    the port comes first (istio/istio pilot/pkg/networking/core/listener.go); else NONE."""
    only_tls = all(protocol == "TLS" for _, protocol in family.ports)
    return Resolution.DYNAMIC_DNS if only_tls and version_of(istio_version) >= (1, 30) else Resolution.NONE


def _gained(family: Family, members: Sequence[Candidate], resolution: Resolution) -> str:
    """What a wildcard admits beyond the evidence."""
    seen = ", ".join(family.hosts[:_FEW]) + (", …" if len(family.hosts) > _FEW else "")
    where = (
        "at the address that DNS gives the proxy for the name"
        if resolution is Resolution.DYNAMIC_DNS
        else "at any address that the client dials"
    )
    sentences = [
        f"Admits every name below {family.suffix}, {where}; {len(family.hosts)} were seen ({seen}), the rest is gained."
    ]
    for number, protocol in family.ports:
        users = sum(any(port.number == number for port in member.service_entry.ports) for member in members)
        if users < len(members):
            sentences.append(f"Port {number} {protocol} was seen for {users} of the {len(members)}.")
    return " ".join(sentences)


def _for_address(namespace: str, address: str, port: int, items: Sequence[Judged], settings: Settings) -> Candidate:
    """By address, as TCP whatever the bytes: a listener of its own, which looks at nothing but address and port."""
    name = address_name(address, port)
    plain = str(ipaddress.ip_address(address))
    entry = ServiceEntry(
        namespace=namespace,
        name=name,
        hosts=(f"{name}.{_SYNTHETIC_DOMAIN}",),
        addresses=(plain,),
        ports=ports_of([(port, "TCP")]),
        location=Location.MESH_EXTERNAL,
        resolution=Resolution.STATIC,
        endpoints=(Endpoint(plain),),
        export_to=settings.proposals.export_to,
        labels=_LABELS,
        proposed=True,
    )
    return Candidate(
        entry,
        tuple(items),
        widens=f"Admits whatever is sent to {plain} on port {port}: check who owns the address and that it is stable.",
        needs_review=True,
    )


MANIFEST_KIND = ServiceEntryKind()
