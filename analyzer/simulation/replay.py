"""What a replay says: the value, apart from how it was found."""

from dataclasses import dataclass, field
from typing import Any

from analyzer.evidence.destination import DestinationKey
from analyzer.vocabulary import Mode, Outcome


@dataclass(frozen=True)
class Decision:
    """What would happen to one request, the rule that decided and why, in words.

    `rule` is a stable code; `by` is `<namespace>/<name>` of the deciding object or null; `conditions` are
    what the log does not hold (sni_unknown, host_unknown, creation_order, dns_capture,
    workload_labels, dns_answer). `stray` is true where the deciding entry is not for what was asked for by name,
    whether that is another's (misdirected) or nobody's.
    """

    outcome: Outcome
    rule: str
    because: str
    by: str | None = None
    unguarded: bool = False
    conditions: tuple[str, ...] = ()
    stray: bool = False


@dataclass(frozen=True)
class ReplayedDestination:
    """One destination after the replay; its decision is that of its worst row."""

    key: DestinationKey
    entries: int
    decision: Decision
    by_outcome: dict[Outcome, int]


@dataclass(frozen=True)
class Replay:
    """The whole log replayed against a mesh."""

    mode: Mode
    istio_version: str
    manifests: int
    coverage: dict[Outcome, int] = field(default_factory=dict)
    destinations: tuple[ReplayedDestination, ...] = ()


def replay_as_json(replay: Replay) -> dict[str, Any]:
    """A replay with the keys of the output contract."""
    return {
        "mode": replay.mode.value,
        "istio_version": replay.istio_version,
        "manifests": replay.manifests,
        "coverage": {outcome.value: entries for outcome, entries in replay.coverage.items()},
        "destinations": [_destination_as_json(destination) for destination in replay.destinations],
    }


def _destination_as_json(destination: ReplayedDestination) -> dict[str, Any]:
    decision = destination.decision
    return {
        **destination.key._asdict(),
        "entries": destination.entries,
        "outcome": decision.outcome.value,
        "by_outcome": {outcome.value: entries for outcome, entries in destination.by_outcome.items()},
        "rule": decision.rule,
        "because": decision.because,
        "by": decision.by,
        "unguarded": decision.unguarded,
        "conditions": list(decision.conditions),
    }
