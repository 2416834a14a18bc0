"""Ask the simulator what candidates would do, and keep those that admit their own and nobody else.

A candidate that does more is replaced by narrower ones where its kind offers them, else it loses the guilty port,
else it is dropped; then everything is asked anew, until nothing is left to object to.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from analyzer.detection.texts import entries, shown
from analyzer.evidence import Destination, DestinationKey, Judged
from analyzer.mesh.model import Mesh
from analyzer.proposals.conflicts import protocol_conflicts
from analyzer.proposals.eligible import not_proposed
from analyzer.proposals.manifest_kind import Candidate
from analyzer.proposals.proposal import NotProposed
from analyzer.simulation import Decision, Simulator
from analyzer.vocabulary import Mode, Outcome, Verdict

_FEW = 3
_HARMLESS = frozenset(("sni_unknown", "host_unknown"))
"""Conditions that rest on a name which the log does not hold: the name itself is what a proposal looks at."""


@dataclass
class Proof:
    """What stood the test, what did not, and what is worth a word."""

    kept: list[Candidate]
    dropped: list[NotProposed] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


_Port = tuple[str, int | None]
"""`<namespace>/<name>` of a candidate and one of its port numbers."""


def prove(
    candidates: Sequence[Candidate], judged: Sequence[Judged], before: Simulator, *, mode: Mode, istio_version: str
) -> Proof:
    """Keep what admits each destination that it was made for and changes nothing for any other."""
    proof = Proof(list(candidates))
    while True:
        mesh = before.mesh.over(Mesh(tuple(candidate.service_entry for candidate in proof.kept)))
        after = Simulator(mesh, mode=mode, istio_version=istio_version)
        objections = _objections(proof.kept, judged, before, after)
        if not objections:
            proof.kept = [_without_failing(item, after, proof.dropped) for item in proof.kept]
            proof.warnings = sorted({warning for item in proof.kept for warning in _shortfalls(item, after)})
            return proof
        proof.kept = [left for candidate in proof.kept for left in _mended(candidate, objections, proof.dropped)]


def is_let_out(decision: Decision) -> bool:
    """Whether a request would leave the mesh, or would on a condition other than its own name."""
    if decision.outcome is Outcome.CONDITIONAL:
        return not _HARMLESS.intersection(decision.conditions)
    return decision.outcome in (Outcome.ALLOWED, Outcome.MISDIRECTED)


def _objections(
    candidates: Sequence[Candidate], judged: Iterable[Judged], before: Simulator, after: Simulator
) -> dict[_Port, tuple[str, str]]:
    """What speaks against a candidate's port: a code and a sentence."""
    found: dict[_Port, tuple[str, str]] = {}
    for name, number, text in protocol_conflicts(candidates):
        found[name, number] = "protocol_conflict", text
    admitted, broken = _side_effects(candidates, judged, before, after)
    for (reference, port), names in broken.items():
        found[reference, port] = "would_break_others", f"{reference} would break what works: {_few(names)}."
    for (reference, port), names in admitted.items():
        text = f"{reference} would also let out what it was not made for: {_few(names)}."
        found[reference, port] = "would_admit_others", text
    if found:
        return found  # who is in another's way first; those whom it kept out may be admitted then
    for candidate in candidates:
        reference = candidate.service_entry.reference
        for port, items in _by_port(candidate):
            if any(_is_admitted(item, after, reference) for item in items):
                continue
            found[reference, port] = "not_admitted", _why_not_admitted(reference, items, after)
    return found


def _side_effects(
    candidates: Sequence[Candidate], judged: Iterable[Judged], before: Simulator, after: Simulator
) -> tuple[dict[_Port, set[str]], dict[_Port, set[str]]]:
    """Whom candidates newly let out although they were not made for them, and whom they stop; by candidate and port."""
    own = _owners(candidates)
    proposed = {candidate.service_entry.reference: candidate for candidate in candidates}
    admitted: dict[_Port, set[str]] = defaultdict(set)
    broken: dict[_Port, set[str]] = defaultdict(set)
    for item in judged:
        for request in item.destination.requests:
            was, now = before.decide(request), after.decide(request)
            if now.outcome is was.outcome and now.by == was.by:
                continue
            port = request.destination_port
            if was.outcome is Outcome.ALLOWED and (now.outcome is Outcome.MISDIRECTED or not is_let_out(now)):
                for culprit in _culprits(now, item.destination, proposed):
                    broken[culprit, port].add(item.destination.name)
            elif now.by in proposed and now.by is not None and now.by not in own[item.key]:
                newly = item.verdict is not Verdict.LEGITIMATE and is_let_out(now) and not is_let_out(was)
                if newly or now.outcome is Outcome.MISDIRECTED:
                    admitted[now.by, port].add(item.destination.name)
    return admitted, broken


def _owners(candidates: Iterable[Candidate]) -> dict[DestinationKey, set[str]]:
    own: dict[DestinationKey, set[str]] = defaultdict(set)
    for candidate in candidates:
        for item in candidate.made_for:
            own[item.key].add(candidate.service_entry.reference)
    return own


def _culprits(decision: Decision, destination: Destination, proposed: dict[str, Candidate]) -> list[str]:
    """Who stops a request: the entry that decided, else those for the same host, else those on the same port."""
    if decision.by in proposed and decision.by is not None:
        return [decision.by]
    host, port = destination.key.host, destination.key.destination_port
    same_host = [reference for reference, item in proposed.items() if host in item.service_entry.hosts]
    return same_host or [
        reference
        for reference, item in proposed.items()
        if port in {declared.number for declared in item.service_entry.ports}
    ]


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
        decision.outcome is not Outcome.MISDIRECTED
        and is_let_out(decision)
        and (allowed or not decision.unguarded or decision.by != reference)
        for decision in decisions
    )


def _without_failing(candidate: Candidate, after: Simulator, dropped: list[NotProposed]) -> Candidate:
    """A candidate speaks only for those that it helps: others may use the same port, and ask in a way that fails."""
    reference = candidate.service_entry.reference
    helped = tuple(item for item in candidate.made_for if _is_admitted(item, after, reference))
    dropped += [
        not_proposed(item, "not_admitted", _why_not_admitted(reference, [item], after))
        for item in candidate.made_for
        if item not in helped
    ]
    return replace(candidate, made_for=helped)


def _why_not_admitted(reference: str, items: Iterable[Judged], after: Simulator) -> str:
    decisions = (after.decide(request) for item in items for request in item.destination.requests)
    why = next((decision.because for decision in decisions), "No request of it is known.")
    return f"Replayed, {reference} does not admit this: {why}"


def _mended(
    candidate: Candidate, objections: dict[_Port, tuple[str, str]], dropped: list[NotProposed]
) -> Iterator[Candidate]:
    """What is left of a candidate: itself, narrower ones, itself with fewer ports, or nothing."""
    reference = candidate.service_entry.reference
    against = {port: objection for (name, port), objection in objections.items() if name == reference}
    if not against:
        yield candidate
        return
    if candidate.narrower:
        yield from candidate.narrower
        return
    left = candidate.without_ports(against)
    kept = left.made_for if left else ()
    any_objection = next(iter(against.values()))
    dropped += [
        not_proposed(item, *against.get(item.key.destination_port, any_objection))
        for item in candidate.made_for
        if item not in kept
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


def _few(names: Iterable[str]) -> str:
    ordered = sorted(shown(name) for name in names)
    more = f" and {len(ordered) - _FEW} more" if len(ordered) > _FEW else ""
    return ", ".join(ordered[:_FEW]) + more
