"""Who calls what a Sidecar's egress list hides, and which lines would show it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property

from analyzer.evidence import Judged
from analyzer.mesh.model import Mesh, ServiceEntry, Sidecar
from analyzer.mesh.names import best_cover
from analyzer.proposals.editing import Listed, edit
from analyzer.proposals.listing import Listing, by_sidecar, missing_line
from analyzer.proposals.manifest_kind import Candidate
from analyzer.simulation import Decision, Simulator, version_of
from analyzer.vocabulary import Outcome

_HIDDEN = "sidecar_egress_list"


class Unlisted:
    """What the egress lists of a mesh hide, by replays with them and without."""

    def __init__(self, before: Simulator) -> None:
        self._before, self._version = before, version_of(before.istio_version)
        self._entries = {entry.reference: entry for entry in before.mesh.service_entries}
        self._writable: dict[str, bool] = {}

    @cached_property
    def _open(self) -> Simulator:
        """The same mesh where every Sidecar sees everything."""
        seeing = Mesh(sidecars=tuple(replace(sidecar, egress=None) for sidecar in self._before.mesh.sidecars))
        before = self._before
        return Simulator(before.mesh.over(seeing), mode=before.mode, istio_version=before.istio_version)

    def behind(self, item: Judged) -> ServiceEntry | None:
        """The entry that would take what a list keeps from it; null where no list is in the way."""
        hidden = (request for request in item.destination.requests if self._before.decide(request).rule == _HIDDEN)
        found = {decision.by if _is_own(decision) else None for decision in map(self._open.decide, hidden)}
        entry = self._entries.get(found.pop() or "") if len(found) == 1 else None
        host = item.key.host
        return entry if entry and (host is None or best_cover(entry.hosts, host)) else None

    def shows_own(self, item: Judged, namespace: str) -> bool:
        """Whether an entry of the callers' own namespace for the host would be seen as lists are."""
        sidecars = self.sidecars(item)
        return sidecars is not None and not any(
            missing_line(sidecar, namespace, item.key.host or "*", namespace, item.key.destination_port, self._version)
            for sidecar in sidecars
        )

    def sidecars(self, item: Judged) -> Sequence[Sidecar] | None:
        """The Sidecars that hold for a destination's callers; null where documents do not say which do."""
        found: dict[str, Sidecar] = {}
        for request in item.destination.requests:
            holding = self._before.sidecars(request)
            if holding is None:
                return None
            found.update((sidecar.reference, sidecar) for sidecar in holding if sidecar is not None)
        return [found[reference] for reference in sorted(found)]

    def lines(self, entry: ServiceEntry, items: Iterable[Judged]) -> tuple[Listing, ...]:
        """The lines that Sidecars lack for some callers to see the hosts of an entry that they ask for."""
        found: list[Listing] = []
        for item in items:
            host = best_cover(entry.hosts, item.key.host) or entry.hosts[0]
            for sidecar in self.sidecars(item) or ():
                number = item.key.destination_port
                line = missing_line(sidecar, entry.namespace, host, _client(item), number, self._version)
                if line is not None and self._is_writable(sidecar):
                    found.append(replace(line, keys=(item.key,)))
        return tuple(line for lines in by_sidecar(found).values() for line in lines)

    def _is_writable(self, sidecar: Sidecar) -> bool:
        """Whether the document is at hand that a line would go into."""
        if sidecar.reference not in self._writable:
            self._writable[sidecar.reference] = edit(sidecar, Listed(())) is not None
        return self._writable[sidecar.reference]

    def given(self, candidate: Candidate) -> Candidate:
        """A candidate with the lines that its callers' Sidecars lack, and its narrower ones with theirs."""
        narrower = tuple(self.given(each) for each in candidate.narrower)
        return replace(candidate, listings=self.lines(candidate.service_entry, candidate.made_for), narrower=narrower)


def _is_own(decision: Decision) -> bool:
    return decision.outcome is Outcome.ALLOWED and not decision.stray


def _client(item: Judged) -> str:
    """The namespace from which a destination's requests are replayed."""
    requests = item.destination.requests
    return (requests[0].key if requests else item.key).source_namespace or ""
