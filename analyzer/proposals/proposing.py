"""Propose manifests for legitimate egress, each proven by a replay, and say of everything else why there is none."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import replace

from analyzer.evidence import Judged
from analyzer.mesh.model import Mesh
from analyzer.proposals.eligible import eligible, not_proposed, placed
from analyzer.proposals.extending import extended
from analyzer.proposals.guarding import guarded
from analyzer.proposals.manifest_kind import Candidate, ManifestKind, Unmakeable, known_manifest_kinds
from analyzer.proposals.naming import with_digest
from analyzer.proposals.patching import patched
from analyzer.proposals.proposal import NotProposed, Proposals
from analyzer.proposals.proving import changed_objects, prove
from analyzer.proposals.rendering import rendered, rendered_sidecars
from analyzer.proposals.sharing import shared
from analyzer.proposals.unlisted import Unlisted
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

    Everything is replayed over the mesh as it is, but for Sidecars that let anything out, which are taken to follow
    the mesh's mode: what is proposed admits each destination that it was made for, lets out none that was judged
    otherwise, and stops nothing that works. Raises `UsageError` for an Istio version
    that is not supported.
    """
    ordered = sorted(judged, key=lambda item: item.key.order)
    everything = [_at_home(item, settings) for item in ordered]
    original, mesh = mesh, _switched(mesh)
    before = Simulator(mesh, mode=mode, istio_version=istio_version)
    unlisted = Unlisted(before)
    wanted = eligible(everything, settings, before, unlisted)
    refused = wanted.refused
    taken = {entry.reference for entry in mesh.service_entries}
    kinds: dict[str, ManifestKind] = {}
    candidates: list[Candidate] = []
    for kind in known_manifest_kinds().values():
        made: list[Candidate] = []
        unmakeable: list[Unmakeable] = []
        for namespace, items in sorted(wanted.new.items()):
            more, cannot = kind.candidates(namespace, items, settings, istio_version)
            made += more
            unmakeable += cannot
        made = shared(made, unmakeable)
        if kind.name == "ServiceEntry":
            for _, lacking in sorted(wanted.lacking.items()):
                edits, cannot = extended(lacking, unlisted, settings, mesh.config.root_namespace)
                made += edits
                unmakeable += cannot
        refused += [not_proposed(item, no.code, no.reason) for no in unmakeable for item in no.judged]
        for candidate in map(unlisted.given, _named(made, taken)):
            if not (candidate.makes_entry or candidate.listings):
                refused += [_still_hidden(item, candidate) for item in candidate.made_for]
                continue
            kinds.update((each.service_entry.reference, kind) for each in (candidate, *candidate.narrower))
            candidates.append(candidate)
    proof = prove(candidates, everything, before, mode=mode, istio_version=istio_version)
    after = Simulator(mesh.over(changed_objects(proof.kept)), mode=mode, istio_version=istio_version)
    edits = guarded(proof.kept, everything, mesh, after)
    if edits:
        names = {edit.name for edit in edits}
        rest = [candidate for candidate in proof.kept if candidate.name not in names]
        kinds.update((edit.service_entry.reference, known_manifest_kinds()["ServiceEntry"]) for edit in edits)
        proof = prove(
            [*rest, *edits], everything, before, mode=mode, istio_version=istio_version, dropped=proof.dropped
        )
        helped = {item.key for candidate in proof.kept for item in candidate.made_for}
        refused = [item for item in refused if item.key not in helped]
        known = {item.key for item in refused}
        proof.dropped = [item for item in proof.dropped if item.key not in known]
    written = [
        rendered(kinds[item.service_entry.reference], item, istio_version) for item in proof.kept if item.makes_entry
    ]
    written += rendered_sidecars(proof.kept, original)
    proposals, patches = patched(written)
    return Proposals(
        proposed=tuple(sorted(proposals, key=lambda proposal: proposal.file)),
        not_proposed=tuple(sorted((*refused, *proof.dropped), key=_order)),
        patches=tuple(patches),
        warnings=tuple(proof.warnings),
    )


def _switched(mesh: Mesh) -> Mesh:
    """The mesh with all its Sidecars switched, but those that send what is not registered to a proxy of their own."""
    lax = (
        replace(sidecar, outbound_policy=None)
        for sidecar in mesh.sidecars
        if sidecar.outbound_policy is not None and sidecar.outbound_policy.egress_proxy is None
    )
    return mesh.over(Mesh(sidecars=tuple(lax)))


def _still_hidden(item: Judged, candidate: Candidate) -> NotProposed:
    text = (
        f"The egress list of a Sidecar hides {candidate.service_entry.reference}, and there is no line that could be "
        "added in its document."
    )
    return not_proposed(item, "existing_entry", text)


def _at_home(item: Judged, settings: Settings) -> Judged:
    """A destination with its requests from where they are replayed."""
    destination = placed(item.destination, settings)
    return item if destination is item.destination else replace(item, destination=destination)


def _order(item: NotProposed) -> tuple[object, ...]:
    return (item.key.order, item.code)


def _named(candidates: Iterable[Candidate], taken: Container[str]) -> list[Candidate]:
    """Candidates under names that are free: applying a new one must not replace what somebody else wrote."""
    return [
        replace(_named_one(candidate, taken), narrower=tuple(_named_one(item, taken) for item in candidate.narrower))
        for candidate in candidates
    ]


def _named_one(candidate: Candidate, taken: Container[str]) -> Candidate:
    entry = candidate.service_entry
    if candidate.base is not None or entry.reference not in taken:
        return candidate
    name = with_digest(entry.name, f"{entry.reference} beside another of that name")
    return replace(candidate, service_entry=replace(entry, name=name))
