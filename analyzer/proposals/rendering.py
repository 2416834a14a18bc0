"""From a proven candidate to the proposal that is written: its evidence as annotations, its exact text."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from analyzer.detection.texts import entries, shown
from analyzer.errors import Place
from analyzer.evidence import Destination
from analyzer.proposals.editing import Edit, edit
from analyzer.proposals.manifest_kind import Candidate, ManifestKind
from analyzer.proposals.manifest_yaml import as_yaml
from analyzer.proposals.proposal import Action, Proposal
from analyzer.vocabulary import MANAGED_BY, EgressClass

_WORKLOADS = 20
"""Workloads that an annotation names; Kubernetes bounds all annotations together at 256 KiB."""
_CALLERS = 3
_FATES = {
    EgressClass.BLOCKED: "refused",
    EgressClass.PASSTHROUGH: "let out without an entry",
    EgressClass.REGISTERED: "let out under an entry",
}

_UNSEEN = (
    "The log shows an entry for this that no document shows: give the whole mesh (--mesh) to have that edited, for "
    "beside it this one may hide its ports."
)


def rendered(kind: ManifestKind, candidate: Candidate, istio_version: str) -> tuple[Proposal, Edit | None]:
    """The proposal with its YAML, and the edit that makes it where it is one of a file."""
    entry = candidate.service_entry
    destinations = [item.destination for item in candidate.made_for]
    first = min((d.first_seen for d in destinations if d.first_seen is not None), default=None)
    last = max((d.last_seen for d in destinations if d.last_seen is not None), default=None)
    workloads = tuple(sorted({d.key.source_workload for d in destinations if d.key.source_workload}))
    count = sum(destination.entries for destination in destinations)
    made = edit(candidate.base, candidate.change) if candidate.base else None
    action = Action.CREATE if candidate.base is None else Action.EDIT if made and not made.why_not else Action.REPLACE
    reason = _reason(candidate, made, destinations, workloads)
    annotations = annotations_of(destinations, reason)
    needs_review = candidate.needs_review or action is Action.REPLACE or _UNSEEN in reason
    if needs_review:
        annotations[f"{MANAGED_BY}/needs-review"] = "true"
    proposal = Proposal(
        kind=kind.name,
        namespace=entry.namespace,
        name=entry.name,
        file=f"manifests/{entry.namespace}/{entry.name}.yaml",
        yaml=made.document(annotations)
        if made
        else as_yaml(kind.document(entry, {**entry.annotations, **annotations}, istio_version)),
        service_entry=entry,
        destinations=tuple(sorted((item.key for item in candidate.made_for), key=lambda key: key.order)),
        entries=count,
        first_seen=first,
        last_seen=last,
        workloads=workloads,
        reason=reason,
        needs_review=needs_review,
        action=action,
        edited=Place(made.file, made.line) if made and action is Action.EDIT else None,
    )
    return proposal, made if action is Action.EDIT else None


def annotations_of(destinations: Sequence[Destination], reason: str) -> dict[str, str]:
    """The annotations that every manifest carries: what was seen, when, by whom, and why it was made."""
    workloads = sorted({d.key.source_workload for d in destinations if d.key.source_workload})
    return {
        f"{MANAGED_BY}/entries": str(sum(destination.entries for destination in destinations)),
        f"{MANAGED_BY}/first-seen": _moment(min((d.first_seen for d in destinations if d.first_seen), default=None)),
        f"{MANAGED_BY}/last-seen": _moment(max((d.last_seen for d in destinations if d.last_seen), default=None)),
        f"{MANAGED_BY}/workloads": _listed(workloads, _WORKLOADS),
        f"{MANAGED_BY}/reason": reason,
    }


def _reason(
    candidate: Candidate, made: Edit | None, destinations: Sequence[Destination], workloads: Sequence[str]
) -> str:
    """What was seen, what is changed, by whose word it is allowed where it is a person's, and what else is let out."""
    fates: Counter[EgressClass] = Counter()
    for destination in destinations:
        fates.update(destination.by_class)
    seen = ", ".join(f"{fates[word]:,} {words}" for word, words in _FATES.items() if fates[word])
    total = entries(sum(destination.entries for destination in destinations))
    sentences = [f"{total} from {_listed(workloads, _CALLERS)}" + (f": {seen}." if seen else ".")]
    if candidate.base is not None:
        sentences += _changes(candidate, made)
    elif fates[EgressClass.REGISTERED]:
        sentences.append(_UNSEEN)
    allowed = {item.reasons[0].text for item in candidate.made_for if item.reasons[0].code == "allowed_by_settings"}
    return " ".join([*sentences, *sorted(allowed), *([candidate.widens] if candidate.widens else [])])


def _changes(candidate: Candidate, made: Edit | None) -> list[str]:
    """What an edit adds, and where."""
    change, reference = candidate.change, candidate.service_entry.reference
    where = f" ({shown(made.file)}:{made.line})" if made else ""
    ports = ", ".join(f"{port.number} {port.protocol}" for port in change.ports)
    sentences = [f"Adds port {ports} to {reference}{where}."] if ports else []
    if change.export_to:
        sentences.append(f"Exports {reference} to {', '.join(change.export_to)} as well{where}.")
    if made is None or made.why_not:
        why = made.why_not if made else "its document is not at hand"
        sentences.append(f"The file itself is not edited: {why}. This object replaces it until then.")
    return sentences


def _listed(workloads: Sequence[str], most: int) -> str:
    names = ", ".join(shown(workload) for workload in workloads[:most])
    more = f" and {len(workloads) - most} more" if len(workloads) > most else ""
    return f"{names}{more}" if names else "unknown"


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else "unknown"
