"""The smallest changes to an entry, as values: what a cause would take to be mended, so that it can be replayed."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from analyzer.mesh.model import Mesh, Port, ServiceEntry


@dataclass(frozen=True)
class Edit:
    """One field of one entry (`<namespace>/<name>`) as it should be: an item added, or (old, new) exchanged."""

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
    entries = {entry.reference: entry for entry in mesh.service_entries}
    changed: dict[str, ServiceEntry] = {}
    for edit in sorted(set(edits), key=lambda edit: edit.order):
        entry = changed.get(edit.reference) or entries.get(edit.reference)
        if entry is not None:
            changed[edit.reference] = _made(entry, edit)
    return mesh.over(Mesh(tuple(changed[reference] for reference in sorted(changed))))


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
