"""What a detector must offer, and what it is told beside the destination itself."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Protocol, runtime_checkable

from analyzer.detection.labels import encoded_below, is_tenant, registrable
from analyzer.evidence import Destination, Reason
from analyzer.registry import discover
from analyzer.settings import Networks, Rule, Settings, inside
from analyzer.vocabulary import ApplicationProtocol, Result, Verdict

Caller = tuple[str | None, str | None]
_HTTP = (ApplicationProtocol.HTTP, ApplicationProtocol.GRPC)
_ALWAYS_THERE = frozenset(("default", "kube-system", "istio-system"))


@dataclass(frozen=True)
class Probing:
    """How widely one workload tried: distinct targets, entries, and the entries that got no answer.

    `at_once` is the greatest number of targets that were first tried within `thresholds.scan_minutes`.
    """

    targets: int = 0
    at_once: int = 0
    entries: int = 0
    failing: int = 0

    @property
    def failing_share(self) -> float:
        """Share of entries that were refused or failed."""
        return self.failing / self.entries if self.entries else 0.0

    @property
    def tries(self) -> float:
        """Mean entries per target."""
        return self.entries / self.targets if self.targets else 0.0


@dataclass(frozen=True)
class Context:
    """Everything a detector may know beside the destination: computed once over all destinations.

    `ports_of_address` counts the ports that a workload tried at one address, `addresses_on_port` the nameless
    addresses it tried on one port; `namespaces` are those that the log shows, and those of every cluster.
    `http_ports` are the ports on which HTTP was seen, by namespace: there the proxy looks for HTTP. `names_on_port`
    counts the registrable domains that a workload hardly tried on one port, `encoded_names` the names with encoded
    labels that it asked of one domain, `callers` the workloads that dialled an address without a name.
    """

    settings: Settings
    as_of: date | None = None
    rules: tuple[Rule, ...] = ()
    ports_of_address: Mapping[tuple[Caller, str], Probing] = field(default_factory=dict)
    addresses_on_port: Mapping[tuple[Caller, int], Probing] = field(default_factory=dict)
    names_on_port: Mapping[tuple[Caller, int], Probing] = field(default_factory=dict)
    encoded_names: Mapping[tuple[Caller, str], int] = field(default_factory=dict)
    callers: Mapping[str, int] = field(default_factory=dict)
    namespaces: frozenset[str] = _ALWAYS_THERE
    http_ports: frozenset[tuple[str | None, int]] = frozenset()

    def rule_for(self, destination: Destination, action: str) -> Rule | None:
        """The first rule that counts today and speaks of this destination.

        A name is denied for an address it was dialled at, but not allowed for one: addresses change owners.
        """
        key = destination.key
        addresses: Sequence[str | None] = [key.destination_ip]
        if key.host is not None:
            addresses = (destination.dialled if action == "deny" else ()) or [None]
        for rule in self.rules:
            if rule.action == action and any(
                rule.covers(
                    namespace=key.source_namespace,
                    workload=key.source_workload,
                    host=key.host,
                    address=address,
                    port=key.destination_port,
                )
                for address in addresses
            ):
                return rule
        return None


@runtime_checkable
class Detector(Protocol):
    """One question, in one file of `analyzer.detection.detectors`.

    `position` orders detectors of all verdicts; the first that gives a reason decides.
    """

    name: str
    verdict: Verdict
    position: int
    summary: str

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Why the verdict holds, or null where it does not."""
        ...


@lru_cache(maxsize=1)
def known_detectors() -> tuple[Detector, ...]:
    """Every detector, in the order in which they are asked."""
    parts = discover("analyzer.detection.detectors", "DETECTOR").values()
    return tuple(sorted(parts, key=lambda detector: (detector.position, detector.name)))


def context_of(destinations: Sequence[Destination], settings: Settings, as_of: date | None) -> Context:
    """Look over all destinations once."""
    ports: dict[tuple[Caller, str], list[Destination]] = defaultdict(list)
    addresses: dict[tuple[Caller, int], list[Destination]] = defaultdict(list)
    names: dict[tuple[Caller, int], list[Destination]] = defaultdict(list)
    encoded: dict[tuple[Caller, str], set[str]] = defaultdict(set)
    callers: dict[str, set[Caller]] = defaultdict(set)
    for destination in destinations:
        key = destination.key
        caller = (key.source_namespace, key.source_workload)
        if key.host is not None:
            if key.destination_port is not None and destination.entries < settings.thresholds.min_entries:
                names[caller, key.destination_port].append(destination)
            domain = encoded_below(key.host)
            if domain is not None and not is_tenant(key.host, settings.proposals.shared_domains):
                encoded[caller, domain].add(key.host)
            continue
        if key.destination_ip is None:
            continue
        callers[key.destination_ip].add(caller)
        if key.destination_port is None:
            continue
        ports[caller, key.destination_ip].append(destination)
        addresses[caller, key.destination_port].append(destination)
    minutes = settings.thresholds.scan_minutes
    seen = {destination.key.source_namespace for destination in destinations} - {None}
    return Context(
        settings=settings,
        as_of=as_of,
        rules=tuple(rule for rule in settings.rules if as_of is None or not rule.expired(as_of)),
        ports_of_address={
            place: _probing(tried, [item.key.destination_port for item in tried], minutes)
            for place, tried in ports.items()
        },
        addresses_on_port={
            place: _probing(tried, [item.key.destination_ip for item in tried], minutes)
            for place, tried in addresses.items()
        },
        names_on_port={
            place: _probing(tried, [registrable(item.key.host or "") or item.key.host for item in tried], minutes)
            for place, tried in names.items()
        },
        encoded_names={place: len(hosts) for place, hosts in encoded.items()},
        callers={address: len(workloads) for address, workloads in callers.items()},
        namespaces=_ALWAYS_THERE | {name for name in seen if name is not None},
        http_ports=frozenset(
            (destination.key.source_namespace, destination.key.destination_port)
            for destination in destinations
            if destination.key.destination_port is not None and destination.key.application_protocol in _HTTP
        ),
    )


def _probing(tried: Sequence[Destination], targets: Sequence[int | str | None], minutes: int) -> Probing:
    first: dict[int | str | None, datetime | None] = {}
    for target, destination in zip(targets, tried, strict=True):
        times = [time for time in (first.get(target), destination.first_seen) if time is not None]
        first[target] = min(times, default=None)
    entries = sum(destination.entries for destination in tried)
    answered = sum(destination.by_result.get(Result.OK, 0) for destination in tried)
    return Probing(len(first), _most_at_once(first.values(), timedelta(minutes=minutes)), entries, entries - answered)


def _most_at_once(times: Iterable[datetime | None], window: timedelta) -> int:
    """The greatest number of times inside one window; what has no time may have been at any."""
    listed = list(times)
    ordered = sorted(time for time in listed if time is not None)
    most = start = 0
    for end, time in enumerate(ordered):
        while time - ordered[start] > window:
            start += 1
        most = max(most, end - start + 1)
    return most + len(listed) - len(ordered)


def is_internal(address: str, networks: Networks) -> bool:
    """Whether an address is the cluster's own business, by settings."""
    return inside(address, networks.internal) and not inside(address, networks.external)
