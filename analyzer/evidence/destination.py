"""A destination with its evidence, and the distinct requests that were seen going there.

These are the values that judging, proposing, replaying and reporting speak of. They are made by
`analyzer.evidence` from merged summaries, never from single rows.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from analyzer.evidence.rhythm import Rhythm
from analyzer.vocabulary import ApplicationProtocol, EgressClass, HostSource, Mechanism, Result, Verdict


class DestinationKey(NamedTuple):
    """Who called what: what tells one destination from another. `destination_ip` is null where `host` is known."""

    source_namespace: str | None
    source_workload: str | None
    host: str | None
    destination_ip: str | None
    destination_port: int | None
    application_protocol: ApplicationProtocol | None

    @property
    def name(self) -> str:
        """`host:port`, or `ip:port` (an IPv6 address in brackets), for people."""
        place = self.host or self.destination_ip or "unknown"
        if self.host is None and ":" in place:
            place = f"[{place}]"
        return place if self.destination_port is None else f"{place}:{self.destination_port}"

    @property
    def order(self) -> tuple[tuple[bool, str | int], ...]:
        """A sort key that puts nulls first and never compares unlike types."""
        return tuple([(False, "") if part is None else (True, part) for part in self])


@dataclass(frozen=True)
class Reason:
    """Why a verdict was given: a stable code for programs, one sentence for people."""

    code: str
    text: str


@dataclass(frozen=True)
class Fate:
    """What became of some entries: what decided them, how they ended, how many there are and where the first stands."""

    mechanism: Mechanism
    result: Result
    entries: int
    example: str


@dataclass(frozen=True)
class Request:
    """One distinct way in which a destination was asked for: what a replay needs to decide.

    `authority` is raw, with its case, port and dot; `requested_server_name` is as Envoy wrote it. `path` and `method`
    are known only where a route asks for them.
    """

    key: DestinationKey
    authority: str | None
    requested_server_name: str | None
    destination_ip: str | None
    destination_port: int | None
    application_protocol: ApplicationProtocol | None
    method_is_connect: bool
    egress_class: EgressClass
    entries: int
    bytes_received: int = 0
    bytes_sent: int = 0
    path: str | None = None
    method: str | None = None


@dataclass(frozen=True)
class Destination:
    """One destination of one workload, with everything the log proves about it.

    Counts are entries; bytes are as Envoy counts them (`bytes_received` is upload). Times are UTC.
    `tampered_entries` are entries whose client-written fields were forged, `invalid_sni_entries` those
    whose SNI Envoy marked `invalid:`, `unchecked_entries` those that left by a wildcard entry for the very address
    that the client dialled, so that nothing ties the name to it. `addresses` are a few, `dialled` are all. `rhythm` is
    known only where somebody asked for it.
    """

    key: DestinationKey
    entries: int
    by_class: dict[EgressClass, int]
    by_result: dict[Result, int]
    by_mechanism: dict[Mechanism, int]
    bytes_received: int
    bytes_sent: int
    first_seen: datetime | None
    last_seen: datetime | None
    days_seen: int
    pods_seen: int
    user_agents: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    host_sources: tuple[HostSource, ...] = ()
    addresses: tuple[str, ...] = ()
    addresses_seen: int = 0
    failures_when_let_through: int = 0
    tampered_entries: int = 0
    invalid_sni_entries: int = 0
    unchecked_entries: int = 0
    requests: tuple[Request, ...] = field(default=(), repr=False)
    fates: tuple[Fate, ...] = field(default=(), repr=False)
    rhythm: Rhythm | None = None

    @property
    def name(self) -> str:
        """`host:port` or `ip:port`."""
        return self.key.name

    @property
    def dialled(self) -> tuple[str, ...]:
        """Every address that was dialled; a client that dials many cannot hide one among them."""
        seen = {request.destination_ip for request in self.requests if request.destination_ip is not None}
        return tuple(sorted(seen | set(self.addresses)))

    @property
    def let_through(self) -> int:
        """Entries that policy let out of the mesh, under an entry or without one."""
        return self.by_class.get(EgressClass.PASSTHROUGH, 0) + self.by_class.get(EgressClass.REGISTERED, 0)


@dataclass(frozen=True)
class Judged:
    """A destination with its verdict and the reasons for it, the deciding one first."""

    destination: Destination
    verdict: Verdict
    reasons: tuple[Reason, ...]

    @property
    def key(self) -> DestinationKey:
        """The key of the destination."""
        return self.destination.key
