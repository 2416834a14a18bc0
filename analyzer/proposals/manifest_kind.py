"""What a kind of manifest must offer, and the kinds this build knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

from analyzer.evidence import Judged
from analyzer.mesh.model import ServiceEntry
from analyzer.registry import discover
from analyzer.settings import Settings


@dataclass(frozen=True)
class Candidate:
    """A manifest before it is proven: what it would say and what it was made from.

    `narrower` are candidates to try instead where this one turns out to admit too much.
    """

    service_entry: ServiceEntry
    made_for: tuple[Judged, ...]
    widens: str = ""
    needs_review: bool = False
    narrower: tuple["Candidate", ...] = ()


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
        self, namespace: str, judged: Sequence[Judged], settings: Settings
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
