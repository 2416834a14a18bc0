"""The cause of every block: of what the log shows refused, of what the switch would refuse, and of what merely failed.

Each cause comes with the smallest change that would mend it; the changes are made together in a copy of the mesh and
replayed, so that `proven` says what was seen and not what was hoped.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from analyzer.detection.texts import entries
from analyzer.evidence import Destination, DestinationKey, Judged, Request
from analyzer.proposals import Proposal
from analyzer.readiness.cause import Case, Cause
from analyzer.readiness.edits import edited
from analyzer.readiness.questions import cause_of
from analyzer.readiness.relatives import Relatives
from analyzer.readiness.sight import Sight
from analyzer.settings import Settings
from analyzer.simulation import Decision, Simulator
from analyzer.vocabulary import CauseCode, EgressClass, Outcome, Result, Verdict

_FINE = frozenset((Result.OK, Result.CLIENT_RESET, Result.REFUSED_BY_POLICY))
_SILENT = frozenset((EgressClass.NO_ROUTE, EgressClass.INBOUND))


@dataclass(frozen=True)
class Block:
    """One cause among the entries of one destination.

    `refused` counts entries that the log shows refused, `entries` those and the ones that get out today and would be
    refused under REGISTRY_ONLY. `proven` says whether the change, replayed, lets all of them out (null where there is
    no change to replay); `proposal` is the file of the proposal that does.
    """

    key: DestinationKey
    verdict: Verdict
    cause: Cause
    entries: int
    refused: int
    proven: bool | None = None
    proposal: str | None = None
    examples: tuple[str, ...] = ()


def blocks_of(
    judged: Sequence[Judged],
    at_home: Mapping[DestinationKey, Destination],
    *,
    as_is: Simulator,
    proposed: Simulator,
    proposals: Iterable[Proposal],
    settings: Settings,
) -> tuple[Block, ...]:
    """Every cause of every destination, those with most entries first."""
    finder = _Finder(as_is, settings)
    # Of a proposal and the Sidecar that is to list it, the Sidecar is named only where there is nothing else.
    last = sorted(proposals, key=lambda proposal: proposal.kind != "Sidecar")
    files = {key: proposal.file for proposal in last for key in proposal.destinations}
    found = [
        (block, requests)
        for item in judged
        for block, requests in finder.blocks(item, at_home[item.key].requests, files.get(item.key))
    ]
    repaired = Simulator(
        edited(as_is.mesh, (edit for block, _ in found for edit in block.cause.edits)),
        mode=as_is.mode,
        istio_version=as_is.istio_version,
    )
    proven = [_proven(block, requests, repaired, proposed) for block, requests in found]
    return tuple(sorted(proven, key=lambda block: (-block.entries, block.key.order, block.cause.code)))


class _Finder:
    """Asks for the cause of each request; what each namespace sees is looked up once."""

    def __init__(self, as_is: Simulator, settings: Settings) -> None:
        self._as_is, self._settings = as_is, settings
        self._relatives = Relatives(as_is.mesh)
        self._sights: dict[str, Sight] = {}

    def blocks(
        self, item: Judged, requests: Sequence[Request], proposal: str | None
    ) -> list[tuple[Block, list[Request]]]:
        """The causes among one destination's requests, each with the requests that it explains."""
        if set(item.destination.by_class) == {EgressClass.IN_MESH}:
            return []
        causes: dict[tuple[CauseCode, str | None, str], list[Request]] = defaultdict(list)
        values: dict[tuple[CauseCode, str | None, str], Cause] = {}
        for request in requests:
            cause = self._cause(request, self._as_is.decide(request))
            if cause is not None:
                place = (cause.code, cause.object, cause.because)
                values[place] = cause
                causes[place].append(request)
        found = [(self._block(item, values[place], causes[place], proposal), causes[place]) for place in causes]
        failure = _failure(item, self._settings)
        return found if failure is None else [*found, (failure, [])]

    def _cause(self, request: Request, decision: Decision) -> Cause | None:
        refused = request.egress_class is EgressClass.BLOCKED
        if request.egress_class in _SILENT:
            return None
        if decision.outcome is Outcome.ALLOWED and not (refused and decision.stray):
            return _registered_since(decision) if refused else None
        if decision.outcome is Outcome.CONDITIONAL and not refused:
            return None
        return cause_of(Case(request, decision, self._sight(request.key.source_namespace or ""), self._settings))

    def _block(self, item: Judged, cause: Cause, requests: Sequence[Request], proposal: str | None) -> Block:
        refused = sum(request.entries for request in requests if request.egress_class is EgressClass.BLOCKED)
        return Block(
            key=item.key,
            verdict=item.verdict,
            cause=_with_verdict(cause, item),
            entries=sum(request.entries for request in requests),
            refused=refused,
            proposal=proposal,
            examples=item.destination.examples,
        )

    def _sight(self, namespace: str) -> Sight:
        if namespace not in self._sights:
            self._sights[namespace] = Sight(self._as_is.mesh, self._relatives, namespace, self._as_is.istio_version)
        return self._sights[namespace]


def _with_verdict(cause: Cause, item: Judged) -> Cause:
    """What should stay refused is not to be mended; what is in the cluster is not an entry's business."""
    if item.verdict in (Verdict.DENIED, Verdict.SUSPICIOUS):
        why = f"Nothing, unless a person decides otherwise: it is judged {item.verdict.value} [{item.reasons[0].code}]."
        return replace(cause, repair=why, edits=())
    if item.verdict is Verdict.INTERNAL and cause.code is CauseCode.NO_ENTRY:
        return replace(cause, repair=f"Not an entry's business: {item.reasons[0].text}")
    return cause


def _registered_since(decision: Decision) -> Cause:
    return Cause(
        CauseCode.REGISTERED_SINCE,
        f"The log shows it refused, and the mesh as it is now admits it: {decision.because}",
        "Nothing; look whether it is still refused in a log that is younger than the entry.",
    )


def _failure(item: Judged, settings: Settings) -> Block | None:
    """What policy let through and what failed all the same, where that is most of it."""
    destination = item.destination
    failed = destination.failures_when_let_through
    if not failed or failed <= settings.thresholds.max_failing_share * destination.let_through:
        return None
    results = ", ".join(
        f"{result.value} {count:,}" for result, count in destination.by_result.items() if result not in _FINE
    )
    cause = Cause(
        CauseCode.UPSTREAM_FAILURE,
        f"Policy let {entries(destination.let_through)} through, and {failed:,} of them failed on the way: {results}.",
        "Nothing in the mesh's policy: look at the far side, at DNS and at what stands between.",
    )
    return Block(item.key, item.verdict, cause, failed, 0, examples=destination.examples)


def _proven(block: Block, requests: Sequence[Request], repaired: Simulator, proposed: Simulator) -> Block:
    """With what the replay says of the change, and of the proposal."""
    if not requests:
        return block
    admits = all(proposed.decide(request).outcome is Outcome.ALLOWED for request in requests)
    file = block.proposal if admits else None
    if block.cause.edits:
        return replace(
            block,
            proven=all(repaired.decide(request).outcome is Outcome.ALLOWED for request in requests),
            proposal=file,
        )
    return replace(block, proven=True if file else None, proposal=file)
