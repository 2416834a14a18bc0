"""New entries that are exported to everybody: one for a host, whoever calls it.

Of two public entries for a host in different namespaces a third namespace sees one (istio/istio
pilot/pkg/model/sidecar.go), so several callers' entries become one, in the first of their namespaces.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from analyzer.evidence import Judged
from analyzer.proposals.manifest_kind import Candidate, Unmakeable
from analyzer.proposals.needs import one_protocol_a_port, ports_of, protocols_of


def shared(made: Iterable[Candidate], unmakeable: list[Unmakeable]) -> list[Candidate]:
    """Candidates with the new public entries of one host brought together; the others as they are."""
    groups: dict[tuple[object, ...], list[Candidate]] = defaultdict(list)
    kept: list[Candidate] = []
    for candidate in made:
        if candidate.base is None and "*" in candidate.service_entry.export_to:
            groups[candidate.service_entry.hosts].append(candidate)
        else:
            kept.append(candidate)
    return [*kept, *(_one(group, unmakeable) for group in groups.values())]


def _one(group: Sequence[Candidate], unmakeable: list[Unmakeable]) -> Candidate:
    if len(group) == 1:
        return group[0]
    first = min(group, key=lambda candidate: candidate.service_entry.reference)
    items = _items(group, unmakeable)
    entry = first.service_entry
    ports = entry.ports if entry.addresses else ports_of(protocols_of(items).items())
    return replace(
        first,
        service_entry=replace(entry, ports=ports),
        made_for=tuple(items),
        narrower=tuple(shared((each for candidate in group for each in candidate.narrower), [])),
    )


def _items(group: Sequence[Candidate], unmakeable: list[Unmakeable]) -> list[Judged]:
    items = sorted((item for candidate in group for item in candidate.made_for), key=lambda item: item.key.order)
    return items if group[0].service_entry.addresses else one_protocol_a_port(items, unmakeable)
