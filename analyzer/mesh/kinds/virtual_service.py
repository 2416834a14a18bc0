"""VirtualService: routes that lead elsewhere than the default ones."""

from typing import Any

from analyzer.mesh.fields import (
    Fields,
    common,
    mapping,
    mappings,
    optional_number,
    optional_text,
    text,
    text_map,
    texts,
)
from analyzer.mesh.kinds import NETWORKING, MeshKind
from analyzer.mesh.objects import Document
from analyzer.mesh.parts import destination_of
from analyzer.mesh.routing import (
    MESH_GATEWAY,
    HTTPMatch,
    HTTPRoute,
    RouteDestination,
    StringMatch,
    TCPMatch,
    TCPRoute,
    TLSMatch,
    TLSRoute,
    VirtualService,
)

_UNLOGGED = ("headers", "withoutHeaders", "queryParams")


def virtual_service_of(document: Document) -> VirtualService:
    """A VirtualService document as a value. Raises `ValueError` or `TypeError` where a field has the wrong shape."""
    spec = mapping(document.content, "spec")
    return VirtualService(
        **common(document),
        hosts=texts(spec, "hosts"),
        gateways=texts(spec, "gateways") or (MESH_GATEWAY,),
        export_to=texts(spec, "exportTo"),
        http=tuple(_http(route, document.namespace) for route in mappings(spec, "http")),
        tls=tuple(TLSRoute(_tls_matches(route), _destinations(route)) for route in mappings(spec, "tls")),
        tcp=tuple(TCPRoute(_tcp_matches(route), _destinations(route)) for route in mappings(spec, "tcp")),
    )


def _destinations(route: Fields) -> tuple[RouteDestination, ...]:
    return tuple(destination_of(item) for item in mappings(route, "route"))


def _http(route: Fields, namespace: str) -> HTTPRoute:
    delegate = mapping(route, "delegate")
    answers = (("redirect", "redirect"), ("directResponse", "direct_response"))
    return HTTPRoute(
        name=text(route, "name"),
        matches=tuple(_http_match(match) for match in mappings(route, "match")),
        destinations=_destinations(route),
        answer=next((answer for key, answer in answers if route.get(key) is not None), None),
        delegate=f"{text(delegate, 'namespace') or namespace}/{text(delegate, 'name')}" if delegate else None,
    )


def _http_match(match: Fields) -> HTTPMatch:
    return HTTPMatch(
        **_source(match),
        uri=_string_match(match, "uri", match.get("ignoreUriCase") is True),
        method=_string_match(match, "method"),
        authority=_string_match(match, "authority"),
        scheme=_string_match(match, "scheme"),
        others=tuple(f"{key}.{name}" for key in _UNLOGGED for name in sorted(mapping(match, key))),
    )


def _string_match(match: Fields, key: str, ignore_case: bool = False) -> StringMatch | None:
    """`exact`, `prefix` or `regex`; an empty match is none."""
    for kind, value in mapping(match, key).items():
        if kind in ("exact", "prefix", "regex"):
            return StringMatch(kind, str(value), ignore_case)
    return None


def _tls_matches(route: Fields) -> tuple[TLSMatch, ...]:
    return tuple(
        TLSMatch(**_source(match), sni_hosts=texts(match, "sniHosts"), destination_subnets=_subnets(match))
        for match in mappings(route, "match")
    )


def _tcp_matches(route: Fields) -> tuple[TCPMatch, ...]:
    return tuple(TCPMatch(**_source(match), destination_subnets=_subnets(match)) for match in mappings(route, "match"))


def _subnets(match: Fields) -> tuple[str, ...]:
    return texts(match, "destinationSubnets")


def _source(match: Fields) -> dict[str, Any]:
    return {
        "port": optional_number(match, "port"),
        "source_labels": text_map(match, "sourceLabels"),
        "source_namespace": optional_text(match, "sourceNamespace"),
        "gateways": texts(match, "gateways"),
    }


KIND = MeshKind("VirtualService", NETWORKING, "virtual_services", virtual_service_of)
