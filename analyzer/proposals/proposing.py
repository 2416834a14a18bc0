"""Propose manifests for legitimate egress, each proven by a replay, and say of everything else why there is none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from analyzer.evidence import Judged
from analyzer.mesh.model import Mesh, ServiceEntry
from analyzer.proposals.eligible import eligible, is_ours, not_proposed, placed, why_not_again
from analyzer.proposals.manifest_kind import Candidate, ManifestKind, known_manifest_kinds
from analyzer.proposals.naming import with_digest
from analyzer.proposals.proposal import NotProposed, Proposals
from analyzer.proposals.proving import prove
from analyzer.proposals.rendering import rendered
from analyzer.settings import Settings
from analyzer.simulation import Simulator
from analyzer.vocabulary import Mode


def propose(
    judged: Sequence[Judged],
    mesh: Mesh,
    settings: Settings,
    *,
    istio_version: str,
    mode: Mode = Mode.REGISTRY_ONLY,
) -> Proposals:
    """The manifests that make the legitimate egress explicit, and for every other destination why it gets none.

    Everything is replayed over the mesh as it is: what is proposed admits each destination that it was made for,
    lets out none that was judged otherwise, and stops nothing that works. Raises `UsageError` for an Istio version
    that is not supported.
    """
    ordered = sorted(judged, key=lambda item: item.key.order)
    everything = [replace(item, destination=placed(item.destination, settings)) for item in ordered]
    existing = {entry.reference: entry for entry in mesh.service_entries}
    before = Simulator(mesh, mode=mode, istio_version=istio_version)
    wanted, refused = eligible(everything, settings, before)
    kinds: dict[str, ManifestKind] = {}
    candidates: list[Candidate] = []
    for kind in known_manifest_kinds().values():
        for namespace, items in sorted(wanted.items()):
            made, unmakeable = kind.candidates(namespace, items, settings)
            refused += [not_proposed(item, no.code, no.reason) for no in unmakeable for item in no.judged]
            for candidate in _named(made, existing):
                kinds.update((each.service_entry.reference, kind) for each in (candidate, *candidate.narrower))
                candidates.append(candidate)
    proof = prove(candidates, everything, before, mode=mode, istio_version=istio_version)
    proposals = []
    for candidate in proof.kept:
        if _is_applied(candidate, existing):
            refused += [why_not_again(item, candidate.service_entry, before) for item in candidate.made_for]
        else:
            proposals.append(rendered(kinds[candidate.service_entry.reference], candidate, istio_version))
    return Proposals(
        proposed=tuple(sorted(proposals, key=lambda proposal: proposal.file)),
        not_proposed=tuple(sorted((*refused, *proof.dropped), key=_order)),
        warnings=tuple(proof.warnings),
    )


def _is_applied(candidate: Candidate, existing: Mapping[str, ServiceEntry]) -> bool:
    """Whether the mesh holds this very entry already."""
    entry = candidate.service_entry
    old = existing.get(entry.reference)
    return old is not None and _said(old) == _said(entry)


def _said(entry: ServiceEntry) -> tuple[object, ...]:
    return entry.hosts, entry.ports, entry.addresses, entry.resolution, entry.export_to, dict(entry.labels)


def _order(item: NotProposed) -> tuple[object, ...]:
    return (item.key.order, item.code)


def _named(candidates: Iterable[Candidate], existing: Mapping[str, ServiceEntry]) -> list[Candidate]:
    """Candidates under names that are free: applying one must not replace what somebody else wrote.

    What this program wrote for the same host is replaced, and keeps the ports that it has.
    """
    return [
        replace(
            _named_one(candidate, existing), narrower=tuple(_named_one(item, existing) for item in candidate.narrower)
        )
        for candidate in candidates
    ]


def _named_one(candidate: Candidate, existing: Mapping[str, ServiceEntry]) -> Candidate:
    entry = candidate.service_entry
    old = existing.get(entry.reference)
    if old is None:
        return candidate
    if is_ours(old) and old.hosts == entry.hosts:
        added = {port.number for port in entry.ports}
        kept = (*entry.ports, *(port for port in old.ports if port.number not in added))
        ports = tuple(sorted(kept, key=lambda port: port.number))
        return replace(candidate, service_entry=replace(entry, ports=ports))
    name = with_digest(entry.name, f"{entry.reference} beside another of that name")
    return replace(candidate, service_entry=replace(entry, name=name))
