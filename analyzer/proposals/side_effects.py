"""What candidates would do to everybody's requests, measured on the log itself.

A request is decided by what its namespace sees on its port, so after a change only the requests of the places that
the changed candidates reach are asked anew.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from analyzer.detection.texts import shown
from analyzer.evidence import DestinationKey, Judged, Request
from analyzer.mesh.model import Mesh, ServiceEntry
from analyzer.proposals.manifest_kind import Candidate
from analyzer.simulation import Decision, Simulator
from analyzer.vocabulary import ApplicationProtocol, Outcome, Verdict

Place = tuple[str | None, int | None]
"""A namespace and a port number."""
PortOf = tuple[str, int | None]
"""The name of a candidate and one of its port numbers."""
_HARMLESS = frozenset(("sni_unknown", "host_unknown"))
"""Conditions that rest on a name which the log does not hold: the name itself is what a proposal looks at."""
_FEW = 3
_CONNECTIONS = (ApplicationProtocol.TCP, ApplicationProtocol.TLS)


def is_let_out(decision: Decision) -> bool:
    """Whether a request would leave the mesh, or would on a condition other than its own name."""
    if decision.outcome is Outcome.CONDITIONAL:
        return not _HARMLESS.intersection(decision.conditions)
    return decision.outcome in (Outcome.ALLOWED, Outcome.MISDIRECTED)


@dataclass
class Effect:
    """Whom one port of one candidate touches although it was not made for them, in entries."""

    code: str
    entries: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    hosts: set[str] = field(default_factory=set)
    only_connections: bool = True

    def add(self, item: Judged, request: Request) -> None:
        """Count a request."""
        caller = request.key.source_namespace or "an unknown namespace"
        self.entries[f"{shown(item.key.host or item.key.name)} from {shown(caller)}"] += request.entries
        self.hosts.add(item.key.host or item.key.name)
        self.only_connections &= item.key.application_protocol in _CONNECTIONS

    def sentence(self, candidate: Candidate, number: int | None) -> str:
        """What it would do, to how many, and to whom."""
        protocol = next((p.protocol for p in candidate.service_entry.ports if p.number == number), "")
        total, names = sum(self.entries.values()), sorted(self.entries)
        others = self.hosts.difference(candidate.service_entry.hosts)
        its_own = "others who call it" if self.code == _BREAKS else "callers that were judged otherwise"
        whom = f"{len(others):,} other host{'s' * (len(others) != 1)}" if others else its_own
        unit = "connection" if self.only_connections else "request"
        more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
        what = f"{protocol} on {number}" if protocol else f"Nothing declared for {number}"
        return (
            f"{what} of {candidate.service_entry.reference} {_DOES[self.code]} {whom}, "
            f"{total:,} {unit}{'s' * (total != 1)}: {', '.join(names[:_FEW])}{more}."
        )


_BREAKS = "would_break_others"
_DOES = {
    "would_capture_others": "would capture",
    "would_admit_others": "would also let out",
    _BREAKS: "would break what works for",
}
_GRAVITY = tuple(_DOES)


class Board:
    """Every request with what becomes of it without candidates, by the place that decides it."""

    def __init__(self, judged: Iterable[Judged], before: Simulator) -> None:
        self._before = before
        self._asked: dict[Place, list[tuple[Judged, Request, Decision]]] = defaultdict(list)
        for item in judged:
            for request in item.destination.requests:
                place = request.key.source_namespace, request.destination_port
                self._asked[place].append((item, request, before.decide(request)))
        self._effects: dict[Place, dict[PortOf, Effect]] = {}
        self._neighbours = _ports_by_host(before.mesh)
        self._root = before.mesh.config.root_namespace

    @property
    def places(self) -> Collection[Place]:
        """Every place that was asked for."""
        return self._asked.keys()

    def reached(self, candidates: Iterable[Candidate]) -> set[Place]:
        """The places where candidates may change what is decided."""
        if self._before.mesh.virtual_services:  # a route may lead from any host and port to one of theirs
            return set(self._asked)
        by_port: dict[int | None, set[Place]] = defaultdict(set)
        for place in self._asked:
            by_port[place[1]].add(place)
        reached: set[Place] = set()
        for candidate in candidates:
            entry = candidate.service_entry
            scopes = namespaces_of(entry) | (namespaces_of(candidate.base) if candidate.base else set())
            numbers = {port.number for port in entry.ports}
            for host in entry.hosts:
                numbers |= self._neighbours.get(host.lower(), set())
            for number in numbers:
                reached |= {place for place in by_port[number] if "*" in scopes or place[0] in scopes}
            for listing in candidate.listings:  # another line may change how a list is read
                home = listing.sidecar.namespace
                reached |= {place for place in self._asked if home in (place[0], self._root)}
        return reached

    def replay(self, after: Simulator, candidates: Sequence[Candidate], places: Iterable[Place]) -> None:
        """Ask the requests of some places anew."""
        own = _owners(candidates)
        suspects = _Suspects(candidates, self._root)
        for place in places:
            effects: dict[PortOf, Effect] = {}
            for item, request, was in self._asked.get(place, ()):
                now = after.decide(request)
                if now.outcome is was.outcome and now.by == was.by:
                    continue
                for name, code in _touched(item, request, was, now, own, suspects):
                    where = name, request.destination_port
                    effect = effects.setdefault(where, Effect(code))
                    if _GRAVITY.index(code) < _GRAVITY.index(effect.code):
                        effect = effects[where] = Effect(code)
                    if code == effect.code:
                        effect.add(item, request)
            self._effects[place] = effects

    def effects(self) -> dict[PortOf, Effect]:
        """Every side effect, those of one port in several namespaces in sum."""
        found: dict[PortOf, Effect] = {}
        for effects in self._effects.values():
            for where, effect in effects.items():
                known = found.get(where)
                if known is None or _GRAVITY.index(effect.code) < _GRAVITY.index(known.code):
                    known = found[where] = Effect(effect.code)
                if known.code == effect.code:
                    known.only_connections &= effect.only_connections
                    known.hosts |= effect.hosts
                    for name, entries in effect.entries.items():
                        known.entries[name] += entries
        return found


def namespaces_of(entry: ServiceEntry) -> set[str]:
    """The namespaces that an entry is exported to, `*` for all."""
    return {entry.namespace if scope == "." else scope for scope in entry.export_to or ("*",)}


def _touched(
    item: Judged,
    request: Request,
    was: Decision,
    now: Decision,
    own: Mapping[DestinationKey, set[str]],
    suspects: "_Suspects",
) -> Iterator[tuple[str, str]]:
    """Which candidates do something to a request that they were not made for, and what."""
    deciding = suspects.deciding(now, request)
    by_another = bool(deciding) and not own[item.key] & deciding
    code = ""
    if by_another and now.stray:
        code = "would_capture_others"
    elif was.outcome is Outcome.ALLOWED and (now.outcome is Outcome.MISDIRECTED or not is_let_out(now)):
        code = _BREAKS
    elif item.verdict is not Verdict.LEGITIMATE and is_let_out(now) and not is_let_out(was):
        code = "would_admit_others"
    if code:
        yield from ((name, code) for name in sorted(deciding or suspects.behind(request)))


class _Suspects:
    """Who may be to blame where a request fares otherwise."""

    def __init__(self, candidates: Iterable[Candidate], root: str) -> None:
        self._root = root
        self._by_reference: dict[str, list[Candidate]] = defaultdict(list)
        self._by_host: dict[str, list[Candidate]] = defaultdict(list)
        self._by_port: dict[int, list[Candidate]] = defaultdict(list)
        self._listing: list[Candidate] = []
        for candidate in candidates:
            entry = candidate.service_entry
            self._by_reference[entry.reference].append(candidate)
            for host in entry.hosts:
                self._by_host[host].append(candidate)
            for port in entry.ports:
                self._by_port[port.number].append(candidate)
            if candidate.listings:
                self._listing.append(candidate)

    def deciding(self, decision: Decision, request: Request) -> set[str]:
        """The candidates through which the entry that decided has come to decide; none where it is no candidate's."""
        found = self._by_reference.get(decision.by or "", ())
        return self._reaching(found, request) or {candidate.name for candidate in found}

    def behind(self, request: Request) -> set[str]:
        """Those for the same host, else those on the same port, else those who change what the caller's lists show."""
        same_host = self._by_host.get(request.key.host or "", [])
        others = same_host or self._by_port.get(request.destination_port or 0, []) or self._listing
        return self._reaching(others, request) or {candidate.name for candidate in others}

    def _reaching(self, candidates: Iterable[Candidate], request: Request) -> set[str]:
        place = request.key.source_namespace, request.destination_port
        return {candidate.name for candidate in candidates if candidate.reaches(*place, self._root)}


def _owners(candidates: Iterable[Candidate]) -> dict[DestinationKey, set[str]]:
    own: dict[DestinationKey, set[str]] = defaultdict(set)
    for candidate in candidates:
        for item in candidate.made_for:
            own[item.key].add(candidate.name)
    return own


def _ports_by_host(mesh: Mesh) -> dict[str, set[int]]:
    """The ports of entries by host: another entry for the host may hide them."""
    ports: dict[str, set[int]] = defaultdict(set)
    for entry in mesh.service_entries:
        for host in entry.hosts:
            ports[host.lower()] |= {port.number for port in entry.ports}
    return ports
