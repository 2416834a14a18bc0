"""The bootstrap of a sidecar: what istiod would send by LDS, RDS, CDS and EDS, in one file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from analyzer.mesh.model import ServiceEntry
from analyzer.vocabulary import Mode
from tests.envoy.clusters import clusters, originating_tls
from tests.envoy.inbound import inbound_cluster, inbound_listener
from tests.envoy.listeners import listeners
from tests.envoy.routes import VirtualServices
from tests.envoy.services import MeshService, visible_services
from tests.envoy.typed import Json, socket_address

ADMIN_PORT = 15000


@dataclass(frozen=True)
class Configuration:
    """What istiod knows when it writes for the proxies of one namespace.

    `dns` gives the addresses of names; `tls_origins` are hosts to which the proxy speaks TLS itself. Without
    `delimited_stat_names` clusters are as they were before Istio 1.23, and %UPSTREAM_CLUSTER% prints no `;`.
    """

    namespace: str
    mode: Mode
    service_entries: tuple[ServiceEntry, ...] = ()
    mesh_services: tuple[MeshService, ...] = ()
    dns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    virtual_services: VirtualServices = field(default_factory=dict)
    tls_origins: tuple[str, ...] = ()
    connect_timeout: str = "10s"
    delimited_stat_names: bool = True


def bootstrap(wanted: Configuration, folder: Path) -> Json:
    """Envoy's bootstrap; access logs go to files in `folder`."""
    services = visible_services(wanted.namespace, wanted.service_entries, wanted.mesh_services)
    found = [*clusters(services, dict(wanted.dns), wanted.connect_timeout), inbound_cluster()]
    found = [originating_tls(c) if c["name"].rpartition("|")[2] in wanted.tls_origins else c for c in found]
    if wanted.delimited_stat_names:
        found = [{**cluster, "alt_stat_name": f"{cluster['name']};"} for cluster in found]
    return {
        "node": {"id": "sidecar~10.244.0.1~pod.namespace~namespace.svc.cluster.local", "cluster": "pod.namespace"},
        "admin": {"address": socket_address("127.0.0.1", ADMIN_PORT)},
        "static_resources": {
            "listeners": [
                *listeners(services, wanted.mode, folder, wanted.virtual_services),
                inbound_listener(folder),
            ],
            "clusters": found,
        },
    }


def write_bootstrap(wanted: Configuration, folder: Path) -> Path:
    """Write the bootstrap to a file that Envoy reads as JSON."""
    file = folder / "bootstrap.json"
    file.write_text(json.dumps(bootstrap(wanted, folder), indent=1))
    return file
