"""What Istio takes in silence although it does more or less than it says.

Sources: istio/istio pilot/pkg/networking/core/listener.go, core/tls.go; istio.io ops/best-practices/security.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from analyzer.mesh.names import network_of
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.validation.rule import Problem, Subject, rule
from analyzer.vocabulary import Resolution, Severity

_RESERVED = (15001, 15006, 15021, 15090)


@rule("tcp_open_to_any_address", Severity.DANGER)
def open_to_any_address(subject: Subject) -> Iterator[Problem]:
    """Without addresses a TCP port takes whatever is sent to that port, to any address."""
    entry = subject.entry
    if entry.addresses:
        return
    for index, port in enumerate(entry.ports):
        if port_class(port.protocol) in (PortClass.TCP, PortClass.AUTO):
            where = (
                "to the address the client dialled" if entry.resolution is Resolution.NONE else f"to {entry.hosts[:1]}"
            )
            yield Problem(
                ("spec", "ports", index),
                f"port {port.number} takes every connection on that port, whatever its address, and sends it {where}",
                "addresses: [203.0.113.10]",
            )


@rule("tls_address_skips_name_check", Severity.DANGER)
def address_skips_name_check(subject: Subject) -> Iterator[Problem]:
    """A TLS port with a plain address gets a listener without any condition on the server name."""
    plain = [
        a for a in subject.entry.addresses if (network := network_of(a)) is not None and network.num_addresses == 1
    ]
    for index, port in enumerate(subject.entry.ports):
        if plain and port_class(port.protocol) is PortClass.TLS:
            yield Problem(
                ("spec", "ports", index),
                f"port {port.number}: with the address {plain[0]} the server name is not checked",
                "leave addresses out: the server name tells hosts apart",
            )


@rule("http_address_restricts_nothing", Severity.DANGER)
def http_address(subject: Subject) -> Iterator[Problem]:
    """HTTP is routed by Host and port alone; an address only becomes one more Host."""
    for index, port in enumerate(subject.entry.ports):
        if subject.entry.addresses and port_class(port.protocol) is PortClass.HTTP:
            yield Problem(
                ("spec", "ports", index), f"port {port.number}: addresses do not restrict HTTP, the Host header decides"
            )


@rule("http_proxy_protocol", Severity.DANGER)
def http_proxy(subject: Subject) -> Iterator[Problem]:
    """HTTP_PROXY takes every byte on the port, for every host."""
    for index, port in enumerate(subject.entry.ports):
        if port.protocol == "HTTP_PROXY":
            yield Problem(
                ("spec", "ports", index, "protocol"),
                "HTTP_PROXY takes all traffic on the port",
                "protocol: TCP, with addresses",
            )


@rule("http_on_443", Severity.DANGER)
def http_on_443(subject: Subject) -> Iterator[Problem]:
    """Bytes of TLS do not match an HTTP chain: the traffic stays blocked."""
    for index, port in enumerate(subject.entry.ports):
        if port.number == 443 and port_class(port.protocol) is PortClass.HTTP:
            yield Problem(
                ("spec", "ports", index, "protocol"),
                "HTTP on 443 does not admit TLS that the application speaks itself",
                "protocol: TLS",
            )


@rule("reserved_port", Severity.DANGER)
def reserved_port(subject: Subject) -> Iterator[Problem]:
    """The sidecar's own ports."""
    for index, port in enumerate(subject.entry.ports):
        if port.number in _RESERVED:
            yield Problem(("spec", "ports", index, "number"), f"{port.number} is one of the sidecar's own ports")


@rule("wildcard_over_public_suffix", Severity.DANGER)
def public_suffix(subject: Subject) -> Iterator[Problem]:
    """Below a public suffix anybody may own a name (publicsuffix.org, private section included)."""
    for path, host in subject.places("hosts"):
        if str(host).startswith("*.") and _suffixes().is_public(str(host)[2:].lower()):
            yield Problem(path, f"{host!r} admits names that anybody can register", "name the hosts one by one")


@lru_cache(maxsize=1)
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_unknown=False)
