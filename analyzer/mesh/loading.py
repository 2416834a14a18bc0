"""From documents to the mesh: the objects that decide egress, read as leniently as Istio itself would."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from analyzer.mesh.documents import MeshWarning, read_documents
from analyzer.mesh.kinds import NETWORKING as NETWORKING_GROUP
from analyzer.mesh.kinds import kind_of
from analyzer.mesh.kinds.service_entry import service_entry_of
from analyzer.mesh.model import Mesh
from analyzer.mesh.objects import Document

__all__ = ["NETWORKING", "load_mesh", "mesh_of", "service_entry_of"]

NETWORKING = f"{NETWORKING_GROUP}/"


def load_mesh(paths: Sequence[str]) -> tuple[Mesh, list[MeshWarning]]:
    """The mesh that some files describe, and the documents that were not understood.

    Raises `ManifestError` for a path that cannot be read.
    """
    documents, warnings = read_documents(paths)
    return mesh_of(documents, warnings), warnings


def mesh_of(documents: Sequence[Document], warnings: list[MeshWarning]) -> Mesh:
    """The mesh that some documents describe; what is odd in them is added to `warnings`.

    Of two documents for one object the later one holds, as with `kubectl apply`.
    """
    found: dict[str, dict[tuple[str, str], Any]] = defaultdict(dict)
    for document in documents:
        kind = kind_of(document)
        if kind is None:
            continue
        try:
            item = kind.read(document)
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            origin = document.origin
            problem = f"{document.reference}: cannot be read: {error}"
            warnings.append(MeshWarning(origin.file, origin.document, origin.line, problem))
            continue
        if item is not None:
            found[kind.into][document.namespace, document.name] = item
    return Mesh(**{into: tuple(items.values()) for into, items in found.items()})
