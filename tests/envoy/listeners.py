"""A sidecar's outbound listeners, without EDS, RDS and mTLS.

Source: istio/istio pilot/pkg/networking/core/listener.go (buildSidecarOutboundListener, conflicts, binding),
listener_builder.go (virtualOutbound, buildOutboundCatchAllNetworkFilterChains), tls.go (SNI conditions).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from analyzer.mesh.model import Port
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.vocabulary import Mode, Resolution
from tests.envoy.access_logs import access_logs, no_route_logs
from tests.envoy.clusters import BLACK_HOLE, PASSTHROUGH, cluster_name, dns_cache
from tests.envoy.routes import VirtualServices, bound_routes, port_routes
from tests.envoy.services import Service
from tests.envoy.typed import Json, http_filters, socket_address, typed

OUTBOUND_PORT = 15001
ANY = "0.0.0.0"
_RESERVED = (15001, 15006, 15021, 15090)
_ALONE = ("MONGO", "MYSQL")


@dataclass(frozen=True)
class Chain:
    """A TCP chain: what it asks for, and the cluster that it leads to.

    `looks_up` is the port of a name that the client's server name brings (DYNAMIC_DNS).
    """

    cluster: str
    server_name: str | None = None
    prefix: str | None = None
    looks_up: int | None = None

    @property
    def asks_for(self) -> tuple[str | None, str | None]:
        """Of two chains with the same conditions, the later one is dropped."""
        return self.server_name, self.prefix


@dataclass
class PortListener:
    """One `bind:port` while services are put on it."""

    address: str
    port: int
    first_protocol: str
    routes: Json | None = None
    chains: list[Chain] = field(default_factory=list)

    def add(self, chain: Chain) -> None:
        """Add a chain unless an earlier one has the same conditions."""
        if all(chain.asks_for != other.asks_for for other in self.chains):
            self.chains.append(chain)


def listeners(services: Iterable[Service], mode: Mode, folder: Path, virtual_services: VirtualServices) -> list[Json]:
    """virtualOutbound, then one listener for each address and port that some service has."""
    services = tuple(services)
    found: dict[tuple[str, int], PortListener] = {}
    for service in services:
        for port in service.ports:
            _put(found, services, service, port, mode, virtual_services)
    return [_virtual_outbound(mode, folder), *(_as_json(listener, mode, folder) for listener in found.values())]


def _put(
    found: dict[tuple[str, int], PortListener],
    services: tuple[Service, ...],
    service: Service,
    port: Port,
    mode: Mode,
    virtual_services: VirtualServices,
) -> None:
    kind = port_class(port.protocol)
    if kind is None or kind is PortClass.UDP or (kind is PortClass.HTTP and port.number in _RESERVED):
        return
    bound = None if kind is PortClass.HTTP else service.bound_address
    place = (bound or ANY, port.number)
    listener = found.setdefault(place, PortListener(*place, port.protocol))
    if listener.first_protocol != port.protocol and (listener.first_protocol in _ALONE or port.protocol in _ALONE):
        return
    had_http = listener.routes is not None
    if kind in (PortClass.HTTP, PortClass.AUTO) and not had_http:
        private = bound_routes(service, port.number, virtual_services) if bound else None
        listener.routes = private or port_routes(port.number, services, mode, virtual_services)
    if kind is PortClass.HTTP or (kind is PortClass.AUTO and had_http):
        return  # a sniffed port adds no chain where the listener looks for HTTP already (1.31)
    named = kind is PortClass.TLS and bound is None
    prefix = None if bound else service.prefix
    looks_up = port.number if service.resolution is Resolution.DYNAMIC_DNS else None
    name = service.host.lower() if named else None
    listener.add(Chain(cluster_name(service.host, port.number), name, prefix, looks_up))


def _as_json(listener: PortListener, mode: Mode, folder: Path) -> Json:
    chains = [_tcp_chain(chain, folder) for chain in listener.chains if chain.asks_for != (None, None)]
    inspectors = []
    if any(chain.server_name for chain in listener.chains):
        inspectors.append(_inspector("tls_inspector", "TlsInspector"))
    if listener.routes is not None:
        chains.append(_http_chain(listener, folder))
        inspectors.append(_inspector("http_inspector", "HttpInspector"))
    rest = next((chain.cluster for chain in listener.chains if chain.asks_for == (None, None)), None)
    default = {"filters": [_tcp_proxy(rest, folder)]} if rest else _fallthrough(mode, folder)
    return {
        "name": f"{listener.address}_{listener.port}",
        "address": socket_address(listener.address, listener.port),
        "bind_to_port": False,
        "traffic_direction": "OUTBOUND",
        "listener_filters": inspectors,
        "listener_filters_timeout": "0s",
        "continue_on_listener_filters_timeout": True,
        "filter_chains": chains,
        "default_filter_chain": default,
    }


def _inspector(name: str, message: str) -> Json:
    return typed(f"envoy.filters.listener.{name}", f"extensions.filters.listener.{name}.v3.{message}")


def _virtual_outbound(mode: Mode, folder: Path) -> Json:
    """Where everything arrives; what finds no listener of its own falls to the catch-all chain."""
    return {
        "name": "virtualOutbound",
        "address": socket_address(ANY, OUTBOUND_PORT),
        "traffic_direction": "OUTBOUND",
        "use_original_dst": True,
        "access_log": no_route_logs(folder),
        "filter_chains": [
            {
                "name": "virtualOutbound-blackhole",
                "filter_chain_match": {"destination_port": OUTBOUND_PORT},
                "filters": [_tcp_proxy(BLACK_HOLE, None)],
            },
            {"name": "virtualOutbound-catchall-tcp", "filters": [_tcp_proxy(_policy_cluster(mode), folder)]},
        ],
    }


def _policy_cluster(mode: Mode) -> str:
    return BLACK_HOLE if mode is Mode.REGISTRY_ONLY else PASSTHROUGH


def _fallthrough(mode: Mode, folder: Path) -> Json:
    return {"name": "PassthroughFilterChain", "filters": [_tcp_proxy(_policy_cluster(mode), folder)]}


def _tcp_chain(chain: Chain, folder: Path) -> Json:
    match: Json = {}
    if chain.server_name is not None:
        match["server_names"] = [chain.server_name]
    if chain.prefix is not None:
        address, _, length = chain.prefix.partition("/")
        match["prefix_ranges"] = [{"address_prefix": address, "prefix_len": int(length)}]
    found = [_tcp_proxy(chain.cluster, folder)]
    if chain.looks_up is not None:
        found = [_name_lookup(chain.looks_up), *found]
    return {"filter_chain_match": match, "filters": found}


def _name_lookup(port: int) -> Json:
    return typed(
        "envoy.filters.network.sni_dynamic_forward_proxy",
        "extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig",
        dns_cache_config=dns_cache(port),
        port_value=port,
    )


def _http_chain(listener: PortListener, folder: Path) -> Json:
    # HTTP/1.0 is not in the list unless istiod runs with PILOT_HTTP10.
    match = {"transport_protocol": "raw_buffer", "application_protocols": ["http/1.1", "h2c"]}
    return {"filter_chain_match": match, "filters": [_connection_manager(listener, folder)]}


def _tcp_proxy(cluster: str, folder: Path | None) -> Json:
    logs = {"access_log": access_logs(folder)} if folder else {}
    return typed(
        "envoy.filters.network.tcp_proxy",
        "extensions.filters.network.tcp_proxy.v3.TcpProxy",
        stat_prefix=cluster,
        cluster=cluster,
        **logs,
    )


def _connection_manager(listener: PortListener, folder: Path) -> Json:
    return typed(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=f"outbound_{listener.address}_{listener.port};",
        route_config=listener.routes,
        use_remote_address=False,
        normalize_path=True,
        stream_idle_timeout="0s",
        upgrade_configs=[{"upgrade_type": "websocket"}],
        access_log=access_logs(folder),
        http_filters=http_filters(),
    )
