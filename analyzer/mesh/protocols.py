"""Port protocols as Istio classes them: what a port's listener will look for.

Source: istio/istio pkg/config/protocol/instance.go; the field decides for a ServiceEntry, never the port's name.
"""

from enum import StrEnum


class PortClass(StrEnum):
    """What kind of listener a port gets."""

    HTTP = "http"
    TLS = "tls"
    TCP = "tcp"
    AUTO = "auto"
    UDP = "udp"


_CLASS_OF = {
    "HTTP": PortClass.HTTP,
    "HTTP2": PortClass.HTTP,
    "GRPC": PortClass.HTTP,
    "GRPC-WEB": PortClass.HTTP,
    "HTTP_PROXY": PortClass.HTTP,
    "HTTPS": PortClass.TLS,
    "TLS": PortClass.TLS,
    "TCP": PortClass.TCP,
    "MONGO": PortClass.TCP,
    "REDIS": PortClass.TCP,
    "MYSQL": PortClass.TCP,
    "UDP": PortClass.UDP,
    "": PortClass.AUTO,
}


def port_class(protocol: str) -> PortClass | None:
    """The class of a protocol in any case, or null where Istio knows no such protocol."""
    return _CLASS_OF.get(protocol.upper())


_NEVER_INSPECTED = frozenset((25, 53, 3306, 27017))
"""Ports of protocols in which the server speaks first: waiting for the client's bytes would hang them."""
_APP_PROTOCOLS = {"kubernetes.io/h2c": "HTTP2", "kubernetes.io/ws": "HTTP", "kubernetes.io/wss": "HTTPS"}


def kubernetes_protocol(number: int, name: str, transport: str, app_protocol: str | None) -> str:
    """The protocol of a Service's port as Istio reads it: `appProtocol`, else the name up to its first dash.

    "" where the bytes decide (istio/istio pkg/config/kube/conversion.go, ConvertProtocol).
    """
    if transport.upper() == "UDP":
        return "UDP"
    written = (name if app_protocol is None else _APP_PROTOCOLS.get(app_protocol.lower(), app_protocol)).upper()
    if written.startswith("GRPC-WEB"):
        return "GRPC-WEB"
    prefix = written.partition("-")[0]
    if prefix and prefix in _CLASS_OF:
        return prefix
    return "TCP" if number in _NEVER_INSPECTED else ""
