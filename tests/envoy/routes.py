"""Route configurations as istiod would send them by RDS: virtual hosts per port, the catch-all of the policy last.

Source: istio/istio pilot/pkg/networking/core/httproute.go (buildSidecarOutboundVirtualHosts,
generateVirtualHostDomains, buildCatchAllVirtualHost), route/route.go (BuildDefaultHTTPOutboundRoute),
route/retry/retry.go (DefaultPolicy).
"""

from collections.abc import Iterable, Mapping, Sequence

from analyzer.mesh.protocols import PortClass, port_class
from analyzer.vocabulary import Mode
from tests.envoy.clusters import PASSTHROUGH, cluster_name
from tests.envoy.services import Service
from tests.envoy.typed import Json

VirtualServices = Mapping[str, Sequence[Json]]
"""Routes by host that a VirtualService puts in the place of a host's default route."""

_HTTP = (PortClass.HTTP, PortClass.AUTO)
_RETRY: Json = {
    "retry_on": "connect-failure,refused-stream,unavailable,cancelled",
    "num_retries": 2,
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            },
        }
    ],
    "host_selection_retry_max_attempts": 5,
}


def port_routes(number: int, services: Iterable[Service], mode: Mode, virtual_services: VirtualServices) -> Json:
    """The route configuration of a port: every HTTP host on it, then `allow_any` or `block_all`."""
    hosts: list[Json] = []
    taken: set[str] = set()
    for host, domains in _domains_by_host(number, services).items():
        fresh = [domain for domain in domains if domain not in taken]
        taken.update(fresh)
        hosts.append(_virtual_host(host, number, fresh, virtual_services))
    return _configuration(str(number), [*hosts, catch_all(mode)])


def bound_routes(service: Service, number: int, virtual_services: VirtualServices) -> Json:
    """The private routes of a listener bound to one service's address: any Host will do (sniffed services)."""
    name = f"{service.host}:{number}"
    return _configuration(name, [_virtual_host(service.host.lower(), number, ["*"], virtual_services)])


def catch_all(mode: Mode) -> Json:
    """What becomes of a Host that nobody registered."""
    name = "block_all" if mode is Mode.REGISTRY_ONLY else "allow_any"
    passing: Json = {"cluster": PASSTHROUGH, "timeout": "0s", "max_grpc_timeout": "0s"}
    action: Json = {"direct_response": {"status": 502}} if mode is Mode.REGISTRY_ONLY else {"route": passing}
    return {
        "name": name,
        "domains": ["*"],
        "include_request_attempt_count": True,
        "routes": [{"name": name, "match": {"prefix": "/"}, **action}],
    }


def _domains_by_host(number: int, services: Iterable[Service]) -> dict[str, list[str]]:
    """The names that each host's virtual host answers to.

    istiod keeps one service a host, the last that has the port: its address stays, and its protocol says whether there
    is a virtual host at all (httproute.go, `servicesByName`).
    """
    names: dict[str, list[str]] = {}
    addresses: dict[str, str] = {}
    numbered = [(service, port) for service in services for port in service.ports if port.number == number]
    last = {service.host.lower(): port_class(port.protocol) in _HTTP for service, port in numbered}
    for service, port in numbered:
        host = service.host.lower()
        if not last[host] or port_class(port.protocol) not in _HTTP:
            continue
        names.setdefault(host, [host] if host.endswith(".") else [host, f"{host}."])
        names[host] += service.aliases
        if service.bound_address is not None:
            addresses[host] = service.bound_address
    return {host: [*known, *([addresses[host]] if host in addresses else [])] for host, known in names.items()}


def _virtual_host(host: str, number: int, domains: Sequence[str], virtual_services: VirtualServices) -> Json:
    # The host is in lower case here since 1.27, also where the cluster's name is not.
    name = cluster_name(host, number)
    route = {"cluster": name, "timeout": "0s", "max_grpc_timeout": "0s", "retry_policy": _RETRY}
    default = [{"name": "default", "match": {"prefix": "/"}, "route": route}]
    return {
        "name": f"{host}:{number}",
        "domains": list(domains),
        "include_request_attempt_count": True,
        "routes": list(virtual_services.get(host, default)),
    }


def _configuration(name: str, virtual_hosts: Sequence[Json]) -> Json:
    return {
        "name": name,
        "virtual_hosts": list(virtual_hosts),
        "validate_clusters": False,
        "ignore_port_in_host_matching": True,
        "max_direct_response_body_size_bytes": 1 << 20,
    }
