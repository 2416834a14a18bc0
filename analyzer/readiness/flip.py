"""Say of each namespace whether it may be switched to REGISTRY_ONLY, and what would break if it were.

Every request that gets out today is replayed with the proposals applied. What would be refused then, and was not
judged to deserve it, breaks; what rests on facts that the log does not hold is unsure; and what the log never watched
is not concluded from.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from analyzer.detection.texts import entries
from analyzer.evidence import Destination, DestinationKey, Judged, Request
from analyzer.proposals import Proposal
from analyzer.readiness.meter import EvidenceMeter, Meters
from analyzer.readiness.words import counted
from analyzer.settings import ReadinessSettings
from analyzer.simulation import Decision, Simulator
from analyzer.vocabulary import EgressClass, Mode, Outcome, Readiness, Verdict

_GETS_OUT = frozenset((EgressClass.PASSTHROUGH, EgressClass.REGISTERED, EgressClass.IN_MESH))
_DESERVED = frozenset((Verdict.DENIED, Verdict.SUSPICIOUS))
_REMEDIES = {
    "sni_unknown": "the server name: a TLS entry on the port makes Istio log it",
    "host_unknown": "the Host header: log %REQ(:AUTHORITY)%",
    "workload_labels": "the pods' labels: add Pod documents to --mesh",
    "creation_order": "which entry is older: export the mesh with creationTimestamp",
    "dns_capture": "whether DNS capture is on: add the istio ConfigMap to --mesh",
    "dns_answer": "what DNS answered",
}


@dataclass(frozen=True)
class Traffic:
    """How much of something there is; bytes are both ways."""

    entries: int = 0
    bytes: int = 0
    destinations: int = 0
    workloads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Breaking:
    """Requests of one destination that get out today and would not after the switch."""

    key: DestinationKey
    verdict: Verdict
    entries: int
    bytes: int
    decision: Decision
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class NamespaceReadiness:
    """One namespace before the switch.

    `breaking` gets out today and would not then; `stopped` likewise, and was judged suspicious or denied; `unsure`
    rests on what the log does not hold; `refused` is refused today and still would be; `mended` is refused today and
    would be let out. `proposals` are the files that what works today depends on; `mode_seen` is the policy that the
    namespace's own lines show (null where they show none, or one after the other).
    """

    namespace: str | None
    status: Readiness
    because: str
    meter: EvidenceMeter
    entries: int
    breaking: Traffic
    stopped: Traffic
    unsure: Traffic
    refused: Traffic
    mended: Traffic
    proposals: tuple[str, ...] = ()
    mode_seen: Mode | None = None
    rows: tuple[Breaking, ...] = field(default=(), repr=False)


def readiness_of(
    judged: Sequence[Judged],
    at_home: Mapping[DestinationKey, Destination],
    *,
    as_is: Simulator,
    proposed: Simulator,
    proposals: Iterable[Proposal],
    meters: Meters,
    settings: ReadinessSettings,
) -> tuple[NamespaceReadiness, ...]:
    """Every namespace that the log shows, by name; `at_home` are the destinations as they are replayed."""
    files: dict[DestinationKey, list[str]] = defaultdict(list)
    for proposal in proposals:
        for key in proposal.destinations:
            files[key].append(proposal.file)
    by_namespace: dict[str | None, _Sorting] = defaultdict(_Sorting)
    for namespace in meters.by_namespace:
        by_namespace[namespace] = _Sorting()
    for item in judged:
        sorting = by_namespace[item.key.source_namespace]
        for request in at_home[item.key].requests:
            sorting.take(item, request, as_is.decide(request), proposed.decide(request), files)
    ordered = sorted(by_namespace.items(), key=lambda pair: (pair[0] is not None, pair[0] or ""))
    return tuple(
        _concluded(namespace, sorting, meters.by_namespace.get(namespace, EvidenceMeter()), settings)
        for namespace, sorting in ordered
    )


class _Sum:
    """Traffic while it is being counted."""

    def __init__(self) -> None:
        self.entries = self.bytes = 0
        self.keys: set[DestinationKey] = set()

    def add(self, key: DestinationKey, request: Request) -> None:
        self.entries += request.entries
        self.bytes += request.bytes_received + request.bytes_sent
        self.keys.add(key)

    def done(self) -> Traffic:
        workloads = {key.source_workload or "unknown" for key in self.keys}
        return Traffic(self.entries, self.bytes, len(self.keys), tuple(sorted(workloads)))


class _Sorting:
    """The requests of one namespace, sorted by what the switch would do to them."""

    def __init__(self) -> None:
        self.entries = 0
        self.classes: set[EgressClass] = set()
        self.breaking, self.stopped, self.unsure, self.refused, self.mended = (_Sum() for _ in range(5))
        self.conditions: set[str] = set()
        self.proposals: set[str] = set()
        self.rows: dict[tuple[DestinationKey, str, str], Breaking] = {}

    def take(
        self,
        item: Judged,
        request: Request,
        before: Decision,
        after: Decision,
        files: Mapping[DestinationKey, Sequence[str]],
    ) -> None:
        self.entries += request.entries
        self.classes.add(request.egress_class)
        if request.egress_class is EgressClass.BLOCKED:
            kept = self.mended if after.outcome is Outcome.ALLOWED else self.refused
            kept.add(item.key, request)
        elif request.egress_class in _GETS_OUT:
            self._take_working(item, request, before, after, files)
        elif request.egress_class is EgressClass.UNCLASSIFIED and after.outcome is not Outcome.ALLOWED:
            self._doubt(item, request, after)

    def _take_working(
        self,
        item: Judged,
        request: Request,
        before: Decision,
        after: Decision,
        files: Mapping[DestinationKey, Sequence[str]],
    ) -> None:
        if after.outcome is Outcome.ALLOWED:
            if before.outcome is not Outcome.ALLOWED:
                self.proposals.update(files.get(item.key, ()))
        elif after.outcome is Outcome.CONDITIONAL:
            self._doubt(item, request, after)
        elif item.verdict in _DESERVED:
            self.stopped.add(item.key, request)
        elif not (request.egress_class is EgressClass.REGISTERED and after.outcome is Outcome.MISDIRECTED):
            # What goes astray under an entry today goes astray after the switch as well: a side effect, no break.
            self._break(item, request, after)

    def _doubt(self, item: Judged, request: Request, after: Decision) -> None:
        self.unsure.add(item.key, request)
        self.conditions.update(after.conditions)

    def _break(self, item: Judged, request: Request, after: Decision) -> None:
        self.breaking.add(item.key, request)
        place = (item.key, after.rule, after.because)
        row = self.rows.get(place)
        amount = request.bytes_received + request.bytes_sent
        if row is None:
            examples = item.destination.examples
            self.rows[place] = Breaking(item.key, item.verdict, request.entries, amount, after, examples)
        else:
            self.rows[place] = replace(row, entries=row.entries + request.entries, bytes=row.bytes + amount)


def _concluded(
    namespace: str | None, sorting: _Sorting, meter: EvidenceMeter, settings: ReadinessSettings
) -> NamespaceReadiness:
    status, because = _status(sorting, meter, settings)
    rows = sorted(sorting.rows.values(), key=lambda row: (-row.entries, row.key.order, row.decision.rule))
    return NamespaceReadiness(
        namespace=namespace,
        status=status,
        because=because,
        meter=meter,
        entries=sorting.entries,
        breaking=sorting.breaking.done(),
        stopped=sorting.stopped.done(),
        unsure=sorting.unsure.done(),
        refused=sorting.refused.done(),
        mended=sorting.mended.done(),
        proposals=tuple(sorted(sorting.proposals)),
        mode_seen=_mode_seen(sorting.classes),
        rows=tuple(rows),
    )


def _status(sorting: _Sorting, meter: EvidenceMeter, settings: ReadinessSettings) -> tuple[Readiness, str]:
    """The gravest that holds: what is known to break needs no more evidence."""
    breaking = sorting.breaking.done()
    if breaking.entries:
        return Readiness.NOT_READY, (
            f"{entries(breaking.entries)} of {counted(len(breaking.workloads), 'workload')} to "
            f"{counted(breaking.destinations, 'destination')} would break: out today, not then."
        )
    unsure = sorting.unsure.entries
    if unsure > settings.max_unsure_share * sorting.entries:
        missing = "; ".join(_REMEDIES[code] for code in sorted(sorting.conditions) if code in _REMEDIES)
        return Readiness.CANNOT_SAY_YET, (
            f"For {unsure:,} of {sorting.entries:,} entries the log does not show enough"
            + (f": {missing}." if missing else ".")
        )
    if not meter.is_enough:
        when = f"; could decide on {meter.decides_on} if logs go on without a gap" if meter.decides_on else ""
        return Readiness.CANNOT_SAY_YET, f"Too little was watched: {', '.join(meter.lacks)}{when}."
    if sorting.proposals:
        what = counted(len(sorting.proposals), "proposal")
        return Readiness.READY_AFTER_PROPOSALS, f"Everything that works today works then, with {what} applied first."
    return Readiness.READY, "Everything that works today works then."


def _mode_seen(classes: set[EgressClass]) -> Mode | None:
    blocked, passed = EgressClass.BLOCKED in classes, EgressClass.PASSTHROUGH in classes
    if blocked == passed:
        return None
    return Mode.REGISTRY_ONLY if blocked else Mode.ALLOW_ANY
