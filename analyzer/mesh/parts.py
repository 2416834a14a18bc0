"""Pieces that several kinds of Istio are written with: ports, destinations, the outbound policy."""

from analyzer.mesh.fields import Fields, mapping, optional_number, optional_text, text, word
from analyzer.mesh.objects import Port
from analyzer.mesh.routing import RouteDestination
from analyzer.mesh.scoping import OutboundPolicy
from analyzer.vocabulary import Mode


def port_of(port: Fields) -> Port:
    """A port as Istio's own kinds write it. Raises `ValueError` where it has no number."""
    number = optional_number(port, "number")
    if number is None:
        raise ValueError("a port has no number")
    return Port(number, text(port, "name"), text(port, "protocol").upper(), optional_number(port, "targetPort"))


def destination_of(route: Fields) -> RouteDestination:
    """A `RouteDestination`, or anything that has a `destination` as it does."""
    destination = mapping(route, "destination")
    return RouteDestination(
        text(destination, "host"),
        optional_text(destination, "subset"),
        optional_number(mapping(destination, "port"), "number"),
        optional_number(route, "weight") or 0,
    )


def outbound_policy_of(content: Fields) -> OutboundPolicy | None:
    """`outboundTrafficPolicy`, null where it is not written; `{}` is REGISTRY_ONLY."""
    if content.get("outboundTrafficPolicy") is None:
        return None
    policy = mapping(content, "outboundTrafficPolicy")
    proxy = policy.get("egressProxy")
    return OutboundPolicy(
        word(policy, "mode", Mode, Mode.REGISTRY_ONLY),
        None if proxy is None else destination_of({"destination": proxy}),
    )
