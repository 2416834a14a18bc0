"""Proposals of different namespaces that meet: one host and port, two protocols, seen by the same callers.

Entries that stay in their namespace never meet; exported ones do (istio/istio pilot/pkg/model/push_context.go).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from analyzer.mesh.model import ServiceEntry
from analyzer.proposals.manifest_kind import Candidate


def protocol_conflicts(candidates: Sequence[Candidate]) -> Iterator[tuple[str, int, str]]:
    """The losers, as `<namespace>/<name>`, port number and sentence; the one with most entries on the port stays."""
    declared: dict[tuple[str, int], list[tuple[str, Candidate]]] = defaultdict(list)
    for candidate in candidates:
        for port in candidate.service_entry.ports:
            for host in candidate.service_entry.hosts:
                declared[host, port.number].append((port.protocol, candidate))
    for (host, number), rivals in sorted(declared.items()):
        if len({protocol for protocol, _ in rivals}) > 1:
            yield from _losers(host, number, rivals)


def _losers(host: str, number: int, rivals: Iterable[tuple[str, Candidate]]) -> Iterator[tuple[str, int, str]]:
    kept: list[tuple[str, ServiceEntry]] = []
    for protocol, candidate in sorted(rivals, key=lambda rival: _weight(rival[1], number)):
        entry = candidate.service_entry
        winner = next((other for used, other in kept if used != protocol and _meet(other, entry)), None)
        if winner is None:
            kept.append((protocol, entry))
        else:
            text = (
                f"{winner.reference} is exported to the same callers with another protocol for port {number} of {host}."
            )
            yield entry.reference, number, text


def _weight(candidate: Candidate, number: int) -> tuple[int, str]:
    entries = sum(item.destination.entries for item in candidate.made_for if item.key.destination_port == number)
    return -entries, candidate.service_entry.reference


def _meet(one: ServiceEntry, other: ServiceEntry) -> bool:
    """Whether some namespace may see both."""
    scopes = [
        {entry.namespace if scope == "." else scope for scope in (entry.export_to or ("*",))} for entry in (one, other)
    ]
    return "*" in scopes[0] | scopes[1] or bool(scopes[0] & scopes[1])
