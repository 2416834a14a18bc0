"""What a kind of manifest must offer, and the kinds this build knows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

from analyzer.evidence import Judged
from analyzer.mesh.model import ServiceEntry
from analyzer.proposals.editing import Change
from analyzer.registry import discover
from analyzer.settings import Settings


@dataclass(frozen=True)
class Candidate:
    """A manifest before it is proven: what it would say and what it was made from.

    `narrower` are candidates to try instead where this one turns out to admit too much. `base` is the existing entry
    that this one edits, null where it is a new one; an edit only adds.
    """

    service_entry: ServiceEntry
    made_for: tuple[Judged, ...]
    widens: str = ""
    needs_review: bool = False
    narrower: tuple["Candidate", ...] = ()
    base: ServiceEntry | None = None

    @property
    def change(self) -> Change:
        """What an edit adds to the entry that it edits."""
        old = self.base or self.service_entry
        declared = {port.number for port in old.ports}
        return Change(
            tuple(port for port in self.service_entry.ports if port.number not in declared),
            tuple(scope for scope in self.service_entry.export_to if scope not in old.export_to),
        )

    def without_ports(self, numbers: Collection[int | None]) -> "Candidate | None":
        """What is left without some of the ports that it adds, and without those whom they are for, if anything is."""
        gone = {port.number for port in (self.change.ports if self.base else self.service_entry.ports)} & set(numbers)
        if gone != set(numbers):
            return None  # what speaks against it is not a port that it adds
        ports = tuple(port for port in self.service_entry.ports if port.number not in gone)
        kept = tuple(item for item in self.made_for if item.key.destination_port not in gone)
        return replace(self, service_entry=replace(self.service_entry, ports=ports), made_for=kept) if kept else None


@dataclass(frozen=True)
class Unmakeable:
    """Destinations that this kind of manifest cannot express, with a code and what to do."""

    judged: tuple[Judged, ...]
    code: str
    reason: str


@runtime_checkable
class ManifestKind(Protocol):
    """One kind, in one file of `analyzer.proposals.manifests`."""

    name: str
    summary: str

    def candidates(
        self, namespace: str, judged: Sequence[Judged], settings: Settings, istio_version: str
    ) -> tuple[list[Candidate], list[Unmakeable]]:
        """Manifests for the legitimate destinations of one namespace, and what cannot be expressed."""
        ...

    def document(self, entry: ServiceEntry, annotations: dict[str, str], istio_version: str) -> dict[str, Any]:
        """The manifest as plain data, keys in the order in which they are written."""
        ...


@lru_cache(maxsize=1)
def known_manifest_kinds() -> dict[str, ManifestKind]:
    """Every kind by name."""
    return discover("analyzer.proposals.manifests", "MANIFEST_KIND")
