"""What the gateway and the network policy must agree on."""

from analyzer.companions.companion import Use
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.vocabulary import Resolution


def goes_through_gateway(use: Use) -> bool:
    """Whether a destination can be routed through an egress gateway: by name, HTTP or TLS, resolved by DNS.

    A gateway cannot dial what the client dialled, so entries with NONE are left out, and wildcards with them
    (istio.io tasks/traffic-management/egress/egress-gateway).
    """
    key = use.destination.key
    port = next((port for port in use.entry.ports if port.number == key.destination_port), None)
    return (
        port is not None
        and key.host is not None
        and key.host in use.entry.hosts
        and not use.entry.addresses
        and use.entry.resolution is Resolution.DNS
        and port_class(port.protocol) in (PortClass.HTTP, PortClass.TLS)
    )
