"""An explanation as plain data for programs, and as a chain for people."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from analyzer.explaining.explanation import Explanation
from analyzer.explaining.learning import FIELD_OF_MECHANISM
from analyzer.readiness import Block
from analyzer.readiness.words import counted, sized
from analyzer.shapes import cause_as_json, destination_as_json, moment_as_json
from analyzer.simulation import ReplayedDestination
from analyzer.vocabulary import CLASS_OF, Verdict

_WIDTH = max(len(verdict) for verdict in Verdict)
"""Of the labels: no other is longer than a verdict."""


def explanation_as_json(explanation: Explanation) -> dict[str, Any]:
    """An explanation with the keys of the output contract."""
    refusal = explanation.not_proposed
    proposals = [
        {"file": proposal.file, "name": proposal.name, "namespace": proposal.namespace, "yaml": proposal.yaml}
        for proposal in explanation.proposals
    ]
    return {
        **destination_as_json(explanation.judged),
        "fates": [
            {
                "egress_class": CLASS_OF[fate.mechanism].value,
                "mechanism": fate.mechanism.value,
                "result": fate.result.value,
                "entries": fate.entries,
                "example": fate.example,
                "field": FIELD_OF_MECHANISM[fate.mechanism],
            }
            for fate in explanation.judged.destination.fates
        ],
        "names": [asdict(name) for name in explanation.names],
        "manifests": [touching.reference for touching in explanation.manifests],
        "touching": [asdict(touching) for touching in explanation.manifests],
        "causes": [cause_as_json(block) for block in explanation.causes],
        "proposal": next(iter(proposals), None),
        "proposals": proposals,
        "not_proposed": None if refusal is None else {"code": refusal.code, "reason": refusal.reason},
        "replay": _replay(explanation.replay),
        "replay_as_is": _replay(explanation.replay_as_is),
    }


def _replay(replayed: ReplayedDestination | None) -> dict[str, Any] | None:
    if replayed is None:
        return None
    decision = replayed.decision
    return {
        "outcome": decision.outcome.value,
        "rule": decision.rule,
        "because": decision.because,
        "by": decision.by,
        "unguarded": decision.unguarded,
        "conditions": list(decision.conditions),
    }


def explanation_as_text(explanation: Explanation) -> Iterator[str]:
    """An explanation for people: lines, names, verdict, the mesh as it is, cause, proposal, replay."""
    judged = explanation.judged
    destination, key = judged.destination, judged.key
    who = "/".join(part or "unknown" for part in (key.source_namespace, key.source_workload))
    yield f"{destination.name} ({key.application_protocol}) called by {who}"
    yield from _lines("lines", _evidence(explanation))
    yield from _lines("name", (f"{name.name}: {name.learned_from}" for name in explanation.names))
    yield from _lines(judged.verdict, (f"{reason.text} [{reason.code}]" for reason in judged.reasons))
    yield from _lines("manifest", (f"{m.reference} by {m.how}{_at(m.place)}" for m in explanation.manifests))
    yield from _lines("as it is", _decided(explanation.replay_as_is))
    for block in explanation.causes:
        yield from _lines("cause", _cause(block))
    yield from _lines("proposed", (f"{proposal.file}: {proposal.reason}" for proposal in explanation.proposals))
    if explanation.not_proposed is not None:
        yield from _lines("no entry", [f"{explanation.not_proposed.reason} [{explanation.not_proposed.code}]"])
    yield from _lines("replayed", _decided(explanation.replay))


def _lines(label: str, texts: Any) -> Iterator[str]:
    """Texts under one label, which stands before the first of them."""
    for place, text in enumerate(texts):
        yield f"  {label if place == 0 else '':<{_WIDTH}} {text}"


def _evidence(explanation: Explanation) -> Iterator[str]:
    destination = explanation.judged.destination
    seen = f"{moment_as_json(destination.first_seen) or '?'} to {moment_as_json(destination.last_seen) or '?'}"
    amount = sized(destination.bytes_received + destination.bytes_sent)
    pods = f", {counted(destination.pods_seen, 'pod')}" if destination.pods_seen else ""
    yield f"{counted(destination.entries, 'entry', 'entries')} ({amount}{pods}), {seen}"
    for fate in destination.fates:
        yield (
            f"{fate.entries:,} {CLASS_OF[fate.mechanism]}, {fate.result}, first {fate.example}: "
            f"{FIELD_OF_MECHANISM[fate.mechanism]}"
        )
    if destination.tampered_entries:
        yield f"{destination.tampered_entries:,} of them were forged by their client, so little of them is believed"


def _cause(block: Block) -> Iterator[str]:
    cause = block.cause
    yield f"{cause.because} [{cause.code}, {counted(block.entries, 'entry', 'entries')}, {block.refused:,} refused]"
    notes = [cause.place] if cause.place else []
    if block.proven is not None:
        notes.append("replayed: it lets them out" if block.proven else "replayed: not enough by itself")
    yield f"{cause.repair} [{'; '.join(notes)}]" if notes else cause.repair


def _decided(replayed: ReplayedDestination | None) -> Iterator[str]:
    if replayed is not None:
        decision = replayed.decision
        by = f", by {decision.by}" if decision.by else ""
        loose = "; neither host nor server name is checked" if decision.unguarded else ""
        yield f"{decision.outcome}: {decision.because} [{decision.rule}{by}{loose}]"


def _at(place: str | None) -> str:
    return f" at {place}" if place else ""
