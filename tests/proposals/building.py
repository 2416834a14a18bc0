"""Meshes for tests, out of a few words of YAML, and proposals out of evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from analyzer.evidence import Destination
from analyzer.mesh.loading import service_entry_of
from analyzer.mesh.model import Document, Mesh, Origin
from analyzer.proposals import Proposals, propose
from analyzer.proposals.manifest_yaml import as_yaml
from analyzer.settings import Settings
from analyzer.vocabulary import NEWEST_ISTIO
from tests.detection.building import judged

_NETWORKING = "networking.istio.io/v1"


def mesh_of(entries: Sequence[Mapping[str, Any]]) -> Mesh:
    """ServiceEntries from `{name: <namespace>/<name>, labels, annotations, spec}`, a file each, oldest first."""
    dated = {f"2026-01-{day:02}T00:00:00Z": entry for day, entry in enumerate(entries, 1)}
    return Mesh(
        tuple(replace(service_entry_of(_document(entry)), creation_timestamp=when) for when, entry in dated.items())
    )


def _document(entry: Mapping[str, Any]) -> Document:
    namespace, _, name = entry["name"].partition("/")
    metadata = {"name": name, "namespace": namespace, **{k: entry[k] for k in ("labels", "annotations") if k in entry}}
    content = {"apiVersion": _NETWORKING, "kind": "ServiceEntry", "metadata": metadata, "spec": entry["spec"]}
    origin = Origin(f"mesh/{namespace}-{name}.yaml", 1, 1, as_yaml(content).encode())
    return Document("ServiceEntry", _NETWORKING, namespace, name, content, origin)


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
