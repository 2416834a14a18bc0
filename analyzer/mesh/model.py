"""The mesh as documents say it is: Istio's and Kubernetes' objects, reduced to what decides egress.

Every object keeps where it was read (`origin`), so that a finding or a replay can point at it. Fields
carry the names of the API (istio/api networking/v1alpha3/*.proto) in snake case. All are frozen values.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from analyzer.mesh.objects import Document, MeshObject, Origin, Port
from analyzer.mesh.routing import DestinationRule, Gateway, VirtualService
from analyzer.mesh.scoping import MeshConfig, Sidecar, Telemetry
from analyzer.mesh.services import Endpoint, EndpointSlice, Namespace, Pod, Service, ServiceEntry, WorkloadEntry
from analyzer.vocabulary import Resolution

__all__ = [
    "DestinationRule",
    "Document",
    "Endpoint",
    "EndpointSlice",
    "Gateway",
    "Mesh",
    "MeshConfig",
    "MeshObject",
    "Namespace",
    "Origin",
    "Pod",
    "Port",
    "Service",
    "ServiceEntry",
    "Sidecar",
    "Telemetry",
    "VirtualService",
    "WorkloadEntry",
]


@dataclass(frozen=True)
class Mesh:
    """Everything that decides egress, as far as documents were given."""

    service_entries: tuple[ServiceEntry, ...] = ()
    services: tuple[Service, ...] = ()
    sidecars: tuple[Sidecar, ...] = ()
    virtual_services: tuple[VirtualService, ...] = ()
    destination_rules: tuple[DestinationRule, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    workload_entries: tuple[WorkloadEntry, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    mesh_configs: tuple[MeshConfig, ...] = ()
    telemetries: tuple[Telemetry, ...] = ()
    pods: tuple[Pod, ...] = ()
    endpoint_slices: tuple[EndpointSlice, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of the mesh as it is; proposals do not count."""
        return all(item.proposed for item in self.objects())

    @property
    def config(self) -> MeshConfig:
        """The mesh configuration: the ConfigMap `istio`, else the first revision's, else Istio's defaults."""
        named = sorted(self.mesh_configs, key=lambda config: (config.name != "istio", config.name, config.namespace))
        return named[0] if named else MeshConfig(namespace="istio-system", name="istio")

    def objects(self) -> Iterator[MeshObject]:
        """Every object, kind by kind."""
        for kind in fields(self):
            yield from getattr(self, kind.name)

    def over(self, other: "Mesh") -> "Mesh":
        """This mesh with `other` applied over it: the same kind, namespace and name replaces, the rest is added.

        What is replaced keeps its age, and an entry its allocated addresses: applying a manifest changes an object
        and does not create it anew.
        """
        return Mesh(*(_over(getattr(self, kind.name), getattr(other, kind.name)) for kind in fields(self)))

    def as_proposed(self) -> "Mesh":
        """The same objects as things that do not exist yet."""
        return Mesh(
            *(tuple(replace(item, proposed=True) for item in getattr(self, kind.name)) for kind in fields(self))
        )


def _over(old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    if not new:
        return old
    incoming = {(item.namespace, item.name): item for item in new}
    existing = {(item.namespace, item.name): item for item in old}
    kept = tuple(item for key, item in existing.items() if key not in incoming)
    return (*kept, *(_aged(item, existing.get(key)) for key, item in incoming.items()))


def _aged(item: Any, replaced: Any) -> Any:
    if replaced is None or replaced.proposed:
        return item
    aged = replace(item, proposed=False, creation_timestamp=item.creation_timestamp or replaced.creation_timestamp)
    return _still_allocated(aged, replaced) if isinstance(aged, ServiceEntry) else aged


def _still_allocated(entry: ServiceEntry, replaced: ServiceEntry) -> ServiceEntry:
    """An entry with the addresses that Istio allocated to what it replaces: `status` outlives an applied `spec`."""
    was_none, is_none = (item.resolution is Resolution.NONE for item in (replaced, entry))
    if replaced.readdressed or was_none is not is_none or set(replaced.addresses) != set(entry.addresses):
        entry = replace(entry, readdressed=True)
    if entry.auto_addresses or entry.addresses or entry.resolution is Resolution.NONE:
        return entry
    return replace(
        entry, auto_addresses={host: found for host, found in replaced.auto_addresses.items() if host in entry.hosts}
    )
