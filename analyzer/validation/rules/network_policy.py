"""Rules on a NetworkPolicy (kubernetes/kubernetes pkg/apis/networking/validation/validation.go)."""

import ipaddress
from collections.abc import Iterator
from functools import partial

from analyzer.mesh.names import network_of
from analyzer.validation.node import Node, Problem
from analyzer.validation.rule import rule
from analyzer.validation.subject import Subject
from analyzer.vocabulary import Severity

_KIND = ("NetworkPolicy",)
_DIRECTIONS = (("ingress", "from"), ("egress", "to"))
_DNS = 53
_refused = partial(
    rule,
    severity=Severity.ERROR,
    kinds=_KIND,
    source="kubernetes/kubernetes pkg/apis/networking/validation/validation.go",
)


@_refused("network_policy_selector_missing")
def network_policy_selector_missing(subject: Subject) -> Iterator[Problem]:
    """podSelector is there; empty, it selects every pod of the namespace."""
    if subject.spec.is_set and not subject.spec["podSelector"].is_set:
        yield subject.spec["podSelector"].problem("podSelector is missing", "podSelector: {} for all pods")


@_refused("network_policy_peer_invalid")
def network_policy_peer_invalid(subject: Subject) -> Iterator[Problem]:
    """A peer is an ipBlock or selectors, not both, and not nothing."""
    for peer in _peers(subject):
        selectors = peer["podSelector"].is_set or peer["namespaceSelector"].is_set
        if peer["ipBlock"].is_set and selectors:
            yield peer["ipBlock"].problem("an ipBlock stands alone", "a peer of its own")
        elif not peer["ipBlock"].is_set and not selectors:
            yield peer.problem("the peer is empty", "podSelector, namespaceSelector or ipBlock")


@_refused("network_policy_block_invalid")
def network_policy_block_invalid(subject: Subject) -> Iterator[Problem]:
    """An ipBlock is a CIDR, and its exceptions are inside it and smaller."""
    for block in (peer["ipBlock"] for peer in _peers(subject) if peer["ipBlock"].is_set):
        outer = _cidr(block["cidr"].text)
        if outer is None:
            yield block["cidr"].problem(f"{block['cidr'].text!r} is no CIDR", "cidr: 203.0.113.0/24")
        for exception in block["except"].texts():
            inner = _cidr(exception.text)
            if inner is None or (outer is not None and not _inside(inner, outer)):
                yield exception.problem(f"{exception.text!r} is no CIDR inside {block['cidr'].text}")


@_refused("network_policy_port_invalid")
def network_policy_port_invalid(subject: Subject) -> Iterator[Problem]:
    """Ports are port numbers or names; a range ends after it begins."""
    for key, _ in _DIRECTIONS:
        for port in (port for item in subject.spec[key].mappings() for port in item["ports"].mappings()):
            number, end = port["port"].number, port["endPort"].number
            if number is not None and not 1 <= number <= 65535:
                yield port["port"].problem(f"{number} is no port number", "1 to 65535")
            if end is not None and (number is None or not number <= end <= 65535):
                yield port["endPort"].problem("endPort needs a port before it", f"port: {end}")


@rule(
    "network_policy_blocks_dns",
    Severity.DANGER,
    kinds=_KIND,
    source="kubernetes.io concepts/services-networking/network-policies",
)
def network_policy_blocks_dns(subject: Subject) -> Iterator[Problem]:
    """Pods whose egress is limited still need DNS on port 53, by UDP."""
    types = {node.text for node in subject.spec["policyTypes"].texts()}
    rules = subject.spec["egress"].mappings()
    if not rules and "Egress" not in types:
        return
    if rules and not any(_reaches_dns(item) for item in rules):
        yield subject.spec["egress"].problem(
            "no rule admits DNS, so no name is resolved",
            "ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]",
        )


def _peers(subject: Subject) -> list[Node]:
    return [
        peer for key, side in _DIRECTIONS for item in subject.spec[key].mappings() for peer in item[side].mappings()
    ]


def _reaches_dns(item: Node) -> bool:
    ports = item["ports"].mappings()
    return not ports or any(
        port["protocol"].text == "UDP" and (not port["port"].is_set or port["port"].value in (_DNS, "dns"))
        for port in ports
    )


def _cidr(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    return network_of(text) if "/" in text else None


def _inside(inner: ipaddress.IPv4Network | ipaddress.IPv6Network, outer: object) -> bool:
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner != outer and inner.subnet_of(outer)
    if isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return inner != outer and inner.subnet_of(outer)
    return False
