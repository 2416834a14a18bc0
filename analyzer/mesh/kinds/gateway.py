"""Gateway: what a gateway's proxies listen on."""

from analyzer.mesh.fields import Fields, common, mapping, mappings, optional_text, text_map, texts
from analyzer.mesh.kinds import NETWORKING, MeshKind
from analyzer.mesh.objects import Document
from analyzer.mesh.parts import port_of
from analyzer.mesh.routing import Gateway, Server


def gateway_of(document: Document) -> Gateway:
    """A Gateway document as a value. Raises `ValueError` or `TypeError` where a field has the wrong shape."""
    spec = mapping(document.content, "spec")
    servers = tuple(_server(server) for server in mappings(spec, "servers"))
    return Gateway(**common(document), selector=text_map(spec, "selector"), servers=servers)


def _server(server: Fields) -> Server:
    mode = optional_text(mapping(server, "tls"), "mode")
    return Server(port_of(mapping(server, "port")), texts(server, "hosts"), mode)


KIND = MeshKind("Gateway", NETWORKING, "gateways", gateway_of)
