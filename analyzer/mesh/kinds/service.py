"""Service: Kubernetes' own host names, which are registered by themselves."""

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
from analyzer.mesh.kinds import MeshKind
from analyzer.mesh.objects import Document, Port
from analyzer.mesh.protocols import kubernetes_protocol
from analyzer.mesh.services import Service

_EXPORT_TO = "networking.istio.io/exportTo"


def service_of(document: Document) -> Service:
    """A Service document as a value. Raises `ValueError` or `TypeError` where a field has the wrong shape."""
    spec, known = mapping(document.content, "spec"), common(document)
    external = text(spec, "externalName") if text(spec, "type") == "ExternalName" else None
    return Service(
        **known,
        ports=tuple(_port(port) for port in mappings(spec, "ports")),
        cluster_ips=() if external is not None else _cluster_ips(spec),
        selector=text_map(spec, "selector"),
        external_name=external,
        export_to=tuple(filter(None, (part.strip() for part in known["annotations"].get(_EXPORT_TO, "").split(",")))),
    )


def _cluster_ips(spec: Fields) -> tuple[str, ...]:
    addresses = texts(spec, "clusterIPs") or (text(spec, "clusterIP"),)
    return tuple(address for address in addresses if address not in ("", "None"))


def _port(port: Fields) -> Port:
    number = optional_number(port, "port")
    if number is None:
        raise ValueError("a port has no number")
    name, target = text(port, "name"), port.get("targetPort")
    protocol = kubernetes_protocol(number, name, text(port, "protocol"), optional_text(port, "appProtocol"))
    return Port(number, name, protocol, target if isinstance(target, int) else None)


KIND = MeshKind("Service", "", "services", service_of)
