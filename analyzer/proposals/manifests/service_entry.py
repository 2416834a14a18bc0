"""ServiceEntry: one per host and namespace, with all the ports that were seen to be needed.

Two entries for one host merge only with equal resolution, labels and exportTo, and otherwise lose ports, so a
host never gets two (istio/istio pilot/pkg/model/sidecar.go). Templates: istio.io traffic-management/egress.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from analyzer.evidence import Judged
from analyzer.mesh.model import Endpoint, Port, ServiceEntry
from analyzer.mesh.names import is_valid_host
from analyzer.proposals.manifest_kind import Candidate, Unmakeable
from analyzer.proposals.naming import object_name
from analyzer.proposals.wildcards import collapse
from analyzer.settings import Settings
from analyzer.simulation import version_of
from analyzer.vocabulary import MANAGED_BY, ApplicationProtocol, Location, Resolution

_PROTOCOL = {
    ApplicationProtocol.HTTP: "HTTP",
    ApplicationProtocol.GRPC: "GRPC",
    ApplicationProtocol.TLS: "TLS",
    ApplicationProtocol.TCP: "TCP",
}
_USUAL = {(80, "HTTP"): "http", (443, "TLS"): "tls"}
_LABELS = {"app.kubernetes.io/managed-by": MANAGED_BY}


class ServiceEntryKind:
    """Hosts by DNS and name, nameless TCP by address; never a port open to everybody."""

    name = "ServiceEntry"
    summary = "Registers an external host, its ports and protocols for the namespace that was seen to call it."

    def candidates(
        self, namespace: str, judged: Sequence[Judged], settings: Settings
    ) -> tuple[list[Candidate], list[Unmakeable]]:
        """Group by host; nameless TCP by address."""
        by_host: dict[str, list[Judged]] = defaultdict(list)
        by_address: dict[str, list[Judged]] = defaultdict(list)
        unmakeable: list[Unmakeable] = []
        for item in judged:
            key = item.key
            if key.destination_port is None:
                unmakeable.append(_cannot((item,), "port_unknown", "The log format does not show the port that was dialled."))
            elif key.host is not None:
                by_host[key.host].append(item)
            elif key.destination_ip is None:
                unmakeable.append(_cannot((item,), "no_destination", "The log shows neither name nor address."))
            elif key.application_protocol in (ApplicationProtocol.HTTP, ApplicationProtocol.GRPC):
                unmakeable.append(
                    _cannot((item,), "address_as_host", "HTTP to an address instead of a name: have the client use the name.")
                )
            elif not settings.proposals.tcp_addresses:
                unmakeable.append(
                    _cannot((item,), "tcp_addresses_off", "`proposals.tcp_addresses` is off, so addresses are not proposed.")
                )
            else:
                by_address[key.destination_ip].append(item)
        candidates: list[Candidate] = []
        for hosts, items in collapse(by_host, settings.proposals.wildcard_after_hosts):
            self._add_host(namespace, hosts, items, settings, candidates, unmakeable)
        for address, items in sorted(by_address.items()):
            candidates.append(_for_address(namespace, address, items, settings))
        return candidates, unmakeable

    def document(self, entry: ServiceEntry, annotations: dict[str, str], istio_version: str) -> dict[str, Any]:
        """The entry as `networking.istio.io/v1`, which Istio serves since 1.22, else as v1beta1."""
        version = "v1" if version_of(istio_version) >= (1, 22) else "v1beta1"
        spec: dict[str, Any] = {"hosts": list(entry.hosts)}
        if entry.addresses:
            spec["addresses"] = list(entry.addresses)
        spec["exportTo"] = list(entry.export_to)
        spec["location"] = entry.location.value
        spec["ports"] = [
            {"number": port.number, "name": port.name, "protocol": port.protocol} for port in entry.ports
        ]
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

    def _add_host(
        self,
        namespace: str,
        hosts: tuple[str, ...],
        items: Sequence[Judged],
        settings: Settings,
        candidates: list[Candidate],
        unmakeable: list[Unmakeable],
    ) -> None:
        if not all(is_valid_host(host) for host in hosts):
            unmakeable.append(_cannot(items, "invalid_host_name", "Istio's validation refuses this name in `hosts`."))
            return
        wanted: dict[int, set[str]] = defaultdict(set)
        for item in items:
            if item.key.destination_port is not None and item.key.application_protocol is not None:
                wanted[item.key.destination_port].add(_PROTOCOL[item.key.application_protocol])
        clashing = sorted(number for number, protocols in wanted.items() if _one_protocol(protocols) is None)
        kept = [item for item in items if item.key.destination_port not in clashing]
        if clashing:
            unmakeable.append(
                _cannot(
                    [item for item in items if item.key.destination_port in clashing],
                    "protocol_conflict",
                    f"Plain HTTP and TLS were both seen on port {clashing[0]}, and a port has one protocol: split the ports.",
                )
            )
        if not kept:
            return
        ports = _ports({number: _one_protocol(wanted[number]) or "" for number in sorted(set(wanted) - set(clashing))})
        wildcard = any(host.startswith("*") for host in hosts)
        named_by_cluster = any(port.protocol == "TCP" for port in ports)
        if named_by_cluster:
            unmakeable.append(
                _cannot(
                    kept,
                    "tcp_without_address",
                    "Plain TCP is matched by address alone, and without one the entry would take its port for everybody: "
                    "write the entry by hand, with addresses.",
                )
            )
            return
        candidates.append(
            Candidate(
                ServiceEntry(
                    namespace=namespace,
                    name=object_name(hosts[0]),
                    hosts=hosts,
                    ports=ports,
                    location=Location.MESH_EXTERNAL,
                    resolution=Resolution.NONE if wildcard else Resolution.DNS,
                    export_to=settings.proposals.export_to,
                    labels=_LABELS,
                    proposed=True,
                ),
                tuple(kept),
                _reason(kept, hosts, wildcard=wildcard),
                needs_review=wildcard,
            )
        )


def _cannot(items: Sequence[Judged], code: str, reason: str) -> Unmakeable:
    return Unmakeable(tuple(items), code, reason)


def _one_protocol(protocols: set[str]) -> str | None:
    """The one protocol of a port: gRPC beside other HTTP is HTTP2 or HTTP to Istio, so plain HTTP serves both."""
    if len(protocols) == 1:
        return next(iter(protocols))
    return "HTTP" if protocols == {"HTTP", "GRPC"} else None


def _ports(protocols: dict[int, str]) -> tuple[Port, ...]:
    return tuple(
        Port(number, _USUAL.get((number, protocol), f"{protocol.lower()}-{number}"), protocol)
        for number, protocol in sorted(protocols.items())
    )


def _for_address(namespace: str, address: str, items: Sequence[Judged], settings: Settings) -> Candidate:
    """TCP by address: the host is only a label, and a person must check that the address is stable."""
    label = address.replace(".", "-").replace(":", "-").strip("-")
    host = f"ip-{label}.egress.internal"
    numbers = {item.key.destination_port: "TCP" for item in items if item.key.destination_port is not None}
    return Candidate(
        ServiceEntry(
            namespace=namespace,
            name=object_name(host),
            hosts=(host,),
            addresses=(address,),
            ports=_ports(numbers),
            location=Location.MESH_EXTERNAL,
            resolution=Resolution.STATIC,
            endpoints=(Endpoint(address),),
            export_to=settings.proposals.export_to,
            labels=_LABELS,
            proposed=True,
        ),
        tuple(items),
        "Allowed by settings; TCP is matched by its address alone, so check that the address is stable.",
        needs_review=True,
    )


def _reason(items: Sequence[Judged], hosts: tuple[str, ...], *, wildcard: bool) -> str:
    if wildcard:
        names = sorted({item.key.host or "" for item in items})
        return f"Admits every name below {hosts[0].removeprefix('*.')}; seen were {len(names)}: {', '.join(names[:5])}"
    return items[0].reasons[0].text


MANIFEST_KIND = ServiceEntryKind()
