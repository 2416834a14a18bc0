"""What a kind of manifest must offer, and the kinds this build knows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

from analyzer.evidence import Judged
from analyzer.mesh.model import ServiceEntry
from analyzer.proposals.editing import Change
from analyzer.proposals.listing import Listing
from analyzer.registry import discover
from analyzer.settings import Settings


@dataclass(frozen=True)
class Candidate:
    """A manifest before it is proven: what it would say and what it was made from.

    `narrower` are candidates to try instead where this one turns out to admit too much. `base` is the existing entry
    that this one edits, null where it is a new one. `listings` are the lines that Sidecars lack for its callers to see
    it; where an existing entry lacks nothing else, they are all that is changed.
    """

    service_entry: ServiceEntry
    made_for: tuple[Judged, ...]
    widens: str = ""
    needs_review: bool = False
    narrower: tuple["Candidate", ...] = ()
    base: ServiceEntry | None = None
    listings: tuple[Listing, ...] = ()

    @property
    def change(self) -> Change:
        """What an edit gives to the entry that it edits."""
        old = self.base or self.service_entry
        declared = {port.number: port.protocol for port in old.ports}
        ports = self.service_entry.ports
        return Change(
            tuple(port for port in ports if port.number not in declared),
            tuple(scope for scope in self.service_entry.export_to if scope not in old.export_to),
            tuple((p.number, p.protocol) for p in ports if declared.get(p.number, p.protocol) != p.protocol),
        )

    @property
    def makes_entry(self) -> bool:
        """Whether there is an entry to write, and not just a Sidecar's list."""
        return self.base is None or bool(self.change)

    @property
    def name(self) -> str:
        """What tells it from other candidates: its entry, and the Sidecars where nothing but their lists is changed."""
        reference = self.service_entry.reference
        if self.makes_entry:
            return reference
        return f"{reference} ({', '.join(sorted({listing.sidecar.reference for listing in self.listings}))})"

    def reaches(self, namespace: str | None, number: int | None, root: str) -> bool:
        """Whether it may change what a namespace's requests to a port meet, as far as they see its entry."""
        if self.base is None:
            return True
        change = self.change
        if number in {port.number for port in change.ports} | set(dict(change.protocols)):
            return True
        scopes = {self.base.namespace if scope == "." else scope for scope in change.export_to}
        return bool(scopes & {namespace, "*"}) or any(
            listing.sidecar.namespace in (namespace, root) for listing in self.listings
        )

    def only(self, items: Sequence[Judged]) -> "Candidate":
        """The same for some of those whom it is made for, with the lines that these need."""
        keys = {item.key for item in items}
        kept = tuple(
            replace(listing, keys=tuple(key for key in listing.keys if key in keys))
            for listing in self.listings
            if keys.intersection(listing.keys)
        )
        return replace(self, made_for=tuple(items), listings=kept)

    def without_ports(self, numbers: Collection[int | None]) -> "Candidate | None":
        """What is left without some of the ports that it adds or changes, and without those whom they are for."""
        old = {port.number: port for port in self.base.ports} if self.base else {}
        change = self.change
        own = set(dict(change.protocols)) | {
            p.number for p in (change.ports if self.base else self.service_entry.ports)
        }
        gone = own & set(numbers)
        if gone != set(numbers):
            return None  # what speaks against it is not a port that it adds or changes
        ports = (old.get(p.number) if p.number in gone else p for p in self.service_entry.ports)
        kept = [item for item in self.made_for if item.key.destination_port not in gone]
        left = replace(self, service_entry=replace(self.service_entry, ports=tuple(filter(None, ports)))).only(kept)
        return left if kept and (left.makes_entry or left.listings) else None


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
