"""Rules between ServiceEntries of one mesh."""

from collections import defaultdict
from collections.abc import Iterator

from analyzer.mesh.protocols import PortClass
from analyzer.validation.node import Problem
from analyzer.validation.rule import rule
from analyzer.validation.service_entry import (
    TCP_CLASS,
    has_addresses,
    ports_of,
    proxies_use_allocated_addresses,
    resolution_of,
)
from analyzer.validation.subject import Inventory, Subject
from analyzer.validation.visibility import meeting, scopes_of
from analyzer.vocabulary import Resolution, Severity

_KIND = ("ServiceEntry",)
_SIDECAR = "istio/istio pilot/pkg/model/sidecar.go"
_Scoped = dict[str, dict[str, Subject]]
"""By scope, the first object for each of some words."""


@rule("object_duplicate", Severity.DANGER, source="kubernetes/apimachinery")
def object_duplicate(subject: Subject) -> Iterator[Problem]:
    """An object that is written twice is there once: the later one wins."""
    first = subject.mesh.index(_first_objects)[subject.document.reference]
    if first.document is not subject.document:
        yield subject.metadata["name"].problem(
            f"{subject.reference} is also in {first.place}; the later one wins", "keep one of them"
        )


@rule(
    "protocol_conflict_between_entries",
    Severity.WARNING,
    kinds=_KIND,
    istio_code="IST0177",
    since=(1, 31),
    source="istio/istio pkg/config/analysis/analyzers/serviceentry/conflictingserviceentries.go",
)
def protocol_conflict_between_entries(subject: Subject) -> Iterator[Problem]:
    """One host and port number has one protocol in all entries that a namespace sees; none at all is one too."""
    for port in ports_of(subject):
        rival = next(_rivals(subject, port.number, port.protocol.upper()), None)
        if rival is not None:
            host, protocol, other = rival
            yield port.node["protocol"].problem(
                f"{host} port {port.number} is {port.protocol.upper() or 'without protocol'} here and "
                f"{protocol or 'without protocol'} in {other.reference} ({other.place})",
                "one protocol for a host and port",
            )


@rule("host_split_over_entries", Severity.DANGER, kinds=_KIND, source=_SIDECAR)
def host_split_over_entries(subject: Subject) -> Iterator[Problem]:
    """Entries of one host and namespace merge only with equal resolution, labels, selector and exportTo."""
    for host in subject.spec["hosts"].texts():
        first = subject.mesh.index(_first_of_host)[subject.namespace, host.text.lower()]
        if first.reference != subject.reference and _shape(first) != _shape(subject):
            yield host.problem(
                f"{host.text} is also in {first.reference} ({first.place}) with another resolution, exportTo, "
                "selector or other labels: the ports of the second entry get no cluster",
                "one entry a host, with all its ports",
            )


@rule("host_in_two_namespaces", Severity.DANGER, kinds=_KIND, source=_SIDECAR)
def host_in_two_namespaces(subject: Subject) -> Iterator[Problem]:
    """Of a host that two namespaces export to a client, it sees one namespace's entry, and no port of the other's."""
    for host in subject.spec["hosts"].texts():
        known = subject.mesh.index(_namespaces_of_host)[host.text.lower()]
        others = (
            other
            for scope in meeting(scopes_of(subject), known)
            for namespace, other in known[scope].items()
            if namespace != subject.namespace
        )
        other = next(others, None)
        if other is not None:
            yield host.problem(
                f"{host.text} is also in {other.reference} ({other.place}); a client sees one of the two, "
                "its own namespace's first",
                'exportTo: ["."] in each namespace that needs the host',
            )


@rule("tcp_port_taken", Severity.DANGER, kinds=_KIND, source="istio/istio pilot/pkg/networking/core/listener.go")
def tcp_port_taken(subject: Subject) -> Iterator[Problem]:
    """Of several entries with plain TCP on a port and no addresses, the oldest takes every connection on it."""
    if has_addresses(subject) or proxies_use_allocated_addresses(subject):
        return
    for port in ports_of(subject):
        if port.port_class is PortClass.TCP:
            known = subject.mesh.index(_open_ports).get(port.number, {})
            first = next((known[scope][""] for scope in meeting(scopes_of(subject), known)), subject)
            if first.document is not subject.document and _hosts(first) != _hosts(subject):
                yield port.node.problem(
                    f"{first.reference} ({first.place}) has TCP on {port.number} without addresses too: the older "
                    "one takes all connections",
                    "addresses, or a port of its own",
                )


