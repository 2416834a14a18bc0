"""The over-grant ledger: what entries allow, beside what the log shows used, and the entry that would be enough.

Nothing is called unused before the log is long enough for that (`readiness.min_unused_days`): an entry for a monthly
job looks unused for 30 days out of 31. What may have gone through an entry, for all the log shows, counts as use.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from analyzer.evidence import Destination
from analyzer.mesh.model import Mesh, Port, ServiceEntry
from analyzer.readiness.meter import EvidenceMeter, day_of_enough
from analyzer.readiness.sight import exports_to
from analyzer.readiness.usage import Usage, Usages
from analyzer.settings import ReadinessSettings
from analyzer.simulation import Simulator
from analyzer.vocabulary import GrantStatus, Outcome

_FEW = 5
_ROUNDS = 3
"""Replays of what is narrowed; whoever is still in somebody's way after that takes all narrowings along."""
_MOST_NAMES = 20
"""Names that a wildcard may be exchanged for; a longer list is a wildcard's business."""


@dataclass(frozen=True)
class WideWildcard:
    """A wildcard and the few names below it that were seen; `names` counts them all."""

    pattern: str
    names: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Grant:
    """What one entry allows and what of that was used.

    `may` are the namespaces of the log (and of the mesh's Namespace documents) that see it, `did` those that used it,
    `silent` those that see it and are in no log. `may_have` counts entries that may have gone through it, for all the
    log shows. `narrowed` is the entry that admits all of its use and no more, null where there is nothing to narrow or
    where its replay was not the same.
    """

    reference: str
    place: str | None
    status: GrantStatus
    entries: int
    may: tuple[str, ...]
    did: tuple[str, ...]
    workloads: tuple[str, ...]
    silent: tuple[str, ...] = ()
    may_have: int = 0
    unused_ports: tuple[int, ...] = ()
    unused_hosts: tuple[str, ...] = ()
    wide: tuple[WideWildcard, ...] = ()
    export_to: tuple[str, ...] | None = None
    narrowed: ServiceEntry | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Ledger:
    """The grants of a mesh, those that allow most beyond their use first.

    `days` were watched of `wanted`; where they are too few there are no grants, and `decides_on` is the day on which
    there would be, if logs go on without a gap.
    """

    days: int
    wanted: int
    decides_on: date | None = None
    grants: tuple[Grant, ...] = ()

    @property
    def is_long_enough(self) -> bool:
        """Whether the log is long enough for anything to be called unused."""
        return self.days >= self.wanted


def ledger_of(
    mesh: Mesh,
    destinations: Sequence[Destination],
    usages: Usages,
    as_is: Simulator,
    watched: EvidenceMeter,
    settings: ReadinessSettings,
    *,
    proposed: Simulator,
    proposals: Container[str] = (),
) -> Ledger:
    """Weigh what a mesh allows against what a log shows used; each narrowing is replayed before it is offered.

    It is replayed over the mesh as it is, and with the proposals applied (`proposed`): what `proposals` edit, as
    `<namespace>/<name>`, is narrowed when that has been done.
    """
    wanted = settings.min_unused_days
    if watched.days < wanted:
        return Ledger(watched.days, wanted, day_of_enough(watched, wanted))
    logged = {item.key.source_namespace for item in destinations} - {None}
    namespaces = sorted({name for name in logged if name} | {namespace.name for namespace in mesh.namespaces})
    grants = [
        _grant(entry, usages, [name for name in namespaces if _may_see(entry, name, mesh)], logged)
        for entry in mesh.service_entries
    ]
    grants = [replace(grant, narrowed=None) if grant.reference in proposals else grant for grant in grants]
    kept = _replayed(_replayed(grants, destinations, as_is), destinations, proposed)
    order = list(GrantStatus)
    return Ledger(
        watched.days,
        wanted,
        grants=tuple(sorted(kept, key=lambda grant: (order.index(grant.status), -len(grant.may), grant.reference))),
    )


def _may_see(entry: ServiceEntry, namespace: str, mesh: Mesh) -> bool:
    return exports_to(entry, mesh.config.service_export_to, namespace)


