"""From a proven candidate to the proposal that is written: its evidence as annotations, its exact text."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from analyzer.detection.texts import entries, shown
from analyzer.errors import Place
from analyzer.evidence import Destination, Judged
from analyzer.mesh.model import Mesh, ServiceEntry, Sidecar
from analyzer.proposals.editing import Edit, Listed, edit
from analyzer.proposals.listing import added_lines, by_sidecar, listed
from analyzer.proposals.manifest_kind import Candidate, ManifestKind
from analyzer.proposals.manifest_yaml import as_yaml
from analyzer.proposals.proposal import Action, Proposal
from analyzer.vocabulary import MANAGED_BY, EgressClass

NEEDS_REVIEW = f"{MANAGED_BY}/needs-review"
"""The annotation of a manifest that a person must look at before it is applied."""
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
    made = edit(candidate.base, candidate.change) if candidate.base else None
    action = _action(candidate.base is None, made)
    reason = _reason(candidate, made)
    annotations = annotations_of([item.destination for item in candidate.made_for], reason)
    needs_review = candidate.needs_review or action is Action.REPLACE or _UNSEEN in reason
    if needs_review:
        annotations[NEEDS_REVIEW] = "true"
    yaml = (
        made.document(annotations)
        if made
        else as_yaml(kind.document(entry, {**entry.annotations, **annotations}, istio_version))
    )
    return _proposal(entry, kind.name, entry.hosts, candidate.made_for, reason, yaml, action, made, needs_review)


def rendered_sidecars(candidates: Iterable[Candidate], mesh: Mesh) -> Iterator[tuple[Proposal, Edit | None]]:
    """The Sidecars of a mesh that candidates need another line in, as proposals; with the edits of files."""
    kept = list(candidates)
    written = {sidecar.reference: sidecar for sidecar in mesh.sidecars}
    for reference, listings in sorted(by_sidecar(listing for item in kept for listing in item.listings).items()):
        sidecar, lines = written[reference], added_lines(listings)
        keys = {key for listing in listings for key in listing.keys}
        made_for = [item for candidate in kept for item in candidate.made_for if item.key in keys]
        made = edit(sidecar, Listed(tuple(lines.items())))
        assert made is not None, "a Sidecar that cannot be written is given no lines"
        action = _action(False, made)
        hosts = tuple(line for found in lines.values() for line in found)
        widens = sorted(
            {c.widens for c in kept if c.widens and not c.makes_entry and keys & {i.key for i in c.made_for}}
        )
        sentences = [
            f"Adds {', '.join(map(shown, hosts))} to `egress.hosts` of Sidecar {sidecar.reference}{_where(made)}.",
            *_not_in_place(made),
            *widens,
        ]
        reason = " ".join([_seen(made_for), *sentences])
        annotations = annotations_of([item.destination for item in made_for], reason)
        needs_review = bool(widens) or action is Action.REPLACE
        if needs_review:
            annotations[NEEDS_REVIEW] = "true"
        yaml = made.document(annotations)
        yield _proposal(listed(sidecar, lines), Listed.kind, hosts, made_for, reason, yaml, action, made, needs_review)


def _action(is_new: bool, made: Edit | None) -> Action:
    return Action.CREATE if is_new else Action.EDIT if made and not made.why_not else Action.REPLACE


def _proposal(
    item: ServiceEntry | Sidecar,
    kind: str,
    hosts: Sequence[str],
    made_for: Sequence[Judged],
    reason: str,
    yaml: str,
    action: Action,
    made: Edit | None,
    needs_review: bool,
) -> tuple[Proposal, Edit | None]:
    destinations = [one.destination for one in made_for]
    # No object of Kubernetes' has an underscore in its name, so a Sidecar's file is never that of an entry.
    name = item.name if isinstance(item, ServiceEntry) else f"{kind.lower()}_{item.name}"
    proposal = Proposal(
        kind=kind,
        namespace=item.namespace,
        name=item.name,
        file=f"manifests/{item.namespace}/{name}.yaml",
        yaml=yaml,
        object=item,
        hosts=tuple(hosts),
        destinations=tuple(sorted((one.key for one in made_for), key=lambda key: key.order)),
        entries=sum(destination.entries for destination in destinations),
        first_seen=min((d.first_seen for d in destinations if d.first_seen is not None), default=None),
        last_seen=max((d.last_seen for d in destinations if d.last_seen is not None), default=None),
        workloads=_workloads(destinations),
        reason=reason,
        needs_review=needs_review,
        action=action,
        edited=Place(made.file, made.line) if made and action is Action.EDIT else None,
    )
    return proposal, made if action is Action.EDIT else None


def _workloads(destinations: Iterable[Destination]) -> tuple[str, ...]:
    return tuple(sorted({d.key.source_workload for d in destinations if d.key.source_workload}))


def annotations_of(destinations: Sequence[Destination], reason: str) -> dict[str, str]:
    """The annotations that every manifest carries: what was seen, when, by whom, and why it was made."""
    return {
        f"{MANAGED_BY}/entries": str(sum(destination.entries for destination in destinations)),
        f"{MANAGED_BY}/first-seen": _moment(min((d.first_seen for d in destinations if d.first_seen), default=None)),
        f"{MANAGED_BY}/last-seen": _moment(max((d.last_seen for d in destinations if d.last_seen), default=None)),
        f"{MANAGED_BY}/workloads": _listed(_workloads(destinations), _WORKLOADS) or "unknown",
        f"{MANAGED_BY}/reason": reason,
    }


def _reason(candidate: Candidate, made: Edit | None) -> str:
    """What was seen, what is changed, by whose word it is allowed where it is a person's, and what else is let out."""
    sentences = [_seen(candidate.made_for)]
    if candidate.base is not None:
        sentences += _changes(candidate, made)
    elif any(EgressClass.REGISTERED in item.destination.by_class for item in candidate.made_for):
        sentences.append(_UNSEEN)
    sidecars = sorted({listing.sidecar.reference for listing in candidate.listings})
    if sidecars:
        sentences.append(f"Sidecar {', '.join(sidecars)} is edited to list it.")
    allowed = {item.reasons[0].text for item in candidate.made_for if item.reasons[0].code == "allowed_by_settings"}
    return " ".join([*sentences, *sorted(allowed), *([candidate.widens] if candidate.widens else [])])


