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
