"""What Istio takes in silence from the `addresses` of a ServiceEntry, or for the lack of them.

Sources: istio/istio pilot/pkg/networking/core/listener.go, core/tls.go, core/httproute.go; istio.io
ops/best-practices/security.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from analyzer.mesh.names import network_of
from analyzer.mesh.protocols import PortClass
from analyzer.validation.names import is_address_or_cidr
from analyzer.validation.node import Node, Problem
from analyzer.validation.rule import rule
from analyzer.validation.service_entry import (
    BY_NAME,
    has_addresses,
    is_auto_allocated,
    ports_of,
    proxies_use_allocated_addresses,
    resolution_of,
)
from analyzer.validation.subject import Subject
from analyzer.vocabulary import Resolution, Severity

_LISTENER = "istio/istio pilot/pkg/networking/core/listener.go"
_ALLOCATED = ("240.240.0.0/16", "2001:2::/48")
_danger = partial(rule, severity=Severity.DANGER, kinds=("ServiceEntry",))


@_danger("tcp_open_to_any_address", source=_LISTENER)
def tcp_open_to_any_address(subject: Subject) -> Iterator[Problem]:
    """Without addresses a TCP port takes whatever is sent to that port, to any address."""
    if has_addresses(subject) or _has_own_address(subject):
        return
    for port in ports_of(subject):
        if port.port_class in (PortClass.TCP, PortClass.AUTO):
            yield port.node.problem(
                f"{port.called} takes every connection on that port, whatever its address, and sends it "
                f"{_whither(subject)}",
                "addresses: [203.0.113.10]",
            )


@_danger("tls_address_skips_name_check", source="istio/istio pilot/pkg/networking/core/tls.go")
def tls_address_skips_name_check(subject: Subject) -> Iterator[Problem]:
    """A TLS port with a plain address gets a listener that does not look at the server name."""
    address = next((node for node in subject.spec["addresses"].texts() if _is_plain(node)), None)
    if address is None:
        return
    for port in ports_of(subject):
        if port.port_class is PortClass.TLS:
            yield port.node.problem(
                f"{port.called}: with the address {address.text} the server name is not checked",
                "leave addresses out: the server name tells hosts apart",
            )


@_danger("http_address_restricts_nothing", source="istio/istio pilot/pkg/networking/core/httproute.go")
def http_address_restricts_nothing(subject: Subject) -> Iterator[Problem]:
    """HTTP goes by Host and port; the addresses restrict nothing, and the last one becomes one more Host."""
    if not has_addresses(subject):
        return
    for port in ports_of(subject):
        if port.port_class is PortClass.HTTP:
            yield port.node.problem(
                f"{port.called}: addresses do not restrict HTTP, the Host header decides", "leave addresses out"
            )


@_danger("address_takes_everything", source=_LISTENER)
def address_takes_everything(subject: Subject) -> Iterator[Problem]:
    """A CIDR of all addresses takes all addresses."""
    for address in subject.spec["addresses"].texts():
        network = network_of(address.text)
        if network is not None and network.prefixlen == 0:
            yield address.problem(f"{address.text} is every address", "the addresses that are meant")


@_danger("address_auto_allocated", source="istio/istio pilot/pkg/controllers/ipallocate")
def address_auto_allocated(subject: Subject) -> Iterator[Problem]:
    """Istio hands these addresses out itself: written by hand they may become another host's."""
    for address in subject.spec["addresses"].texts():
        network = network_of(address.text)
        if network is not None and any(_inside(network, cidr) for cidr in _ALLOCATED):
            yield address.problem(
                f"{address.text} is of the range that Istio allocates by itself", "leave addresses out"
            )


@_danger("addresses_of_both_families", source="istio/api networking/v1alpha3/service_entry.proto")
def addresses_of_both_families(subject: Subject) -> Iterator[Problem]:
    """Addresses of IPv4 and IPv6 in one entry are not supported where they are written by hand."""
    written = [node for node in subject.spec["addresses"].texts() if is_address_or_cidr(node.text)]
    networks = [(node, network_of(node.text)) for node in written]
    known = [(node, network.version) for node, network in networks if network is not None]
    other = next((node for node, version in known if version != known[0][1]), None)
    if other is not None:
        yield other.problem(f"{other.text} and {known[0][0].text} are of two families", "one entry for each family")


@_danger("address_takes_http", source=_LISTENER)
def address_takes_http(subject: Subject) -> Iterator[Problem]:
    """TCP or TLS with a plain address on port 80 takes plain HTTP to that address away from every HTTP entry."""
    address = next((node for node in subject.spec["addresses"].texts() if _is_plain(node)), None)
    for port in ports_of(subject) if address is not None else ():
        if port.number == 80 and port.port_class in (PortClass.TCP, PortClass.TLS):
            yield port.node.problem(
                f"HTTP to {address.text if address else ''} on 80 goes here too, whatever its Host", "protocol: HTTP"
            )


def _has_own_address(subject: Subject) -> bool:
    """Whether the proxies of this mesh dial an address that is allocated to this very entry."""
    wildcard = any("*" in node.text for node in subject.spec["hosts"].texts())
    written = bool(subject.root["status"]["addresses"].items())
    allocated = written or is_auto_allocated(subject)
    return (
        allocated
        and proxies_use_allocated_addresses(subject)
        and (not wildcard or resolution_of(subject) is Resolution.DYNAMIC_DNS)
    )


def _whither(subject: Subject) -> str:
    if resolution_of(subject) is Resolution.NONE:
        return "to the address that the client dialled"
    host = next((node.text for node in subject.spec["hosts"].texts()), "its host")
    return f"to {host}" if resolution_of(subject) in BY_NAME else "to its endpoints"


def _is_plain(address: Node) -> bool:
    network = network_of(address.text)
    return network is not None and network.num_addresses == 1


def _inside(network: Any, cidr: str) -> bool:
    other = network_of(cidr)
    return other is not None and other.version == network.version and network.subnet_of(other)
