"""Proposals of different namespaces that meet: one host and port, two protocols, seen by the same callers.

Entries that stay in their namespace never meet; exported ones do (istio/istio pilot/pkg/model/push_context.go).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from analyzer.mesh.model import Mesh, ServiceEntry
from analyzer.proposals.manifest_kind import Candidate


def protocol_conflicts(candidates: Sequence[Candidate], mesh: Mesh) -> Iterator[tuple[str, int, str]]:
    """The losers, as `<namespace>/<name>`, port number and sentence.

    What exists stays; of candidates the one with most entries on the port.
    """
    candidates = [candidate for candidate in candidates if candidate.makes_entry]
    edited = {candidate.service_entry.reference for candidate in candidates}
    wanted = {
        (host.lower(), port.number)
        for candidate in candidates
        for port in candidate.service_entry.ports
        for host in candidate.service_entry.hosts
    }
    declared: dict[tuple[str, int], list[_Rival]] = defaultdict(list)
    for entry in mesh.service_entries:
        if entry.reference not in edited:
            for place, protocol in _declared(entry):
                if place in wanted:
                    declared[place].append(_Rival(protocol, entry, None))
    for candidate in candidates:
        for place, protocol in _declared(candidate.service_entry):
            declared[place].append(_Rival(protocol, candidate.service_entry, candidate))
    for (host, number), rivals in sorted(declared.items()):
        if len({rival.protocol for rival in rivals}) > 1:
            yield from _losers(host, number, rivals)


class _Rival(NamedTuple):
    """One entry's protocol for a host's port; `candidate` is null where the entry exists."""

    protocol: str
    entry: ServiceEntry
    candidate: Candidate | None

    def weight(self, number: int) -> tuple[bool, int, str]:
        """A sort key that puts first what stays."""
        if self.candidate is None:
            return False, 0, self.entry.reference
        made_for = self.candidate.made_for
        entries = sum(item.destination.entries for item in made_for if item.key.destination_port == number)
        return True, -entries, self.entry.reference


def _declared(entry: ServiceEntry) -> Iterator[tuple[tuple[str, int], str]]:
    """Each host and port with its protocol; HTTPS is TLS by another name."""
    for port in entry.ports:
        protocol = "TLS" if port.protocol == "HTTPS" else port.protocol
        for host in entry.hosts:
            yield (host.lower(), port.number), protocol


def _losers(host: str, number: int, rivals: Iterable[_Rival]) -> Iterator[tuple[str, int, str]]:
    kept: list[_Rival] = []
    for rival in sorted(rivals, key=lambda rival: rival.weight(number)):
        winner = next((one for one in kept if one.protocol != rival.protocol and _meet(one.entry, rival.entry)), None)
        if winner is None or rival.candidate is None:
            kept.append(rival)
        else:
            text = (
                f"{winner.entry.reference} is exported to the same callers with another protocol for port {number} "
                f"of {host}."
            )
            yield rival.entry.reference, number, text


def _meet(one: ServiceEntry, other: ServiceEntry) -> bool:
    """Whether some namespace may see both."""
    scopes = [
        {entry.namespace if scope == "." else scope for scope in (entry.export_to or ("*",))} for entry in (one, other)
    ]
    return "*" in scopes[0] | scopes[1] or bool(scopes[0] & scopes[1])
