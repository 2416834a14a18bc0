"""Meshes for tests, out of a few words of YAML, and proposals out of evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from analyzer.evidence import Destination
from analyzer.mesh import loading
from analyzer.mesh.documents import MeshWarning
from analyzer.mesh.model import Document, Mesh, MeshObject, Origin
from analyzer.proposals import Proposals, propose
from analyzer.proposals.manifest_yaml import as_yaml
from analyzer.settings import Settings
from analyzer.vocabulary import NEWEST_ISTIO
from tests.detection.building import judged

_NETWORKING = "networking.istio.io/v1"


def mesh_of(objects: Sequence[Mapping[str, Any]]) -> Mesh:
    """Objects from `{kind: ServiceEntry, name: <namespace>/<name>, labels, annotations, spec}`, a file each.

    They are dated, the oldest first.
    """
    warnings: list[MeshWarning] = []
    mesh = loading.mesh_of([_document(item) for item in objects], warnings)
    assert warnings == []
    dates = {(item.get("kind", "ServiceEntry"), item["name"]): day for day, item in enumerate(objects, 1)}
    return Mesh(**{kind.name: tuple(_dated(item, dates) for item in getattr(mesh, kind.name)) for kind in fields(mesh)})


def _dated(item: MeshObject, dates: Mapping[tuple[str, str], int]) -> MeshObject:
    day = dates[type(item).__name__, item.reference]
    return replace(item, creation_timestamp=f"2026-01-{day:02}T00:00:00Z")


def _document(item: Mapping[str, Any]) -> Document:
    namespace, _, name = item["name"].partition("/")
    kind = item.get("kind", "ServiceEntry")
    version = "v1" if kind == "Pod" else _NETWORKING
    metadata = {"name": name, "namespace": namespace, **{k: item[k] for k in ("labels", "annotations") if k in item}}
    content = {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": item["spec"]}
    origin = Origin(f"mesh/{namespace}-{name}.yaml", 1, 1, as_yaml(content).encode())
    return Document(kind, version, namespace, name, content, origin)


def proposals_for(
    destinations: Sequence[Destination], mesh: Mesh | None = None, istio_version: str = NEWEST_ISTIO, **settings: Any
) -> Proposals:
    """What would be proposed for some evidence."""
    return propose(
        judged(destinations, **settings),
        mesh or Mesh(),
        Settings.model_validate(settings),
        istio_version=istio_version,
    )
