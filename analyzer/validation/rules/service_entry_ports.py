"""Rules on `ports` of a ServiceEntry."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

from analyzer.validation.names import is_label
from analyzer.validation.node import Problem
from analyzer.validation.rule import CRD, CRD_RULES, SCHEMA_ERROR, SCHEMA_WARNING, WEBHOOK, rule
from analyzer.validation.service_entry import (
    has_addresses,
    is_auto_allocated,
    ports_of,
    proxies_use_allocated_addresses,
)
from analyzer.validation.subject import Subject
from analyzer.vocabulary import Severity

_WEBHOOK = f"{WEBHOOK} ValidateServiceEntry"
_MOST_PORTS = 256
_LONGEST_PROTOCOL = 256
_refused = partial(rule, severity=Severity.ERROR, kinds=("ServiceEntry",), istio_code=SCHEMA_ERROR)
_warned = partial(rule, severity=Severity.WARNING, kinds=("ServiceEntry",))


@_refused("port_name_invalid", source=f"{WEBHOOK} ValidatePortName")
def port_name_invalid(subject: Subject) -> Iterator[Problem]:
    """A DNS label, never empty; 63 letters, digits and inner hyphens at the most."""
    for port in ports_of(subject):
        if not is_label(port.name):
            what = f"{port.name!r} is no port name" if port.name else f"{port.called} has no name"
            yield port.node["name"].problem(what, f"name: {_suggested_name(port.protocol)}-{port.number or 443}")


@_refused("port_name_duplicate", source=_WEBHOOK)
def port_name_duplicate(subject: Subject) -> Iterator[Problem]:
    """Names tell ports apart."""
    counts = Counter(port.name for port in ports_of(subject))
    for port in ports_of(subject)[1:]:
        if port.name and counts[port.name] > 1 and _stands_before(subject, port.node.path, "name", port.name):
            yield port.node["name"].problem(
                f"the port name {port.name!r} is used {counts[port.name]} times",
                f"name: {_suggested_name(port.protocol)}-{port.number}",
            )


@_refused("port_number_duplicate", source=_WEBHOOK)
def port_number_duplicate(subject: Subject) -> Iterator[Problem]:
    """A port number is declared once, with one protocol."""
    counts = Counter(port.number for port in ports_of(subject))
    for port in ports_of(subject)[1:]:
        if counts[port.number] > 1 and port.number and _stands_before(subject, port.node.path, "number", port.number):
            yield port.node["number"].problem(
                f"port {port.number} is declared {counts[port.number]} times", "keep one of them"
            )


@_refused("port_number_invalid", source=_WEBHOOK)
def port_number_invalid(subject: Subject) -> Iterator[Problem]:
    """1 to 65535, the target port too."""
    for port in ports_of(subject):
        number, target = port.node["number"], port.node["targetPort"]
        if not number.is_set:
            yield number.problem("the port has no number", "number: 443")
        elif number.number is not None and not 1 <= number.number <= 65535:
            yield number.problem(f"{number.number} is no port number", "1 to 65535")
        if target.number is not None and not (1 <= target.number <= 65535 or _is_unset(target.number, subject)):
            yield target.problem(f"{target.number} is no port number", "1 to 65535")


@_refused("port_protocol_unknown", source="istio/istio pkg/config/protocol/instance.go")
def port_protocol_unknown(subject: Subject) -> Iterator[Problem]:
    """TCP, UDP, GRPC, GRPC-Web, HTTP, HTTP_PROXY, HTTP2, HTTPS, TLS, Mongo, Redis or MySQL, in any case."""
    for port in ports_of(subject):
        if port.port_class is None:
            yield port.node["protocol"].problem(f"Istio knows no protocol {port.protocol!r}", "HTTP, TLS or TCP")


@_refused("port_protocol_too_long", source=CRD, since=CRD_RULES)
def port_protocol_too_long(subject: Subject) -> Iterator[Problem]:
    """At most 256 characters of protocol."""
    for port in ports_of(subject):
        if len(port.protocol) > _LONGEST_PROTOCOL:
            yield port.node["protocol"].problem(f"{len(port.protocol)} characters, {_LONGEST_PROTOCOL} at the most")


@_refused("ports_too_many", source=CRD, since=CRD_RULES)
def ports_too_many(subject: Subject) -> Iterator[Problem]:
    """At most 256 ports."""
    count = len(subject.spec["ports"].items())
    if count > _MOST_PORTS:
        yield subject.spec["ports"].problem(f"{count} ports, {_MOST_PORTS} at the most", "split the entry")


@_warned("addresses_required", source=_WEBHOOK, istio_code=SCHEMA_WARNING)
def addresses_required(subject: Subject) -> Iterator[Problem]:
    """The webhook wants addresses for `TCP` (in capitals) and for no protocol, where no address is allocated."""
    if has_addresses(subject) or is_auto_allocated(subject):
        return
    for port in ports_of(subject):
        if port.protocol in ("", "TCP"):
            yield port.node.problem(
                f"{port.called} serves {port.protocol or 'an unset protocol'} without addresses, and none is allocated",
                "addresses: [203.0.113.10]",
            )


@_warned(
    "addresses_required_for_tcp",
    source="istio/istio pkg/config/analysis/analyzers/serviceentry/protocoladdresses.go",
    istio_code="IST0134",
)
def addresses_required_for_tcp(subject: Subject) -> Iterator[Problem]:
    """`istioctl analyze` wants addresses for TCP (in any case) and for no protocol, whatever the resolution."""
    allocated = subject.version >= (1, 28) and subject.root["status"]["addresses"].items()
    if has_addresses(subject) or allocated or proxies_use_allocated_addresses(subject):
        return
    for port in ports_of(subject):
        if port.protocol.upper() in ("", "TCP"):
            yield port.node.problem(
                f"{port.called}: TCP (or no protocol) without addresses cannot be told from its neighbours",
                "addresses: [203.0.113.10]",
            )


def _is_unset(target: int, subject: Subject) -> bool:
    """To the webhook a target port of 0 is none; the CRD refuses it since it has rules."""
    return target == 0 and subject.version < CRD_RULES


def _stands_before(subject: Subject, path: tuple[str | int, ...], key: str, value: object) -> bool:
    """Whether an earlier port has the same value: the first of several is not the one to blame."""
    return any(port.node[key].value == value for port in ports_of(subject) if port.node.path < path)


def _suggested_name(protocol: str) -> str:
    return (protocol or "tcp").lower().replace("_", "-")
