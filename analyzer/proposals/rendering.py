"""From a proven candidate to the proposal that is written: its evidence as annotations, its exact text."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from analyzer.detection.texts import entries, shown
from analyzer.evidence import Destination
from analyzer.proposals.manifest_kind import Candidate, ManifestKind
from analyzer.proposals.manifest_yaml import as_yaml
from analyzer.proposals.proposal import Proposal
from analyzer.vocabulary import MANAGED_BY, EgressClass

_WORKLOADS = 20
"""Workloads that an annotation names; Kubernetes bounds all annotations together at 256 KiB."""
_CALLERS = 3
_FATES = {
    EgressClass.BLOCKED: "refused",
    EgressClass.PASSTHROUGH: "let out without an entry",
    EgressClass.REGISTERED: "let out under an entry",
}


def rendered(kind: ManifestKind, candidate: Candidate, istio_version: str) -> Proposal:
    """The proposal with its YAML."""
    entry = candidate.service_entry
    destinations = [item.destination for item in candidate.made_for]
    first = min((d.first_seen for d in destinations if d.first_seen is not None), default=None)
    last = max((d.last_seen for d in destinations if d.last_seen is not None), default=None)
    workloads = tuple(sorted({d.key.source_workload for d in destinations if d.key.source_workload}))
    count = sum(destination.entries for destination in destinations)
    reason = _reason(candidate, destinations, workloads)
    annotations = {
        f"{MANAGED_BY}/entries": str(count),
        f"{MANAGED_BY}/first-seen": _moment(first),
        f"{MANAGED_BY}/last-seen": _moment(last),
        f"{MANAGED_BY}/workloads": _listed(workloads, _WORKLOADS),
        f"{MANAGED_BY}/reason": reason,
    }
    if candidate.needs_review:
        annotations[f"{MANAGED_BY}/needs-review"] = "true"
    return Proposal(
        kind=kind.name,
        namespace=entry.namespace,
        name=entry.name,
        file=f"manifests/{entry.namespace}/{entry.name}.yaml",
        yaml=as_yaml(kind.document(entry, annotations, istio_version)),
        service_entry=entry,
        destinations=tuple(sorted((item.key for item in candidate.made_for), key=lambda key: key.order)),
        entries=count,
        first_seen=first,
        last_seen=last,
        workloads=workloads,
        reason=reason,
        needs_review=candidate.needs_review,
    )


def _reason(candidate: Candidate, destinations: Sequence[Destination], workloads: Sequence[str]) -> str:
    """What was seen, by whose word it is allowed where it is a person's, and what else would be let out."""
    fates: Counter[EgressClass] = Counter()
    for destination in destinations:
        fates.update(destination.by_class)
    seen = ", ".join(f"{fates[word]:,} {words}" for word, words in _FATES.items() if fates[word])
    total = entries(sum(destination.entries for destination in destinations))
    sentences = [f"{total} from {_listed(workloads, _CALLERS)}" + (f": {seen}." if seen else ".")]
    allowed = {item.reasons[0].text for item in candidate.made_for if item.reasons[0].code == "allowed_by_settings"}
    return " ".join([*sentences, *sorted(allowed), *([candidate.widens] if candidate.widens else [])])


def _listed(workloads: Sequence[str], most: int) -> str:
    names = ", ".join(shown(workload) for workload in workloads[:most])
    more = f" and {len(workloads) - most} more" if len(workloads) > most else ""
    return f"{names}{more}" if names else "unknown"


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else "unknown"
