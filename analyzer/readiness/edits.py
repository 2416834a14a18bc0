"""The smallest changes to entries and Sidecars, as values, so that what would mend a cause can be replayed."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from analyzer.mesh.model import Mesh, Port, ServiceEntry, Sidecar
from analyzer.proposals.listing import listed

EGRESS = "egress"
"""The one field of a Sidecar that edits speak of: `egress[].hosts`, as the listener's position and the line."""


@dataclass(frozen=True)
class Edit:
    """One field of one object (`<namespace>/<name>`) as it should be: an item added, taken out (`*`: all), or both."""

    reference: str
    field: str
    added: Any = None
    removed: Any = None

    @property
    def order(self) -> tuple[str, str, str, str]:
        """A sort key."""
        return self.reference, self.field, str(self.added), str(self.removed)


def edited(mesh: Mesh, edits: Iterable[Edit]) -> Mesh:
    """The mesh with the edits made; an edit of what is not there changes nothing."""
    entries: dict[str, ServiceEntry] = {entry.reference: entry for entry in mesh.service_entries}
    sidecars: dict[str, Sidecar] = {sidecar.reference: sidecar for sidecar in mesh.sidecars}
    changed: set[str] = set()
    lines: dict[str, dict[int | None, tuple[str, ...]]] = defaultdict(dict)
    for edit in sorted(set(edits), key=lambda edit: edit.order):
        if edit.field == EGRESS and edit.reference in sidecars:
            place, line = edit.added
            lines[edit.reference][place] = (*lines[edit.reference].get(place, ()), line)
        elif edit.reference in entries:
            entries[edit.reference] = _made(entries[edit.reference], edit)
            changed.add(edit.reference)
    return mesh.over(
        Mesh(
            service_entries=tuple(entries[reference] for reference in sorted(changed)),
            sidecars=tuple(listed(sidecars[reference], added) for reference, added in lines.items()),
        )
    )


def _made(entry: ServiceEntry, edit: Edit) -> ServiceEntry:
    if edit.field == "ports":
        return replace(entry, ports=_ports(entry.ports, edit.added))
    items = tuple(item for item in getattr(entry, edit.field) if edit.removed != "*" and item != edit.removed)
    if edit.added is not None and edit.added not in items:
        items = (*items, edit.added)
    changed: dict[str, Any] = {edit.field: items}
    return replace(entry, **changed)


def _ports(ports: tuple[Port, ...], wanted: Port) -> tuple[Port, ...]:
    """With this port: its protocol where the number is declared, beside the others where it is not."""
    if any(port.number == wanted.number for port in ports):
        return tuple(
            replace(port, protocol=wanted.protocol) if port.number == wanted.number else port for port in ports
        )
    return (*ports, wanted)