def _seen(made_for: Sequence[Judged]) -> str:
    """How much was seen, from whom, and what became of it."""
    destinations = [item.destination for item in made_for]
    fates: Counter[EgressClass] = Counter()
    for destination in destinations:
        fates.update(destination.by_class)
    seen = ", ".join(f"{fates[word]:,} {words}" for word, words in _FATES.items() if fates[word])
    total = entries(sum(destination.entries for destination in destinations))
    callers = _listed(_workloads(destinations), _CALLERS) or "an unknown workload"
    return f"{total} from {callers}" + (f": {seen}." if seen else ".")


def _changes(candidate: Candidate, made: Edit | None) -> list[str]:
    """What an edit gives, and where."""
    change, reference = candidate.change, candidate.service_entry.reference
    where = _where(made)
    ports = ", ".join(f"{port.number} {port.protocol}" for port in change.ports)
    sentences = [f"Adds port {ports} to {reference}{where}."] if ports else []
    old = {port.number: port.protocol or "no protocol" for port in candidate.base.ports} if candidate.base else {}
    turned = ", ".join(f"{number} from {old[number]} to {protocol}" for number, protocol in change.protocols)
    if turned:
        sentences.append(f"Turns port {turned} in {reference}{where}.")
    if change.export_to:
        sentences.append(f"Exports {reference} to {', '.join(change.export_to)} as well{where}.")
    return sentences + _not_in_place(made)


def _where(made: Edit | None) -> str:
    return f" ({shown(made.file)}:{made.line})" if made else ""


def _not_in_place(made: Edit | None) -> list[str]:
    if made is not None and not made.why_not:
        return []
    why = made.why_not if made else "its document is not at hand"
    return [f"The file itself is not edited: {why}. This object replaces it until then."]


def _listed(workloads: Sequence[str], most: int) -> str:
    names = ", ".join(shown(workload) for workload in workloads[:most])
    more = f" and {len(workloads) - most} more" if len(workloads) > most else ""
    return f"{names}{more}"


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else "unknown"
