"""The little of a sidecar's inbound side that leaves lines in an egress log: one application port.

Source: istio/istio pilot/pkg/networking/core/listener_inbound.go, cluster_builder.go (inbound clusters),
tools/istio-iptables/pkg/capture/run.go (ISTIO_INBOUND).
"""

from pathlib import Path

from tests.envoy.access_logs import access_logs
from tests.envoy.namespaces import Namespace
from tests.envoy.typed import Json, http_filters, socket_address, typed

INBOUND_PORT = 15006
APP_PORT = 8080
CLUSTER = f"inbound|{APP_PORT}||"


def redirect_inbound(namespace: Namespace) -> None:
    """Send what comes in for the application to the proxy."""
    rule = f"-A PREROUTING -p tcp --dport {APP_PORT} -j REDIRECT --to-ports {INBOUND_PORT}"
    namespace.command("iptables", "-w", "-t", "nat", *rule.split())


def inbound_listener(folder: Path) -> Json:
    """virtualInbound, with a chain for the application's port."""
    route = {"name": "default", "match": {"prefix": "/"}, "route": {"cluster": CLUSTER, "timeout": "0s"}}
    host = {"name": f"inbound|http|{APP_PORT}", "domains": ["*"], "routes": [route]}
    manager = typed(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=f"inbound_0.0.0.0_{APP_PORT};",
        route_config={"name": CLUSTER, "virtual_hosts": [host], "validate_clusters": False},
        normalize_path=True,
        access_log=access_logs(folder),
        http_filters=http_filters(),
    )
    return {
        "name": "virtualInbound",
        "address": socket_address("0.0.0.0", INBOUND_PORT),
        "traffic_direction": "INBOUND",
        "listener_filters": [
            typed("envoy.filters.listener.original_dst", "extensions.filters.listener.original_dst.v3.OriginalDst")
        ],
        "filter_chains": [{"filter_chain_match": {"destination_port": APP_PORT}, "filters": [manager]}],
    }


def inbound_cluster() -> Json:
    """The application itself, reached from 127.0.0.6 so that the call is not taken for outbound again."""
    return {
        "name": CLUSTER,
        "type": "ORIGINAL_DST",
        "lb_policy": "CLUSTER_PROVIDED",
        "connect_timeout": "10s",
        "upstream_bind_config": {"source_address": {"address": "127.0.0.6", "port_value": 0}},
    }