def _grant(entry: ServiceEntry, usages: Usages, may: Sequence[str], logged: Iterable[str | None]) -> Grant:
    usage = usages.of(entry)
    may_have = _may_have(entry, usages, may)
    # What may have gone anywhere may have gone here: then nothing of this port is called unused.
    used = {*usage.ports, *usage.astray, *(number for number, count in may_have.items() if count)}
    ports = tuple(port.number for port in entry.ports if port.number not in used)
    doubtful = sum(may_have.values())
    named = {pattern: names for pattern, names in usage.names.items() if pattern is not None}
    hosts = () if doubtful or None in usage.names else tuple(h for h in entry.hosts if not named.get(h))
    is_unused = not usage.entries and not doubtful and not usage.astray
    wide = (
        () if doubtful else tuple(_wide(pattern, names) for pattern, names in sorted(named.items()) if "*" in pattern)
    )
    export_to = None if doubtful or is_unused else _export_to(entry, usage)
    grant = Grant(
        reference=entry.reference,
        place=None if entry.origin is None else f"{entry.origin.file}:{entry.origin.line}",
        status=GrantStatus.UNUSED if is_unused else GrantStatus.USED,
        entries=usage.entries,
        may=tuple(may),
        did=tuple(sorted({namespace or "unknown" for namespace, _ in usage.callers})),
        workloads=tuple(sorted({f"{ns or 'unknown'}/{name or 'unknown'}" for ns, name in usage.callers})),
        silent=tuple(name for name in may if name not in set(logged)),
        may_have=doubtful,
    )
    if is_unused or not (ports or hosts or wide or export_to):
        return grant
    narrowed = _narrowed(entry, ports, hosts, {w.pattern: sorted(named[w.pattern]) for w in wide}, export_to)
    return replace(
        grant,
        status=GrantStatus.WIDER_THAN_USED,
        unused_ports=ports,
        unused_hosts=hosts,
        wide=wide,
        export_to=export_to,
        narrowed=None if narrowed == entry else narrowed,
    )


def _may_have(entry: ServiceEntry, usages: Usages, may: Iterable[str]) -> Counter[int]:
    """Entries by port whose entry the log does not show, from callers that see this one."""
    seen: Counter[int] = Counter()
    for port in entry.ports:
        seen[port.number] = sum(usages.unsure.get((namespace, port.number), 0) for namespace in (*may, None))
    return seen


def _wide(pattern: str, names: Counter[str]) -> WideWildcard:
    largest = sorted(names, key=lambda name: (-names[name], name))
    return WideWildcard(pattern, len(names), tuple(largest[:_FEW]))


def _export_to(entry: ServiceEntry, usage: Usage) -> tuple[str, ...] | None:
    """Whom the entry would have to be exported to; null where that is no less, or where a caller is not known."""
    callers = {namespace for namespace, _ in usage.callers}
    if None in callers or not callers:
        return None
    needed = tuple(sorted("." if name == entry.namespace else str(name) for name in callers))
    present = entry.export_to or ("*",)
    return needed if set(needed) < set(present) or "*" in present else None


def _narrowed(
    entry: ServiceEntry,
    ports: Iterable[int],
    hosts: Iterable[str],
    wildcards: Mapping[str, Sequence[str]],
    export_to: tuple[str, ...] | None,
) -> ServiceEntry:
    kept_ports: tuple[Port, ...] = tuple(port for port in entry.ports if port.number not in set(ports))
    kept: list[str] = []
    for host in entry.hosts:
        if host in wildcards and len(wildcards[host]) <= _MOST_NAMES:
            kept += [name for name in wildcards[host] if name not in kept]
        elif host not in hosts:
            kept.append(host)
    return replace(
        entry,
        ports=kept_ports or entry.ports,
        hosts=tuple(kept) or entry.hosts,
        export_to=entry.export_to if export_to is None else export_to,
    )


def _replayed(grants: Sequence[Grant], destinations: Sequence[Destination], before: Simulator) -> list[Grant]:
    """Without the narrowings under which something would fare worse; entries go back until nothing does."""
    kept = list(grants)
    for _ in range(_ROUNDS):
        narrowed = tuple(grant.narrowed for grant in kept if grant.narrowed is not None)
        if not narrowed:
            return kept
        after = Simulator(before.mesh.over(Mesh(narrowed)), mode=before.mode, istio_version=before.istio_version)
        guilty = {
            was.by
            for destination in destinations
            for request in destination.requests
            if (was := before.decide(request)).by is not None
            and was.outcome is Outcome.ALLOWED
            and after.decide(request).outcome is not Outcome.ALLOWED
        }
        if not guilty:
            return kept
        suspects = {grant.reference for grant in kept if grant.narrowed is not None}
        back = guilty & suspects or suspects
        kept = [replace(grant, narrowed=None) if grant.reference in back else grant for grant in kept]
    return [replace(grant, narrowed=None) for grant in kept]
