"""What every object of the mesh has: a place in the cluster, a place in a file, an age."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Origin:
    """Where a document stands: the file as given, the document's number in it and its first line (from 1).

    `text` is the whole file as it was read, for whoever edits the document in place.
    """

    file: str
    document: int = 1
    line: int = 1
    text: bytes | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Document:
    """One YAML or JSON document as it was read, before anyone says what it means.

    `content` is the mapping, with the places of its keys where it came from YAML (`analyzer.mesh.placed`), so that
    a rule can point at the line and column of a key.
    """

    kind: str
    api_version: str
    namespace: str
    name: str
    content: Mapping[str, Any]
    origin: Origin

    @property
    def reference(self) -> str:
        """`<kind>/<namespace>/<name>`."""
        return f"{self.kind}/{self.namespace}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class MeshObject:
    """What all kinds share. `proposed` marks what does not exist yet, and is younger than everything that does."""

    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    creation_timestamp: str | None = None
    proposed: bool = False
    origin: Origin | None = None

    @property
    def reference(self) -> str:
        """`<namespace>/<name>`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Port:
    """One `ServiceEntry.ports[]` or `Service.spec.ports[]` item.

    `protocol` is upper-cased, "" if Istio would look at the bytes: as written in a ServiceEntry, by the port's
    `appProtocol` or name in a Service.
    """

    number: int
    name: str
    protocol: str
    target_port: int | None = None
