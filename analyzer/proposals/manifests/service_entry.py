"""ServiceEntry: one per host and namespace, with all the ports that were seen to be needed.

Two entries for one host merge only with equal resolution, labels and exportTo, and otherwise lose ports, so a
host never gets two (istio/istio pilot/pkg/model/sidecar.go). Templates: istio.io traffic-management/egress.
"""

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analyzer.evidence import Judged
from analyzer.mesh.model import Endpoint, Port, ServiceEntry
from analyzer.mesh.names import why_invalid_host
from analyzer.proposals.manifest_kind import Candidate, Unmakeable
from analyzer.proposals.naming import address_name, object_name
from analyzer.proposals.wildcards import Family, families
from analyzer.settings import Settings
from analyzer.simulation import version_of
from analyzer.vocabulary import MANAGED_BY, MANAGED_BY_LABEL, ApplicationProtocol, Location, Resolution

_PROTOCOL = {
    ApplicationProtocol.HTTP: "HTTP",
    ApplicationProtocol.GRPC: "GRPC",
    ApplicationProtocol.TLS: "TLS",
    ApplicationProtocol.TCP: "TCP",
}
_RESERVED_PORTS = frozenset((15001, 15006, 15021, 15090))
"""The sidecar listens there itself (istio/istio pilot/pkg/networking/core/listener.go)."""
_USUAL = {(80, "HTTP"): "http", (443, "TLS"): "tls"}
_LABELS = {MANAGED_BY_LABEL: MANAGED_BY}
_SYNTHETIC_DOMAIN = "egress.internal"
"""An address needs a host in its entry, which is only a label there; `.internal` is reserved for private use."""
_FEW = 5


class ServiceEntryKind:
    """Hosts by DNS and name, nameless TCP by address; never a port open to everybody."""

    name = "ServiceEntry"
    summary = "Registers an external host, its ports and protocols for the namespace that was seen to call it."

    def candidates(
        self, namespace: str, judged: Sequence[Judged], settings: Settings
    ) -> tuple[list[Candidate], list[Unmakeable]]:
        """Group by host; what has no name, and plain TCP, by address and port."""
        unmakeable: list[Unmakeable] = []
        by_host: dict[str, list[Judged]] = defaultdict(list)
        by_address: dict[tuple[str, int], list[Judged]] = defaultdict(list)
        for item in judged:
            problem = _why_inexpressible(item, settings)
            if problem is not None:
                unmakeable.append(problem)
            elif item.key.host is not None:
                by_host[item.key.host].append(item)
            else:
                by_address[item.key.destination_ip or "", item.key.destination_port or 0].append(item)
        chosen = {host: _one_protocol_a_port(items, unmakeable) for host, items in by_host.items()}
        made = _for_hosts(namespace, {host: items for host, items in chosen.items() if items}, settings)
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


def _why_inexpressible(item: Judged, settings: Settings) -> Unmakeable | None:
    """What no ServiceEntry can say, before any are made."""
    key = item.key
    if not key.destination_port or key.application_protocol is None:
        return _cannot([item], "port_unknown", "The log does not show which port was dialled, and for what protocol.")
    if key.destination_port in _RESERVED_PORTS:
        return _cannot([item], "reserved_port", f"The sidecar itself uses port {key.destination_port}: use another.")
    if key.host is not None:
        problem = why_invalid_host(key.host)
        if problem is not None or "*" in key.host:
            return _cannot(
                [item], "invalid_host_name", f"Istio refuses the name in `hosts`: {problem or 'a wildcard'}."
            )
        if key.application_protocol is ApplicationProtocol.TCP:
            return _cannot(
                [item],
                "tcp_by_name",
                "Plain TCP is matched by address alone, and without one an entry would take its port for everybody: "
                "write the entry by hand, with `addresses`.",
            )
        if key.destination_port == 443 and not _is_tls(item):
            return _cannot(
                [item],
                "http_on_443",
                "Plain HTTP was seen on port 443; an HTTP port there would look as if it admitted TLS, which it does "
                "not: have the client speak TLS, or use another port.",
            )
        return None
    if key.destination_ip is None:
        return _cannot([item], "no_destination", "The log shows neither name nor address.")
    if not settings.proposals.tcp_addresses:
        return _cannot([item], "tcp_addresses_off", "`proposals.tcp_addresses` is off, so addresses are not proposed.")
    return None


