"""What documents and log leave open, as the worlds that are possible: a request is conditional where they disagree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import NamedTuple

from analyzer.mesh.scoping import Sidecar
from analyzer.simulation.replay import Decision
from analyzer.simulation.routes import Labels
from analyzer.vocabulary import Outcome


class World(NamedTuple):
    """One way in which things may stand.

    `forward` is the order of creation among undated objects, `captures_dns` whether the proxy answers DNS, `labels`
    those of the pod (null: every selector takes it), `address` what is dialled.
    """

    forward: bool
    captures_dns: bool
    sidecar: Sidecar | None
    labels: Labels | None
    address: str | None


@dataclass(frozen=True)
class Possible:
    """What is possible in each respect, the likeliest first."""

    forward: Sequence[bool]
    captures_dns: Sequence[bool]
    sidecars: Sequence[Sidecar | None]
    labels: Sequence[Labels | None]

    @cached_property
    def only(self) -> World | None:
        """The one combination there is, null where there are more or where DNS answers differ."""
        sizes = [len(way) for way in (self.forward, self.captures_dns, self.sidecars, self.labels)]
        if sizes != [1, 1, 1, 1] or self.captures_dns[0]:
            return None
        return World(self.forward[0], False, self.sidecars[0], self.labels[0], None)

    def worlds(self, addresses: Callable[["World"], Sequence[str | None]]) -> list[World]:
        """Every combination, the likeliest first."""
        return [World(*world[:-1], address) for world in self._combinations for address in addresses(world)]

    @cached_property
    def _combinations(self) -> Sequence[World]:
        ways = product(self.forward, self.captures_dns, self.sidecars, self.labels)
        return [World(*way, None) for way in ways]


_RESPECTS = (
    ("forward", "creation_order"),
    ("captures_dns", "dns_capture"),
    ("sidecar", "workload_labels"),
    ("labels", "workload_labels"),
    ("address", "dns_answer"),
)


def agreed(worlds: Sequence[World], decide: Callable[[World], Decision]) -> Decision:
    """What all worlds agree on, else a conditional decision that says in which respects they differ."""
    first = decide(worlds[0])
    if len(worlds) == 1:
        return first
    decisions = {id(world): decide(world) for world in worlds}
    if all(decision.outcome is first.outcome for decision in decisions.values()):
        return first
    conditions = _conditions(worlds, decisions)
    conditions += [code for decision in decisions.values() for code in decision.conditions]
    fates = sorted({f"{decision.outcome}{_by(decision)}" for decision in decisions.values()})
    because = f"It depends on {_words(conditions)}: {' or '.join(fates)}."
    return Decision(
        Outcome.CONDITIONAL,
        first.rule,
        because,
        first.by,
        any(decision.unguarded for decision in decisions.values()),
        tuple(dict.fromkeys(conditions)),
    )


def _conditions(worlds: Sequence[World], decisions: dict[int, Decision]) -> list[str]:
    """The respects in which two worlds differ alone and disagree."""
    found: list[str] = []
    for one in worlds:
        for other in worlds:
            if one is not other and decisions[id(one)].outcome is not decisions[id(other)].outcome:
                codes = (_code(name, code, one, other) for name, code in _RESPECTS)
                differing = [code for code in codes if code is not None]
                if len(set(differing)) == 1:
                    found.append(differing[0])
    if found:
        return list(dict.fromkeys(code for _, code in _RESPECTS if code in found))
    return [code for name, code in _RESPECTS if len({repr(getattr(world, name)) for world in worlds}) > 1]


def _code(name: str, code: str, one: World, other: World) -> str | None:
    """What two worlds differ by in one respect; which of two Sidecars for all workloads holds, is a matter of age."""
    if getattr(one, name) == getattr(other, name):
        return None
    sidecars = (one.sidecar, other.sidecar)
    if name == "sidecar" and not any(item is not None and item.workload_selector for item in sidecars):
        return "creation_order"
    return code


def _by(decision: Decision) -> str:
    return "" if decision.by is None else f" by {decision.by}"


_WORDS = {
    "creation_order": "which object is older",
    "dns_capture": "whether the proxy answers DNS",
    "workload_labels": "the workload's labels",
    "dns_answer": "which address DNS answers with",
    "sni_unknown": "the server name",
    "host_unknown": "the Host header",
}


def _words(conditions: Sequence[str]) -> str:
    return " and ".join(_WORDS.get(code, code) for code in dict.fromkeys(conditions))
