"""The mesh as documents say it is: Istio's and Kubernetes' objects, reduced to what decides egress.

Every object keeps where it was read (`origin`), so that a finding or a replay can point at it. Fields
carry the names of the API (istio/api networking/v1alpha3/*.proto) in snake case. All are frozen values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analyzer.vocabulary import Location, Resolution


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
class Port:
    """One `ServiceEntry.ports[]` or `Service.spec.ports[]` item; `protocol` as written, upper-cased, "" if absent."""

    number: int
    name: str
    protocol: str
    target_port: int | None = None


@dataclass(frozen=True)
class Endpoint:
    """One `WorkloadEntry` of a ServiceEntry."""

    address: str
    ports: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    network: str | None = None


@dataclass(frozen=True)
class ServiceEntry:
    """`networking.istio.io` ServiceEntry (istio/api networking/v1alpha3/service_entry.proto)."""

    namespace: str
    name: str
    hosts: tuple[str, ...]
    ports: tuple[Port, ...]
    addresses: tuple[str, ...] = ()
    location: Location = Location.MESH_EXTERNAL
    resolution: Resolution = Resolution.NONE
    endpoints: tuple[Endpoint, ...] = ()
    workload_selector: Mapping[str, str] | None = None
    export_to: tuple[str, ...] = ()
    subject_alt_names: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    auto_addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    creation_timestamp: str | None = None
    proposed: bool = False
    origin: Origin | None = None

    @property
    def reference(self) -> str:
        """`<namespace>/<name>`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Document:
    """One YAML or JSON document as it was read, before anyone says what it means.

    `content` is the mapping with ruamel.yaml positions where it came from YAML, so that a rule can point
    at the line and column of a key.
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


@dataclass(frozen=True)
class Mesh:
    """Everything that decides egress, as far as documents were given."""

    service_entries: tuple[ServiceEntry, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of the mesh as it is; proposals do not count."""
        return all(entry.proposed for entry in self.service_entries)

    def over(self, other: "Mesh") -> "Mesh":
        """This mesh with `other` applied over it: the same namespace and name replaces, the rest is added."""
        replaced = {entry.reference for entry in other.service_entries}
        kept = tuple(entry for entry in self.service_entries if entry.reference not in replaced)
        return Mesh((*kept, *other.service_entries))
