"""What the gateway and the network policy must agree on."""

from analyzer.companions.companion import Use
from analyzer.mesh.model import Port
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.vocabulary import Resolution

_SERVED = {(80, PortClass.HTTP): "HTTP", (443, PortClass.TLS): "TLS"}
"""What an egress gateway's Service usually exposes; another port would have to be opened there first."""


def gateway_protocol(use: Use) -> str | None:
    """The protocol in which a destination goes through an egress gateway, or null where it cannot.

    It goes by name, resolved by DNS: a gateway cannot dial what the client dialled, so entries with NONE are left out,
    and wildcards with them (istio.io tasks/traffic-management/egress/egress-gateway).
    """
    key, entry = use.destination.key, use.entry
    if key.host not in entry.hosts or entry.addresses or entry.resolution is not Resolution.DNS:
        return None
    port = next((port for port in entry.ports if port.number == key.destination_port), None)
    return None if port is None else _served_as(port)


def _served_as(port: Port) -> str | None:
    kind = port_class(port.protocol)
    return None if kind is None else _SERVED.get((port.number, kind))
