"""Ask the simulator what candidates would do, and keep those that admit their own and nobody else.

A candidate that does more is replaced by narrower ones where its kind offers them, else it loses the guilty port,
else it is dropped; then everything is asked anew, until nothing is left to object to.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from analyzer.detection.texts import entries, shown
from analyzer.evidence import Judged
from analyzer.mesh.model import Mesh
from analyzer.proposals.conflicts import protocol_conflicts
from analyzer.proposals.eligible import not_proposed
from analyzer.proposals.listing import listed_sidecars
from analyzer.proposals.manifest_kind import Candidate
from analyzer.proposals.proposal import NotProposed
from analyzer.proposals.side_effects import Board, Place, PortOf, is_let_out
from analyzer.simulation import Simulator
from analyzer.vocabulary import Mode, Outcome

Objections = dict[PortOf, tuple[str, str]]
"""What speaks against a candidate's port: a code and a sentence."""


@dataclass
class Proof:
    """What stood the test, what did not, and what is worth a word."""

    kept: list[Candidate]
    dropped: list[NotProposed] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def prove(
    candidates: Sequence[Candidate],
    judged: Sequence[Judged],
    before: Simulator,
    *,
    mode: Mode,
    istio_version: str,
    dropped: Iterable[NotProposed] = (),
) -> Proof:
    """Keep what admits each destination that it was made for and changes nothing for any other.

    `dropped` did not stand the test before.
    """
    proof = Proof(list(candidates), list(dropped))
    board = Board(judged, before)
    places: Iterable[Place] = board.reached(candidates)
    asked_all = True
    while True:
        mesh = before.mesh.over(changed_objects(proof.kept))
        after = Simulator(mesh, mode=mode, istio_version=istio_version)
        board.replay(after, proof.kept, places)
        objections = _objections(proof.kept, before.mesh, board, after, None if asked_all else set(places))
        if not objections and asked_all:
            proof.kept = [_without_failing(item, after, proof.dropped) for item in proof.kept]
            proof.warnings = sorted({warning for item in proof.kept for warning in _shortfalls(item, after)})
            return proof
        left = [left for candidate in proof.kept for left in _mended(candidate, objections, proof.dropped)]
        changed = {id(candidate) for candidate in (*proof.kept, *left)}
        changed -= {id(candidate) for candidate in proof.kept} & {id(candidate) for candidate in left}
        places = board.reached(item for item in (*proof.kept, *left) if id(item) in changed)
        proof.kept = left
        asked_all = not objections  # nothing left to object to: ask everything once more
        if asked_all:
            places = board.places


def changed_objects(candidates: Iterable[Candidate]) -> Mesh:
    """The entries and Sidecars that candidates make or change."""
    kept = tuple(candidates)
    return Mesh(
        service_entries=tuple(candidate.service_entry for candidate in kept if candidate.makes_entry),
        sidecars=listed_sidecars(listing for candidate in kept for listing in candidate.listings),
    )


def _objections(
    candidates: Sequence[Candidate], mesh: Mesh, board: Board, after: Simulator, places: set[Place] | None
) -> Objections:
    """What speaks against candidates; whom they admit is looked at in some places only, if any are given."""
    found: Objections = {}
    for name, number, text in protocol_conflicts(candidates, mesh):
        found[name, number] = "protocol_conflict", text
    known = {candidate.name: candidate for candidate in candidates}
    for where, effect in board.effects().items():
        if where[0] in known:
            found[where] = effect.code, effect.sentence(known[where[0]], where[1])
    if found:
        return found  # who is in another's way first; those whom it kept out may be admitted then
    for candidate in candidates:
        reference = candidate.service_entry.reference
        name = candidate.name
        for port, items in _by_port(candidate):
            if places is not None and not any((_namespace(item), port) in places for item in items):
                continue
            if not any(_is_admitted(item, after, reference) for item in items):
                found[name, port] = _why_not_admitted(reference, items, after)
    return found


def _namespace(item: Judged) -> str | None:
    requests = item.destination.requests
    return requests[0].key.source_namespace if requests else item.key.source_namespace


def _by_port(candidate: Candidate) -> list[tuple[int | None, list[Judged]]]:
    by_port: dict[int | None, list[Judged]] = defaultdict(list)
    for item in candidate.made_for:
        by_port[item.key.destination_port].append(item)
    return sorted(by_port.items(), key=lambda pair: pair[0] or 0)


def _is_admitted(item: Judged, after: Simulator, reference: str) -> bool:
    """Whether some request gets out; without a look at its name only where a person allowed that."""
    allowed = item.reasons[0].code == "allowed_by_settings"
    decisions = (after.decide(request) for request in item.destination.requests)
    return any(
        not decision.stray and is_let_out(decision) and (allowed or not decision.unguarded or decision.by != reference)
        for decision in decisions
    )


def _without_failing(candidate: Candidate, after: Simulator, dropped: list[NotProposed]) -> Candidate:
    """A candidate speaks only for those that it helps: others may use the same port, and ask in a way that fails."""
    reference = candidate.service_entry.reference
    helped: list[Judged] = []
    failing: list[Judged] = []
    for item in candidate.made_for:
        (helped if _is_admitted(item, after, reference) else failing).append(item)
    dropped += [not_proposed(item, *_why_not_admitted(reference, [item], after)) for item in failing]
    return candidate.only(helped) if failing else candidate


def _why_not_admitted(reference: str, items: Iterable[Judged], after: Simulator) -> tuple[str, str]:
    decisions = [after.decide(request) for item in items for request in item.destination.requests]
    open_to_all = next((d for d in decisions if d.by == reference and d.unguarded and is_let_out(d)), None)
    if open_to_all is not None:
        return "would_open_port", f"{reference} would let out whatever goes there, unguarded: {open_to_all.because}"
    why = next((decision.because for decision in decisions), "No request of it is known.")
    return "not_admitted", f"Replayed, {reference} does not admit this: {why}"


def _mended(candidate: Candidate, objections: Objections, dropped: list[NotProposed]) -> Iterator[Candidate]:
    """What is left of a candidate: itself, narrower ones, itself with fewer ports, or nothing."""
    own = candidate.name
    against = {port: objection for (name, port), objection in objections.items() if name == own}
    if not against:
        yield candidate
        return
    if candidate.narrower:
        yield from candidate.narrower
        return
    left = candidate.without_ports(against)
    kept = {item.key for item in left.made_for} if left else set()
    any_objection = next(iter(against.values()))
    dropped += [
        not_proposed(item, *against.get(item.key.destination_port, any_objection))
        for item in candidate.made_for
        if item.key not in kept
    ]
    if left is not None:
        yield left


def _shortfalls(candidate: Candidate, after: Simulator) -> Iterator[str]:
    """What a proposal leaves out of its own destinations: odd requests among good ones, open conditions."""
    for item in candidate.made_for:
        for request in item.destination.requests:
            decision = after.decide(request)
            if decision.outcome is not Outcome.ALLOWED:
                yield (
                    f"{shown(item.destination.name)} of {shown(item.key.source_workload or 'an unknown workload')}: "
                    f"{entries(request.entries)} would be {decision.outcome.value}. {decision.because}"
                )
