"""Who uses which entry, by the replay: one look at every request, for whoever asks what an entry is good for."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from analyzer.evidence import Destination, Request
from analyzer.mesh.model import ServiceEntry
from analyzer.mesh.names import best_cover
from analyzer.simulation import Decision, Simulator
from analyzer.vocabulary import EgressClass, Outcome

_NOT_ASKED = frozenset((EgressClass.IN_MESH, EgressClass.INBOUND))


@dataclass
class Usage:
    """What the log sends through one entry.

    `callers` counts entries by (namespace, workload), `ports` by number, `names` by the host asked for, by the
    entry's own host that covers it (null for what has no name); `astray` counts entries that were meant for another
    host, by port and by what they asked for; `unguarded` those that no name was checked of, by port and address.
    """

    entries: int = 0
    callers: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    ports: Counter[int | None] = field(default_factory=Counter)
    names: dict[str | None, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    astray: dict[int | None, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    unguarded: dict[int | None, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


@dataclass(frozen=True)
class Usages:
    """Usage by entry (`<namespace>/<name>`); `unsure` counts, by namespace and port, what may have gone anywhere."""

    by_entry: Mapping[str, Usage]
    unsure: Mapping[tuple[str | None, int | None], int]

    def of(self, entry: ServiceEntry) -> Usage:
        """The usage of an entry, which may be none."""
        return self.by_entry.get(entry.reference) or Usage()


def usages_of(destinations: Iterable[Destination], simulator: Simulator) -> Usages:
    """Replay every request and book it on the entry that would take it."""
    entries = {entry.reference: entry for entry in simulator.mesh.service_entries}
    by_entry: dict[str, Usage] = defaultdict(Usage)
    unsure: Counter[tuple[str | None, int | None]] = Counter()
    for destination in destinations:
        for request in destination.requests:
            if request.egress_class in _NOT_ASKED:
                continue
            decision = simulator.decide(request)
            entry = entries.get(decision.by or "")
            if decision.outcome is Outcome.CONDITIONAL:
                unsure[request.key.source_namespace, request.destination_port] += request.entries
            if entry is None or decision.outcome is Outcome.BLOCKED or not _is_of(entry, request, decision):
                continue
            _book(by_entry[entry.reference], entry, request, decision)
    return Usages(by_entry, unsure)


def _is_of(entry: ServiceEntry, request: Request, decision: Decision) -> bool:
    """Whether an object that decided is this entry and not a Service or VirtualService of the same name."""
    host = request.key.host
    return host is None or decision.stray or decision.unguarded or best_cover(entry.hosts, host) is not None


def _book(usage: Usage, entry: ServiceEntry, request: Request, decision: Decision) -> None:
    key, port = request.key, request.destination_port
    if decision.unguarded:
        usage.unguarded[port][request.destination_ip or "unknown"] += request.entries
    if decision.stray:
        usage.astray[port][key.host or key.destination_ip or "unknown"] += request.entries
        return
    usage.entries += request.entries
    usage.callers[key.source_namespace, key.source_workload] += request.entries
    usage.ports[port] += request.entries
    usage.names[best_cover(entry.hosts, key.host)][key.host or key.destination_ip or "unknown"] += request.entries
