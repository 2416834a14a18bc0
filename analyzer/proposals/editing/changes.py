"""What may be changed in objects that exist: ServiceEntries and the egress lists of Sidecars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from analyzer.mesh.model import Port
from analyzer.proposals.editing.nodes import NotInPlace
from analyzer.proposals.editing.steps import Items, Step, Value

_PORTS = ("spec", "ports")
_EXPORT_TO = ("spec", "exportTo")


@dataclass(frozen=True)
class Change:
    """What an edit gives to a ServiceEntry: ports, scopes, and other protocols, by number, for ports that it has."""

    kind: ClassVar[str] = "ServiceEntry"
    ports: tuple[Port, ...] = ()
    export_to: tuple[str, ...] = ()
    protocols: tuple[tuple[int, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ports or self.export_to or self.protocols)

    def steps(self, content: Mapping[str, Any]) -> Sequence[Step]:
        """Values where they stand, then what is added to lists."""
        places = {number: place for place, number in enumerate(_numbers(content))}
        if not places.keys() >= dict(self.protocols).keys():
            raise NotInPlace("a port to be changed is not there")
        steps: list[Step] = [Value((*_PORTS, places[number], "protocol"), word) for number, word in self.protocols]
        if self.ports:
            added = ({"number": port.number, "name": port.name, "protocol": port.protocol} for port in self.ports)
            steps.append(Items(_PORTS, tuple(added)))
        if self.export_to:
            steps.append(Items(_EXPORT_TO, self.export_to))
        return steps


@dataclass(frozen=True)
class Listed:
    """Hosts that a Sidecar is to import, by the position of the egress listener; null is a new one at the end."""

    kind: ClassVar[str] = "Sidecar"
    hosts: tuple[tuple[int | None, tuple[str, ...]], ...]

    def steps(self, content: Mapping[str, Any]) -> Sequence[Step]:
        """What is added to the lists of listeners."""
        return [
            Items(("spec", "egress"), ({"hosts": list(hosts)},))
            if place is None
            else Items(("spec", "egress", place, "hosts"), hosts)
            for place, hosts in self.hosts
        ]


@dataclass(frozen=True)
class Switched:
    """A Sidecar with another outbound policy, and the lines that it gets besides."""

    kind: ClassVar[str] = "Sidecar"
    mode: str
    lines: Listed

    def steps(self, content: Mapping[str, Any]) -> Sequence[Step]:
        """The lines, and the mode."""
        return [*self.lines.steps(content), Value(("spec", "outboundTrafficPolicy", "mode"), self.mode)]


@dataclass(frozen=True)
class Narrowed:
    """The ports (by number), hosts and scopes that are left of a ServiceEntry; null is what it has."""

    kind: ClassVar[str] = "ServiceEntry"
    ports: frozenset[int]
    hosts: tuple[str, ...]
    export_to: tuple[str, ...] | None = None

    def steps(self, content: Mapping[str, Any]) -> Sequence[Step]:
        """What is taken out of lists, and what takes its place."""
        steps: list[Step] = []
        gone = tuple(place for place, number in enumerate(_numbers(content)) if number not in self.ports)
        if gone:
            steps.append(Items(_PORTS, removed=gone))
        for key, wanted in (("hosts", self.hosts), ("exportTo", self.export_to)):
            present = list(_list(content, key))
            if wanted is not None and set(wanted) != set(present):
                added = tuple(item for item in wanted if item not in present)
                removed = tuple(place for place, item in enumerate(present) if item not in wanted)
                steps.append(Items(("spec", key), added, removed))
        return steps


def _numbers(content: Mapping[str, Any]) -> list[int]:
    try:
        return [int(port["number"]) for port in _list(content, "ports")]
    except (TypeError, KeyError, ValueError) as error:
        raise NotInPlace("its ports are not what they were") from error


def _list(content: Mapping[str, Any], key: str) -> Sequence[Any]:
    spec = content.get("spec")
    found = spec.get(key) if isinstance(spec, Mapping) else None
    return found if isinstance(found, list) else []
