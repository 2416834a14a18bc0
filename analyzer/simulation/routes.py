"""VirtualServices as a sidecar's routes: which hold for it, and where they lead.

Sources: istio/istio pilot/pkg/networking/core/route/route.go (BuildHTTPRoutesForVirtualService, matching), core/tls.go
(matchTLS, matchTCP), pilot/pkg/model/virtualservice.go (delegates), pilot/pkg/model/push_context.go.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analyzer.mesh.model import Mesh, VirtualService
from analyzer.mesh.routing import MESH_GATEWAY, HTTPMatch, HTTPRoute, RouteDestination, SourceMatch
from analyzer.mesh.scoping import EgressListener
from analyzer.simulation.registry import Order
from analyzer.simulation.services import CLUSTER_DOMAIN
from analyzer.simulation.sidecars import EVERYTHING, imports_of
from analyzer.simulation.versions import Version
from analyzer.simulation.visibility import EVERYBODY, scope_of

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Client:
    """Who sends: the namespace, and the labels of its pods as far as any document says them."""

    namespace: str
    labels: Labels | None = None


def full_host(host: str, namespace: str) -> str:
    """A host as Istio reads it in a VirtualService: a name without dots is a Service of the same namespace."""
    return host if "." in host or "*" in host else f"{host}.{namespace}.svc.{CLUSTER_DOMAIN}"


def hosts_of(service: VirtualService) -> tuple[str, ...]:
    """The hosts of a VirtualService, short names written out."""
    return tuple(full_host(host, service.namespace) for host in service.hosts)


def overlap(one: str, other: str) -> bool:
    """Whether two host patterns have a name in common (istio/istio pkg/config/host/name.go, Matches)."""
    if one.startswith("*") and other.startswith("*"):
        return one[1:].endswith(other[1:]) or other[1:].endswith(one[1:])
    if one.startswith("*"):
        return other.endswith(one[1:])
    return one.endswith(other[1:]) if other.startswith("*") else one == other


def visible_virtual_services(
    mesh: Mesh, namespace: str, order: Order, listener: EgressListener = EVERYTHING, version: Version = (1, 31)
) -> list[VirtualService]:
    """The VirtualServices for sidecars that a namespace sees through an egress listener, in Istio's order."""
    own: list[VirtualService] = []
    public: list[VirtualService] = []
    imports = imports_of(listener, namespace, version)
    for item in order.of(mesh.virtual_services):
        if MESH_GATEWAY not in item.gateways or not item.hosts:
            continue  # without hosts it is a delegate of another
        scope = scope_of(item, item.export_to, mesh.config.virtual_service_export_to)
        if scope != EVERYBODY and namespace not in scope:
            continue
        if listener is EVERYTHING or any(_imports(imports.taken, item.namespace, host) for host in hosts_of(item)):
            (public if scope == EVERYBODY else own).append(item)
    return [*own, *public]


def _imports(pairs: Iterable[tuple[str, str]], namespace: str, host: str) -> bool:
    return any(place in ("*", namespace) and overlap(pattern, host) for place, pattern in pairs)


def holds_for(match: SourceMatch, client: Client, port: int) -> bool:
    """Whether the part of a match that istiod itself evaluates holds; labels that nobody gave hold."""
    return (
        (not match.gateways or MESH_GATEWAY in match.gateways)
        and (match.port is None or match.port == port)
        and (match.source_namespace is None or match.source_namespace == client.namespace)
        and (
            client.labels is None or all(client.labels.get(key) == value for key, value in match.source_labels.items())
        )
    )


def rests_on_labels(service: VirtualService) -> bool:
    """Whether some match of a VirtualService looks at the client's labels."""
    matches: list[SourceMatch] = [match for route in service.http for match in route.matches]
    matches += [match for route in service.tls for match in route.matches]
    matches += [match for route in service.tcp for match in route.matches]
    return any(match.source_labels for match in matches)


def destination_hosts(service: VirtualService) -> Iterator[str]:
    """Every host that a route of a VirtualService leads to."""
    routes = (service.http, service.tls, service.tcp)
    for destinations in (route.destinations for kind in routes for route in kind):
        for destination in destinations:
            yield full_host(destination.host, service.namespace)


@dataclass(frozen=True)
class Route:
    """One HTTP route as the proxy has it: every match must hold; `name` says where it comes from."""

    matches: tuple[HTTPMatch, ...]
    destinations: tuple[RouteDestination, ...]
    answer: str | None
    by: VirtualService


def http_routes(
    service: VirtualService, client: Client, port: int, others: Mapping[str, VirtualService]
) -> list[Route]:
    """The HTTP routes of a VirtualService for a client and port, in order, delegates written out."""
    return list(_http_routes(service, service.http, client, port, others, ()))


def _http_routes(
    service: VirtualService,
    routes: Sequence[HTTPRoute],
    client: Client,
    port: int,
    others: Mapping[str, VirtualService],
    above: tuple[HTTPMatch, ...],
) -> Iterator[Route]:
    for route in routes:
        for match in route.matches or (HTTPMatch(),):
            if not holds_for(match, client, port):
                continue
            matches = (*above, match) if takes_some(match) else above
            if route.delegate is None:
                yield Route(matches, route.destinations, route.answer, service)
            elif route.delegate in others and not above:  # a delegate may not delegate further
                delegate = others[route.delegate]
                yield from _http_routes(delegate, delegate.http, client, port, others, matches or (HTTPMatch(),))


def takes_some(match: HTTPMatch) -> bool:
    """Whether a match leaves some requests out."""
    whole = match.uri is None or (match.uri.kind, match.uri.value) in (("prefix", "/"), ("regex", "*"), ("regex", ".*"))
    return not whole or any((match.method, match.authority, match.scheme, match.others))
