"""What a host name stands for: ServiceEntries, Services and the workloads behind them.

Sources: istio/api networking/v1alpha3/{service_entry,workload_entry}.proto; Kubernetes core/v1, discovery/v1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzer.mesh.objects import MeshObject, Port
from analyzer.vocabulary import Location, Resolution


@dataclass(frozen=True)
class Endpoint:
    """One `WorkloadEntry` of a ServiceEntry."""

    address: str
    ports: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    network: str | None = None


@dataclass(frozen=True, kw_only=True)
class ServiceEntry(MeshObject):
    """`networking.istio.io` ServiceEntry; `auto_addresses` is `status.addresses` by host.

    `readdressed` marks one that replaces another which stood at other addresses: what DNS answers is news.
    """

    hosts: tuple[str, ...]
    ports: tuple[Port, ...]
    addresses: tuple[str, ...] = ()
    location: Location = Location.MESH_EXTERNAL
    resolution: Resolution = Resolution.NONE
    endpoints: tuple[Endpoint, ...] = ()
    workload_selector: Mapping[str, str] | None = None
    export_to: tuple[str, ...] = ()
    subject_alt_names: tuple[str, ...] = ()
    auto_addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    readdressed: bool = False


@dataclass(frozen=True, kw_only=True)
class Service(MeshObject):
    """A Kubernetes Service; `cluster_ips` is empty for a headless one, `external_name` null for all others."""

    ports: tuple[Port, ...] = ()
    cluster_ips: tuple[str, ...] = ()
    selector: Mapping[str, str] = field(default_factory=dict)
    external_name: str | None = None
    export_to: tuple[str, ...] = ()

    @property
    def is_headless(self) -> bool:
        """Whether clients are told the pods' own addresses."""
        return not self.cluster_ips and self.external_name is None


@dataclass(frozen=True, kw_only=True)
class WorkloadEntry(MeshObject):
    """`networking.istio.io` WorkloadEntry."""

    address: str
    ports: Mapping[str, int] = field(default_factory=dict)
    network: str | None = None


@dataclass(frozen=True, kw_only=True)
class Pod(MeshObject):
    """A running pod: its addresses, and what its proxy is told beyond the mesh's own configuration.

    `workload` is the name of what owns it (a Deployment, StatefulSet, Job), as Istio derives it.
    """

    addresses: tuple[str, ...] = ()
    workload: str = ""
    service_account: str = ""
    host_network: bool = False
    proxy_metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class EndpointSlice(MeshObject):
    """The ready addresses of a Service, each with the name of its pod where it is one."""

    service: str
    addresses: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Namespace(MeshObject):
    """A namespace; its labels are what selectors of the mesh look at."""
