"""Two replays of one log side by side: what is newly let out, what is newly stopped, what else changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from analyzer.simulation.replay import Replay, ReplayedDestination
from analyzer.vocabulary import WORST_FIRST, Outcome

_OUT = (Outcome.ALLOWED, Outcome.MISDIRECTED)


class Change(StrEnum):
    """How a destination fares after a change."""

    NEWLY_ALLOWED = "newly_allowed"
    NEWLY_BLOCKED = "newly_blocked"
    CHANGED = "changed"


@dataclass(frozen=True)
class Compared:
    """One destination whose fate differs between two replays."""

    change: Change
    before: ReplayedDestination
    after: ReplayedDestination


def compare(before: Replay, after: Replay) -> list[Compared]:
    """The destinations of two replays of the same log that fare differently, in the log's order."""
    return list(_compared(before, after))


def _compared(before: Replay, after: Replay) -> Iterator[Compared]:
    known = {item.key: item for item in before.destinations}
    for item in after.destinations:
        was = known.get(item.key)
        if was is not None and (was.by_outcome, was.decision.by) != (item.by_outcome, item.decision.by):
            yield Compared(_change(was, item), was, item)


def _change(was: ReplayedDestination, now: ReplayedDestination) -> Change:
    """Newly allowed or blocked where the worst of its rows crosses that line; conditional ones only change."""
    before, after = was.decision.outcome, now.decision.outcome
    if after in _OUT and before not in _OUT:
        return Change.NEWLY_ALLOWED
    stopped = (Outcome.BLOCKED, Outcome.BROKEN)
    if after in stopped and before not in stopped and WORST_FIRST.index(after) < WORST_FIRST.index(before):
        return Change.NEWLY_BLOCKED
    return Change.CHANGED


def comparison_as_json(compared: list[Compared]) -> dict[str, Any]:
    """A comparison as plain data: entries by change, and each destination with both fates."""
    return {
        "changes": {
            change.value: sum(item.after.entries for item in compared if item.change is change) for change in Change
        },
        "destinations": [
            {
                **item.after.key._asdict(),
                "entries": item.after.entries,
                "change": item.change.value,
                "before": _fate(item.before),
                "after": _fate(item.after),
            }
            for item in compared
        ],
    }


def _fate(item: ReplayedDestination) -> dict[str, Any]:
    decision = item.decision
    return {
        "outcome": decision.outcome.value,
        "by_outcome": {outcome.value: entries for outcome, entries in item.by_outcome.items()},
        "rule": decision.rule,
        "because": decision.because,
        "by": decision.by,
        "unguarded": decision.unguarded,
        "conditions": list(decision.conditions),
    }