@rule("address_taken", Severity.DANGER, kinds=_KIND, source="istio/istio pilot/pkg/networking/core/listener.go")
def address_taken(subject: Subject) -> Iterator[Problem]:
    """Of several entries with one address and port, TCP or TLS, the oldest takes every connection to it."""
    known = subject.mesh.index(_taken_addresses)
    for address in subject.spec["addresses"].texts():
        for port in ports_of(subject):
            scopes = known.get((_plain(address.text), port.number), {}) if port.port_class in TCP_CLASS else {}
            first = next((scopes[scope][""] for scope in meeting(scopes_of(subject), scopes)), subject)
            if first.document is not subject.document and _hosts(first) != _hosts(subject):
                yield address.problem(
                    f"{first.reference} ({first.place}) has {address.text} on {port.number} too: the older one takes "
                    "all connections",
                    "one entry for the address",
                )


def _rivals(subject: Subject, number: int | None, protocol: str) -> Iterator[tuple[str, str, Subject]]:
    for host in subject.spec["hosts"].texts():
        known = subject.mesh.index(_declared).get((host.text, number), {})
        for scope in meeting(scopes_of(subject), known):
            for used, other in known[scope].items():
                if used != protocol:
                    yield host.text, used, other


def _declared(mesh: Inventory) -> dict[tuple[str, int | None], _Scoped]:
    found: dict[tuple[str, int | None], _Scoped] = defaultdict(lambda: defaultdict(dict))
    for subject in mesh.of_kind("ServiceEntry"):
        for scope in scopes_of(subject):
            for host in subject.spec["hosts"].texts():
                for port in ports_of(subject):
                    found[host.text, port.number][scope].setdefault(port.protocol.upper(), subject)
    return found


def _namespaces_of_host(mesh: Inventory) -> dict[str, _Scoped]:
    found: dict[str, _Scoped] = defaultdict(lambda: defaultdict(dict))
    for subject in mesh.of_kind("ServiceEntry"):
        for scope in scopes_of(subject):
            for host in _hosts(subject):
                found[host][scope].setdefault(subject.namespace, subject)
    return found


def _open_ports(mesh: Inventory) -> dict[int | None, _Scoped]:
    found: dict[int | None, _Scoped] = defaultdict(lambda: defaultdict(dict))
    for subject in mesh.of_kind("ServiceEntry"):
        for port in ports_of(subject) if not has_addresses(subject) else ():
            if port.port_class is PortClass.TCP:
                for scope in scopes_of(subject):
                    found[port.number][scope].setdefault("", subject)
    return found


def _taken_addresses(mesh: Inventory) -> dict[tuple[str, int | None], _Scoped]:
    found: dict[tuple[str, int | None], _Scoped] = defaultdict(lambda: defaultdict(dict))
    for subject in mesh.of_kind("ServiceEntry"):
        addresses = [_plain(node.text) for node in subject.spec["addresses"].texts()]
        for port in ports_of(subject) if addresses else ():
            for address in addresses if port.port_class in TCP_CLASS else ():
                for scope in scopes_of(subject):
                    found[address, port.number][scope].setdefault("", subject)
    return found


def _plain(address: str) -> str:
    """`/32` and `/128` are plain addresses to the listener."""
    return address.removesuffix("/128") if ":" in address else address.removesuffix("/32")


def _first_of_host(mesh: Inventory) -> dict[tuple[str, str], Subject]:
    found: dict[tuple[str, str], Subject] = {}
    for subject in mesh.of_kind("ServiceEntry"):
        for host in _hosts(subject):
            found.setdefault((subject.namespace, host), subject)
    return found


def _first_objects(mesh: Inventory) -> dict[str, Subject]:
    found: dict[str, Subject] = {}
    for subject in mesh.subjects:
        found.setdefault(subject.document.reference, subject)
    return found


def _shape(subject: Subject) -> tuple[object, ...]:
    labels = sorted((key, node.text) for key, node in subject.metadata["labels"].pairs())
    selector = sorted((key, node.text) for key, node in subject.spec["workloadSelector"]["labels"].pairs())
    return resolution_of(subject) or Resolution.NONE, labels, selector, scopes_of(subject)


def _hosts(subject: Subject) -> set[str]:
    return {node.text.lower() for node in subject.spec["hosts"].texts()}
