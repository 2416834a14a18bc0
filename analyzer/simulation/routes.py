"""VirtualServices as a sidecar's routes: which hold for it, and where they lead.

Sources: istio/istio pilot/pkg/networking/core/route/route.go (BuildHTTPRoutesForVirtualService, matching), core/tls.go
(matchTLS, matchTCP), pilot/pkg/model/virtualservice.go (delegates), pilot/pkg/model/push_context.go.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from analyzer.mesh.model import Mesh, VirtualService
from analyzer.mesh.routing import MESH_GATEWAY, HTTPMatch, HTTPRoute, RouteDestination, SourceMatch, StringMatch
from analyzer.mesh.scoping import EgressListener
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


def imported_routes(
    services: Sequence[VirtualService], listener: EgressListener, namespace: str, version: Version
) -> Sequence[VirtualService]:
    """The VirtualServices that an egress listener takes, in the order given."""
    if listener is EVERYTHING:
        return services
    taken = imports_of(listener, namespace, version).taken
    return [item for item in services if any(_imports(taken, item.namespace, host) for host in hosts_of(item))]


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
    return any(match.source_labels for match in _matches(service))


def rests_on_client(service: VirtualService) -> bool:
    """Whether some match of a VirtualService looks at who the client is."""
    return any(match.source_labels or match.source_namespace is not None for match in _matches(service))


def _matches(service: VirtualService) -> Iterator[SourceMatch]:
    for kind in (service.http, service.tls, service.tcp):
        for route in kind:
            yield from route.matches


class Delegates:
    """VirtualServices without hosts, to which the routes of others hand over."""

    def __init__(self, mesh: Mesh) -> None:
        self._default = mesh.config.virtual_service_export_to
        self._known = {item.reference: item for item in mesh.virtual_services if not item.hosts}

    def of(self, root: VirtualService, route: HTTPRoute) -> VirtualService | None:
        """What a route of a root hands over to, null where there is none or it is not exported to the root."""
        found = self._known.get(route.delegate or "")
        scope = EVERYBODY if found is None else scope_of(found, found.export_to, self._default)
        return found if scope == EVERYBODY or root.namespace in scope else None


def destination_hosts(service: VirtualService, delegates: Delegates) -> Iterator[str]:
    """Every host that a route of a VirtualService leads to, or of those that it hands over to."""
    handed = (delegates.of(service, route) for route in service.http)
    for item in (service, *(delegate for delegate in handed if delegate is not None)):
        for destinations in (route.destinations for kind in (item.http, item.tls, item.tcp) for route in kind):
            for destination in destinations:
                yield full_host(destination.host, item.namespace)


@dataclass(frozen=True)
class Route:
    """One HTTP route as the proxy has it: every match must hold; `name` says where it comes from."""

    matches: tuple[HTTPMatch, ...]
    destinations: tuple[RouteDestination, ...]
    answer: str | None
    by: VirtualService


def http_routes(service: VirtualService, client: Client, port: int, delegates: Delegates) -> list[Route]:
    """The HTTP routes of a VirtualService for a client and port, in order, delegates written out."""
    return [
        Route((match,) if takes_some(match) else (), route.destinations, route.answer, source)
        for source, route, matches in _written_out(service, delegates)
        for match in matches
        if _holds_for_http(match, client, port)
    ]


def _written_out(
    service: VirtualService, delegates: Delegates
) -> Iterator[tuple[VirtualService, HTTPRoute, Sequence[HTTPMatch]]]:
    """Each route with whose it is and its matches; one that hands over stands for the routes it leads to."""
    for route in service.http:
        matches = route.matches or (HTTPMatch(),)
        if route.delegate is None:
            yield service, route, matches
        elif (delegate := delegates.of(service, route)) is not None:
            for further in delegate.http:
                yield delegate, further, _merged(matches, further.matches or (HTTPMatch(),))


def _merged(roots: Sequence[HTTPMatch], leaves: Sequence[HTTPMatch]) -> Sequence[HTTPMatch]:
    """The matches of a delegate's route under those of its root; none where one of them fits under no root's.

    Source: istio/istio pilot/pkg/model/virtualservice.go, mergeHTTPMatchRequests.
    """
    fitting = [[root for root in roots if _fits(leaf, root)] for leaf in leaves]
    if not all(fitting):
        return ()
    return [_both(root, leaf) for leaf, found in zip(leaves, fitting, strict=True) for root in found]


def _both(root: HTTPMatch, leaf: HTTPMatch) -> HTTPMatch:
    """Where both say something, the leaf's is the narrower."""
    return HTTPMatch(
        port=leaf.port or root.port,
        source_labels={**root.source_labels, **leaf.source_labels},
        source_namespace=leaf.source_namespace or root.source_namespace,
        gateways=leaf.gateways or root.gateways,
        uri=leaf.uri or root.uri,
        method=leaf.method or root.method,
        authority=leaf.authority or root.authority,
        scheme=leaf.scheme or root.scheme,
        others=tuple(dict.fromkeys((*root.others, *leaf.others))),
    )


def _fits(leaf: HTTPMatch, root: HTTPMatch) -> bool:
    """Whether a leaf's match is no wider than the root's (hasConflict; headers' values are not known here)."""
    if leaf == HTTPMatch() or root == HTTPMatch():
        return True
    labels = root.source_labels
    return (
        all(_is_within(getattr(leaf, name), getattr(root, name)) for name in ("uri", "method", "authority", "scheme"))
        and _ignores_case(leaf) == _ignores_case(root)
        and (root.port is None or leaf.port in (None, root.port))
        and root.source_namespace in (None, leaf.source_namespace)
        and all(labels.get(key, value) == value for key, value in leaf.source_labels.items())
        and (not root.gateways or set(leaf.gateways) <= set(root.gateways))
    )


def _is_within(leaf: StringMatch | None, root: StringMatch | None) -> bool:
    if leaf is None or root is None:
        return True
    if "regex" in (leaf.kind, root.kind):
        return False
    return leaf == root if root.kind == "exact" else leaf.value.startswith(root.value)


def _ignores_case(match: HTTPMatch) -> bool:
    return match.uri is not None and match.uri.ignore_case


def _holds_for_http(match: HTTPMatch, client: Client, port: int) -> bool:
    """A match of HTTP that names gateways looks at neither labels nor namespace (route.go, sourceMatchHTTP)."""
    named = replace(match, source_labels={}, source_namespace=None) if match.gateways else match
    return holds_for(named, client, port)


def takes_some(match: HTTPMatch) -> bool:
    """Whether a match leaves some requests out."""
    whole = match.uri is None or (match.uri.kind, match.uri.value) in (("prefix", "/"), ("regex", "*"), ("regex", ".*"))
    return not whole or any((match.method, match.authority, match.scheme, match.others))
