"""Rules between entries of one mesh."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from analyzer.mesh.model import Document, ServiceEntry
from analyzer.validation.rule import Problem, Rule, Subject, Version
from analyzer.vocabulary import Severity


def _nothing(subject: Subject) -> Iterator[Problem]:
    return iter(())


CONFLICTING_PROTOCOL = Rule("protocol_conflict_between_entries", Severity.WARNING, _nothing, "IST0177", (1, 31))
SPLIT_HOST = Rule("host_split_over_entries", Severity.DANGER, _nothing)
SAME_OBJECT = Rule("object_duplicate", Severity.WARNING, _nothing)


def across_entries(
    entries: Sequence[tuple[Document, ServiceEntry]], version: Version
) -> Iterator[tuple[Document, Rule, Problem]]:
    """Everything that one entry alone does not show; each finding points at the later entry."""
    yield from _same_object(entries)
    if CONFLICTING_PROTOCOL.holds_for(version):
        yield from _conflicting_protocols(entries)
    yield from _split_hosts(entries)


def _same_object(entries: Sequence[tuple[Document, ServiceEntry]]) -> Iterator[tuple[Document, Rule, Problem]]:
    seen: dict[str, Document] = {}
    for document, entry in entries:
        earlier = seen.setdefault(entry.reference, document)
        if earlier is not document:
            place = f"{earlier.origin.file}:{earlier.origin.line}"
            yield (
                document,
                SAME_OBJECT,
                Problem(("metadata", "name"), f"{entry.reference} is also in {place}; the later one wins"),
            )


def _conflicting_protocols(
    entries: Sequence[tuple[Document, ServiceEntry]],
) -> Iterator[tuple[Document, Rule, Problem]]:
    """Same host string and port number in two protocols, visible to the same namespace."""
    declared: dict[tuple[str, int], list[tuple[ServiceEntry, str]]] = defaultdict(list)
    for document, entry in entries:
        for host in entry.hosts:
            for index, port in enumerate(entry.ports):
                others = declared[host, port.number]
                clash = next((o for o, protocol in others if protocol != port.protocol and _overlap(o, entry)), None)
                if clash is not None:
                    text = f"{host} port {port.number} has another protocol in {clash.reference}"
                    yield document, CONFLICTING_PROTOCOL, Problem(("spec", "ports", index, "protocol"), text)
                others.append((entry, port.protocol))


def _split_hosts(entries: Sequence[tuple[Document, ServiceEntry]]) -> Iterator[tuple[Document, Rule, Problem]]:
    """Entries of one host and namespace merge only with equal resolution, labels and exportTo; else ports are lost."""
    first: dict[tuple[str, str], ServiceEntry] = {}
    for document, entry in entries:
        for place, host in enumerate(entry.hosts):
            other = first.setdefault((entry.namespace, host), entry)
            if other is entry or other.reference == entry.reference:
                continue
            if _shape(other) != _shape(entry):
                text = (
                    f"{host} is also in {other.reference} with another resolution, exportTo or other labels: "
                    "ports of the second entry get no cluster"
                )
                yield (
                    document,
                    SPLIT_HOST,
                    Problem(("spec", "hosts", place), text, "one entry a host, with all its ports"),
                )


def _shape(entry: ServiceEntry) -> tuple[object, ...]:
    return (entry.resolution, sorted(entry.labels.items()), sorted(entry.export_to), entry.workload_selector)


def _overlap(one: ServiceEntry, other: ServiceEntry) -> bool:
    scopes = [
        {entry.namespace if scope == "." else scope for scope in (entry.export_to or ("*",))} for entry in (one, other)
    ]
    return "*" in scopes[0] or "*" in scopes[1] or bool(scopes[0] & scopes[1])
