"""Clusters as istiod sends them to a sidecar, endpoints written in where istiod would send EDS or DNS.

Source: istio/istio pilot/pkg/networking/core/cluster.go, cluster_builder.go (buildBlackHoleCluster,
buildDefaultPassthroughCluster, `alt_stat_name` with DelimitedStatsPrefix), serviceentry/conversion.go (resolution).
"""

from collections.abc import Iterable

from analyzer.mesh.model import Port
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.vocabulary import Resolution
from tests.envoy.dns import SERVER
from tests.envoy.services import Service, clustered_ports, endpoints_of
from tests.envoy.typed import Json, socket_address, typed

BLACK_HOLE, PASSTHROUGH = "BlackHoleCluster", "PassthroughCluster"
_HTTP2 = ("HTTP2", "GRPC", "GRPC-WEB")
_FORWARD_PROXY = "extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig"
_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def cluster_name(host: str, port: int) -> str:
    """Istio's name for an outbound cluster without a subset."""
    return f"outbound|{port}||{host}"


def clusters(services: Iterable[Service], dns: dict[str, tuple[str, ...]], connect_timeout: str) -> list[Json]:
    """Everything a sidecar can send to: the two of the policy, then one for each host and port."""
    found = [_black_hole(), _passthrough(connect_timeout)]
    for (_, number), service in clustered_ports(services).items():
        port = next(port for port in service.ports if port.number == number)
        if port_class(port.protocol) not in (None, PortClass.UDP):
            found.append(_outbound(service, port, dns, connect_timeout))
    return found


def _named(name: str, connect_timeout: str, **fields: object) -> Json:
    return {"name": name, "connect_timeout": connect_timeout, **fields}


def _black_hole() -> Json:
    return _named(BLACK_HOLE, "10s", type="STATIC")


def _passthrough(connect_timeout: str) -> Json:
    return _named(
        PASSTHROUGH,
        connect_timeout,
        type="ORIGINAL_DST",
        lb_policy="CLUSTER_PROVIDED",
        typed_extension_protocol_options=_protocols("use_downstream_protocol_config"),
    )


def _outbound(service: Service, port: Port, dns: dict[str, tuple[str, ...]], connect_timeout: str) -> Json:
    name = cluster_name(service.host, port.number)
    options: Json = {}
    if port.protocol in _HTTP2:
        options["typed_extension_protocol_options"] = _protocols("explicit_http_config", only="http2_protocol_options")
    elif port_class(port.protocol) is PortClass.AUTO:
        options["typed_extension_protocol_options"] = _protocols("use_downstream_protocol_config")
    if service.resolution is Resolution.DYNAMIC_DNS:
        forward = {"@type": f"type.googleapis.com/envoy.{_FORWARD_PROXY}", "dns_cache_config": dns_cache(port.number)}
        kind = {"name": "envoy.clusters.dynamic_forward_proxy", "typed_config": forward}
        return _named(name, connect_timeout, lb_policy="CLUSTER_PROVIDED", cluster_type=kind)
    if service.resolution is Resolution.NONE:
        place: Json = {"type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED"}
        if port.target_port is not None:
            place["original_dst_lb_config"] = {"upstream_port_override": port.target_port}
        return _named(name, connect_timeout, **place, **options)
    endpoints = [{"endpoint": {"address": socket_address(*where)}} for where in endpoints_of(service, port, dns)]
    assignment = {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]}
    return _named(name, connect_timeout, type="STATIC", load_assignment=assignment, **options)


def _protocols(kind: str, only: str | None = None) -> Json:
    chosen: Json = {only: {}} if only else {"http_protocol_options": {}, "http2_protocol_options": {}}
    return {_OPTIONS: {"@type": f"type.googleapis.com/{_OPTIONS}", kind: chosen}}


def dns_cache(port: int) -> Json:
    """Where names are looked up that a client's server name brings (istio/istio pilot/pkg/networking/core/tls.go)."""
    cares = "extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig"
    server = [socket_address(SERVER, 53)]
    return {
        "name": f"dynamic-{port}",
        "dns_lookup_family": "V4_ONLY",
        "typed_dns_resolver_config": typed("envoy.network.dns_resolver.cares", cares, resolvers=server),
    }


def originating_tls(cluster: Json) -> Json:
    """A cluster as a DestinationRule with `tls.mode: SIMPLE` makes it, without a certificate to verify against."""
    name = cluster["name"].rpartition("|")[2]
    message = "extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    return {**cluster, "transport_socket": typed("envoy.transport_sockets.tls", message, sni=name)}
