"""The smallest changes to entries and Sidecars, as values, so that what would mend a cause can be replayed."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from analyzer.mesh.model import Mesh, Port, ServiceEntry, Sidecar
from analyzer.mesh.scoping import EgressListener

EGRESS = "egress"
"""The one field of a Sidecar that edits speak of: `egress[].hosts`."""


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
    for edit in sorted(set(edits), key=lambda edit: edit.order):
        if edit.field == EGRESS and edit.reference in sidecars:
            sidecars[edit.reference] = _listing(sidecars[edit.reference], edit.added)
        elif edit.reference in entries:
            entries[edit.reference] = _made(entries[edit.reference], edit)
            changed.add(edit.reference)
    return mesh.over(
        Mesh(
            service_entries=tuple(entries[reference] for reference in sorted(changed)),
            sidecars=tuple(sidecars.values()),
        )
    )


def _listing(sidecar: Sidecar, host: str) -> Sidecar:
    """With a host in the listener that takes what no other took, the last without a port."""
    listeners = list(sidecar.egress or ())
    place = next((n for n in reversed(range(len(listeners))) if listeners[n].port is None), None)
    if place is None:
        return replace(sidecar, egress=(*listeners, EgressListener((host,))))
    listeners[place] = replace(listeners[place], hosts=(*listeners[place].hosts, host))
    return replace(sidecar, egress=tuple(listeners))


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
