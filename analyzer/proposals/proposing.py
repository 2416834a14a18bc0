"""Make candidates, ask the simulator, keep what is proven: each admits what it was made for and nothing else."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from analyzer.evidence import Destination, DestinationKey, Judged
from analyzer.mesh.model import Mesh
from analyzer.mesh.names import is_dns1123_label
from analyzer.proposals.manifest_kind import Candidate, ManifestKind, Unmakeable, known_manifest_kinds
from analyzer.proposals.manifest_yaml import as_yaml
from analyzer.proposals.proposal import NotProposed, Proposal, Proposals
from analyzer.settings import Settings
from analyzer.simulation import Simulator
from analyzer.vocabulary import EgressClass, Mode, Outcome, Verdict

_NEEDS_NOTHING = (EgressClass.IN_MESH, EgressClass.REGISTERED)
_FEW = 3


def propose(judged: Sequence[Judged], mesh: Mesh, settings: Settings, *, istio_version: str) -> Proposals:
    """The manifests that make the legitimate egress explicit, and for everything else why there is none.

    Every proposal is replayed under REGISTRY_ONLY over the mesh as it is: it is dropped if a destination that it
    was made for is not admitted, or if one with another verdict newly is.
    """
    not_proposed: list[NotProposed] = []
    wanted: dict[str, list[Judged]] = defaultdict(list)
    before = Simulator(mesh, mode=Mode.REGISTRY_ONLY, istio_version=istio_version)
    for item in judged:
        reason = _why_not(item, settings, before)
        if reason is not None:
            not_proposed.append(reason)
        else:
            namespace = item.key.source_namespace or settings.proposals.default_namespace or ""
            wanted[namespace].append(item)
    proven: list[tuple[ManifestKind, Candidate]] = []
    for kind in known_manifest_kinds().values():
        candidates: list[Candidate] = []
        for namespace, items in sorted(wanted.items()):
            made, unmakeable = kind.candidates(namespace, items, settings)
            candidates += made
            not_proposed += [reason for cannot in unmakeable for reason in _cannot(cannot)]
        kept, dropped = _prove(candidates, judged, mesh, istio_version)
        proven += [(kind, candidate) for candidate in kept]
        not_proposed += dropped
    proposals = sorted((_proposal(kind, candidate, istio_version) for kind, candidate in proven), key=lambda p: p.file)
    return Proposals(
        proposed=tuple(proposals),
        not_proposed=tuple(sorted(not_proposed, key=lambda item: (item.key.order, item.code))),
    )


def _why_not(item: Judged, settings: Settings, before: Simulator) -> NotProposed | None:
    """Why a destination needs no manifest or may have none; null where one should be made."""
    destination = item.destination
    if all(egress_class in _NEEDS_NOTHING for egress_class in destination.by_class):
        return _not(item, "already_registered", "Every entry left under the registry already; nothing is missing.")
    if item.verdict is not Verdict.LEGITIMATE:
        first = item.reasons[0]
        return _not(item, first.code, first.text)
    if item.key.source_namespace is None and settings.proposals.default_namespace is None:
        return _not(
            item,
            "source_namespace_unknown",
            "The log does not show which namespace called: ingest with `--label source_namespace=NAME`, keep the "
            "kubelet's file names, or set `proposals.default_namespace`.",
        )
    namespace = item.key.source_namespace or settings.proposals.default_namespace or ""
    if not is_dns1123_label(namespace):
        return _not(item, "source_namespace_invalid", "The namespace that the log names is none that Kubernetes knows.")
    if not before.mesh.is_empty and _is_admitted(before, destination):
        return _not(item, "already_admitted", "The mesh as given admits every request of this destination already.")
    return None


def _prove(
    candidates: Sequence[Candidate], judged: Sequence[Judged], mesh: Mesh, istio_version: str
) -> tuple[list[Candidate], list[NotProposed]]:
    """Drop candidates until every one that is left admits its own and no other."""
    kept = list(candidates)
    dropped: list[NotProposed] = []
    before = Simulator(mesh, mode=Mode.REGISTRY_ONLY, istio_version=istio_version)
    while True:
        after = Simulator(
            mesh.over(Mesh(tuple(candidate.service_entry for candidate in kept))),
            mode=Mode.REGISTRY_ONLY,
            istio_version=istio_version,
        )
        guilty = _side_effects(kept, judged, before, after)
        failing = [
            candidate
            for candidate in kept
            if not all(_is_admitted(after, item.destination) for item in candidate.made_for)
        ]
        if not guilty and not failing:
            return kept, dropped
        for candidate in kept:
            reference = candidate.service_entry.reference
            if reference in guilty:
                others = ", ".join(guilty[reference][:_FEW])
                text = f"{reference} would also admit what was not judged legitimate: {others}."
                dropped += [_not(item, "would_admit_others", text) for item in candidate.made_for]
            elif candidate in failing:
                text = f"Replayed, {reference} does not admit this: {_why_refused(after, candidate)}"
                dropped += [_not(item, "not_admitted_in_replay", text) for item in candidate.made_for]
        kept = [c for c in kept if c.service_entry.reference not in guilty and c not in failing]


def _side_effects(
    candidates: Sequence[Candidate], judged: Iterable[Judged], before: Simulator, after: Simulator
) -> dict[str, list[str]]:
    """Which candidates newly admit a destination that they were not made for, and which destinations."""
    own: dict[DestinationKey, set[str]] = defaultdict(set)
    for candidate in candidates:
        for item in candidate.made_for:
            own[item.key].add(candidate.service_entry.reference)
    proposed = {candidate.service_entry.reference for candidate in candidates}
    guilty: dict[str, list[str]] = defaultdict(list)
    for item in judged:
        for request in item.destination.requests:
            decision = after.decide(request)
            if decision.by not in proposed or decision.by in own[item.key] or decision.by is None:
                continue
            let_out = decision.outcome in (Outcome.ALLOWED, Outcome.MISDIRECTED)
            if let_out and item.verdict is not Verdict.LEGITIMATE and before.decide(request).outcome is Outcome.BLOCKED:
                guilty[decision.by].append(item.destination.name)
            elif decision.outcome is Outcome.MISDIRECTED:
                guilty[decision.by].append(item.destination.name)
    return {reference: sorted(set(names)) for reference, names in guilty.items()}


def _is_admitted(simulator: Simulator, destination: Destination) -> bool:
    return all(simulator.decide(request).outcome is Outcome.ALLOWED for request in destination.requests)


def _why_refused(simulator: Simulator, candidate: Candidate) -> str:
    decisions = (simulator.decide(r) for item in candidate.made_for for r in item.destination.requests)
    return next((d.because for d in decisions if d.outcome is not Outcome.ALLOWED), "")


def _proposal(kind: ManifestKind, candidate: Candidate, istio_version: str) -> Proposal:
    entry = candidate.service_entry
    destinations = [item.destination for item in candidate.made_for]
    first = min((d.first_seen for d in destinations if d.first_seen is not None), default=None)
    last = max((d.last_seen for d in destinations if d.last_seen is not None), default=None)
    workloads = tuple(sorted({d.key.source_workload for d in destinations if d.key.source_workload}))
    entries = sum(destination.entries for destination in destinations)
    annotations = {
        "egress-audit/entries": str(entries),
        "egress-audit/first-seen": first.strftime("%Y-%m-%dT%H:%M:%SZ") if first else "unknown",
        "egress-audit/last-seen": last.strftime("%Y-%m-%dT%H:%M:%SZ") if last else "unknown",
        "egress-audit/workloads": ",".join(workloads) or "unknown",
        "egress-audit/reason": candidate.reason,
    }
    if candidate.needs_review:
        annotations["egress-audit/needs-review"] = "true"
    return Proposal(
        kind=kind.name,
        namespace=entry.namespace,
        name=entry.name,
        file=f"manifests/{entry.namespace}/{entry.name}.yaml",
        yaml=as_yaml(kind.document(entry, annotations, istio_version)),
        service_entry=entry,
        destinations=tuple(sorted((item.key for item in candidate.made_for), key=lambda key: key.order)),
        entries=entries,
        first_seen=first,
        last_seen=last,
        workloads=workloads,
        reason=candidate.reason,
        needs_review=candidate.needs_review,
    )


def _cannot(unmakeable: Unmakeable) -> list[NotProposed]:
    return [_not(item, unmakeable.code, unmakeable.reason) for item in unmakeable.judged]


def _not(item: Judged, code: str, reason: str) -> NotProposed:
    return NotProposed(item.key, item.verdict, code, reason, item.destination.entries)
