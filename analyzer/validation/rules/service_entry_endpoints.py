"""Rules on `endpoints` of a ServiceEntry, and on a WorkloadEntry, which is one endpoint."""

from collections.abc import Iterator
from functools import partial

from analyzer.validation.names import is_address, is_label, why_no_fqdn, why_no_label, why_no_unix_address
from analyzer.validation.node import Node, Problem
from analyzer.validation.rule import CRD, CRD_RULES, SCHEMA_ERROR, SCHEMA_WARNING, WEBHOOK, rule
from analyzer.validation.service_entry import BY_NAME, ports_of, resolution_of
from analyzer.validation.subject import Subject
from analyzer.vocabulary import Resolution, Severity

_KINDS = ("ServiceEntry", "WorkloadEntry")
_WORKLOAD = f"{WEBHOOK} validateWorkloadEntry"
_UNIX = "unix://"
_MOST_ENDPOINTS = 4096
_MOST_PORTS = 128
_LONGEST_ADDRESS = 256
_refused = partial(rule, severity=Severity.ERROR, kinds=_KINDS, istio_code=SCHEMA_ERROR, source=_WORKLOAD)


@_refused("endpoint_address_missing")
def endpoint_address_missing(subject: Subject) -> Iterator[Problem]:
    """An endpoint has an address, or with STATIC at least a network."""
    for endpoint in _endpoints(subject, Resolution.STATIC, *BY_NAME):
        reachable = endpoint["network"].text and resolution_of(subject) not in BY_NAME
        if not endpoint["address"].text and not reachable:
            yield endpoint["address"].problem("the endpoint has no address", "address: 203.0.113.10")


@rule("endpoint_network_only", Severity.WARNING, kinds=_KINDS, istio_code=SCHEMA_WARNING, source=_WORKLOAD)
def endpoint_network_only(subject: Subject) -> Iterator[Problem]:
    """An endpoint of another network without an address is taken with a warning."""
    for endpoint in _endpoints(subject, Resolution.STATIC):
        if not endpoint["address"].text and endpoint["network"].text:
            yield endpoint["network"].problem("the endpoint has a network, and no address", "address: 203.0.113.10")


@_refused("endpoint_address_not_ip")
def endpoint_address_not_ip(subject: Subject) -> Iterator[Problem]:
    """With STATIC an endpoint is an IP address or a `unix://` path, never a name."""
    if subject.kind != "ServiceEntry":
        return
    for endpoint in _endpoints(subject, Resolution.STATIC):
        address = endpoint["address"].text
        if address and not address.startswith(_UNIX) and not is_address(address):
            yield endpoint["address"].problem(f"{address!r}: STATIC wants IP addresses", "resolution: DNS")


@_refused("endpoint_address_invalid")
def endpoint_address_invalid(subject: Subject) -> Iterator[Problem]:
    """With DNS an endpoint is an IP address or a name that DNS resolves: no wildcard, no `unix://`."""
    for endpoint in _endpoints(subject, *BY_NAME):
        address = endpoint["address"].text
        is_socket = address.startswith(_UNIX) and subject.kind == "WorkloadEntry"
        if address and not is_socket and not is_address(address) and why_no_fqdn(address) is not None:
            yield endpoint["address"].problem(
                f"{address!r} is neither an IP address nor a name that DNS resolves", "address: db.example.com"
            )


@_refused("endpoint_unix_path")
def endpoint_unix_path(subject: Subject) -> Iterator[Problem]:
    """A `unix://` endpoint names an absolute path to a file, or an abstract socket with `@`."""
    for endpoint in _sockets(subject):
        why = why_no_unix_address(endpoint["address"].text.removeprefix(_UNIX))
        if why is not None:
            yield endpoint["address"].problem(f"unix endpoint: {why}", "address: unix:///var/run/db.sock")


@_refused("endpoint_unix_ports")
def endpoint_unix_ports(subject: Subject) -> Iterator[Problem]:
    """A `unix://` endpoint has no ports of its own, and its entry exactly one."""
    for endpoint in _sockets(subject):
        if endpoint["ports"].pairs():
            yield endpoint["ports"].problem("a unix endpoint has no ports", "leave ports out")
        names = {port.name for port in ports_of(subject)}
        if subject.kind == "ServiceEntry" and len(names) != 1:
            yield endpoint["address"].problem(f"a unix endpoint needs exactly one port in its entry, not {len(names)}")


@_refused("endpoint_port_undeclared")
def endpoint_port_undeclared(subject: Subject) -> Iterator[Problem]:
    """The keys of an endpoint's ports are names of the entry's ports."""
    if subject.kind != "ServiceEntry":
        return
    declared = {port.name for port in ports_of(subject)}
    for endpoint in _endpoints(subject, Resolution.STATIC, *BY_NAME):
        for name, number in endpoint["ports"].pairs():
            if name not in declared:
                known = ", ".join(sorted(filter(None, declared))) or "none"
                yield number.problem(f"no port of the entry is called {name!r}", f"declared: {known}")


@_refused("endpoint_port_invalid")
def endpoint_port_invalid(subject: Subject) -> Iterator[Problem]:
    """An endpoint's ports have valid names and numbers from 1 to 65535."""
    for endpoint in _endpoints(subject, Resolution.STATIC, *BY_NAME):
        for name, number in endpoint["ports"].pairs():
            if not is_label(name):
                yield number.problem(f"{name!r} is no port name")
            if number.number is not None and not 1 <= number.number <= 65535:
                yield number.problem(f"{number.number} is no port number", "1 to 65535")


@_refused("endpoint_label_invalid")
def endpoint_label_invalid(subject: Subject) -> Iterator[Problem]:
    """An endpoint's labels are labels as Kubernetes has them."""
    for endpoint in _endpoints(subject, Resolution.STATIC, *BY_NAME):
        for key, value in endpoint["labels"].pairs():
            why = why_no_label(key, value.text)
            if why is not None:
                yield value.problem(why)


@rule(
    "endpoints_too_many",
    Severity.ERROR,
    kinds=("ServiceEntry",),
    istio_code=SCHEMA_ERROR,
    source=CRD,
    since=CRD_RULES,
)
def endpoints_too_many(subject: Subject) -> Iterator[Problem]:
    """At most 4096 endpoints, 128 ports in each, 256 characters of address."""
    endpoints = subject.spec["endpoints"]
    if len(endpoints.items()) > _MOST_ENDPOINTS:
        yield endpoints.problem(f"{len(endpoints.items())} endpoints, {_MOST_ENDPOINTS} at the most")
    for endpoint in endpoints.mappings():
        if len(endpoint["ports"].pairs()) > _MOST_PORTS:
            yield endpoint["ports"].problem(f"{len(endpoint['ports'].pairs())} ports, {_MOST_PORTS} at the most")
        if len(endpoint["address"].text) > _LONGEST_ADDRESS:
            yield endpoint["address"].problem(f"an address has {_LONGEST_ADDRESS} characters at the most")


def _endpoints(subject: Subject, *resolutions: Resolution) -> list[Node]:
    """The endpoints that the webhook looks at for these resolutions; a WorkloadEntry knows none, and is looked at."""
    if subject.kind == "WorkloadEntry":
        return [subject.spec] if subject.spec.is_set else []
    return subject.spec["endpoints"].mappings() if resolution_of(subject) in resolutions else []


def _sockets(subject: Subject) -> list[Node]:
    return [node for node in _endpoints(subject, Resolution.STATIC) if node["address"].text.startswith(_UNIX)]