def _one_protocol_a_port(items: Sequence[Judged], unmakeable: list[Unmakeable]) -> list[Judged]:
    """A port number has one protocol in an entry: the one with most entries stays, TLS where they are equal.

    gRPC beside other HTTP is no conflict, since one HTTP2 port serves both.
    """
    weights: dict[int, Counter[bool]] = defaultdict(Counter)
    for item in items:
        weights[item.key.destination_port or 0][_is_tls(item)] += item.destination.entries
    kept: list[Judged] = []
    for item in items:
        weight = weights[item.key.destination_port or 0]
        if _is_tls(item) is (weight[True] >= weight[False]):
            kept.append(item)
        else:
            used, other = ("plain HTTP", "TLS") if _is_tls(item) else ("TLS", "plain HTTP")
            reason = f"Port {item.key.destination_port} is mostly used for {used}, and a port has one protocol"
            unmakeable.append(_cannot([item], "protocol_conflict", f"{reason}: move the {other} elsewhere."))
    return kept


def _is_tls(item: Judged) -> bool:
    return item.key.application_protocol is ApplicationProtocol.TLS


def _for_hosts(namespace: str, by_host: Mapping[str, Sequence[Judged]], settings: Settings) -> list[Candidate]:
    """One candidate a host; several hosts as one wildcard where settings ask for that and enough agree."""
    protocols = {host: _protocols(items) for host, items in by_host.items()}
    single = {
        host: _for_host(namespace, host, protocols[host], items, settings) for host, items in sorted(by_host.items())
    }
    wide = [
        _for_family(namespace, family, [single.pop(host) for host in family.hosts], settings)
        for family in families(protocols, settings.proposals.wildcard_after_hosts)
    ]
    return [*wide, *single.values()]


def _protocols(items: Iterable[Judged]) -> dict[int, str]:
    """Port number to protocol; HTTP2 where gRPC and other HTTP share a port, for a gRPC call needs HTTP/2 upstream."""
    seen: dict[int, set[str]] = defaultdict(set)
    for item in items:
        if item.key.destination_port and item.key.application_protocol:
            seen[item.key.destination_port].add(_PROTOCOL[item.key.application_protocol])
    return {number: "HTTP2" if len(words) > 1 else next(iter(words)) for number, words in sorted(seen.items())}


def _ports(protocols: Iterable[tuple[int, str]]) -> tuple[Port, ...]:
    return tuple(
        Port(number, _USUAL.get((number, protocol), f"{protocol.lower()}-{number}"), protocol)
        for number, protocol in sorted(protocols)
    )


def _for_host(
    namespace: str, host: str, protocols: Mapping[int, str], items: Sequence[Judged], settings: Settings
) -> Candidate:
    entry = ServiceEntry(
        namespace=namespace,
        name=object_name(host),
        hosts=(host,),
        ports=_ports(protocols.items()),
        location=Location.MESH_EXTERNAL,
        resolution=Resolution.DNS,
        export_to=settings.proposals.export_to,
        labels=_LABELS,
        proposed=True,
    )
    return Candidate(entry, tuple(items))


def _for_family(namespace: str, family: Family, members: Sequence[Candidate], settings: Settings) -> Candidate:
    """A wildcard cannot be resolved, so the proxy connects to the address that the client dialled (resolution NONE)."""
    host = f"*.{family.suffix}"
    seen = ", ".join(family.hosts[:_FEW]) + (", …" if len(family.hosts) > _FEW else "")
    entry = ServiceEntry(
        namespace=namespace,
        name=object_name(host),
        hosts=(host,),
        ports=_ports(family.ports),
        location=Location.MESH_EXTERNAL,
        resolution=Resolution.NONE,
        export_to=settings.proposals.export_to,
        labels=_LABELS,
        proposed=True,
    )
    return Candidate(
        entry,
        tuple(item for member in members for item in member.made_for),
        widens=f"Admits every name below {family.suffix}, at any address that the client dials; "
        f"{len(family.hosts)} were seen ({seen}).",
        needs_review=True,
        narrower=tuple(members),
    )


def _for_address(namespace: str, address: str, port: int, items: Sequence[Judged], settings: Settings) -> Candidate:
    """By address, as TCP whatever the bytes: a listener of its own, which looks at nothing but address and port."""
    name = address_name(address, port)
    plain = str(ipaddress.ip_address(address))
    entry = ServiceEntry(
        namespace=namespace,
        name=name,
        hosts=(f"{name}.{_SYNTHETIC_DOMAIN}",),
        addresses=(plain,),
        ports=_ports([(port, "TCP")]),
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


def _cannot(items: Sequence[Judged], code: str, reason: str) -> Unmakeable:
    return Unmakeable(tuple(items), code, reason)


MANIFEST_KIND = ServiceEntryKind()
