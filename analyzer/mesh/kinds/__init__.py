"""One file for each kind of document that the mesh is made of; each defines `KIND`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from analyzer.mesh.objects import Document
from analyzer.registry import discover

NETWORKING = "networking.istio.io"


@dataclass(frozen=True)
class MeshKind:
    """A kind, its API group ("" for Kubernetes' core), the field of `Mesh` that it goes into and how it is read.

    `read` gives null for an object that says nothing of the mesh, and raises `TypeError` or `ValueError` for one
    whose fields have the wrong shape.
    """

    name: str
    group: str
    into: str
    read: Callable[[Document], Any]


@lru_cache(maxsize=1)
def known_kinds() -> dict[tuple[str, str], MeshKind]:
    """Every kind by (API group, kind)."""
    return {(kind.group, kind.name): kind for kind in discover(__name__, "KIND").values()}


def kind_of(document: Document) -> MeshKind | None:
    """The kind that reads a document, whatever the version of its API, or null for a kind that is not ours."""
    group, slash, _ = document.api_version.partition("/")
    return known_kinds().get((group if slash else "", document.kind))
