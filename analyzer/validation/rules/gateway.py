"""Rules on a Gateway (istio/istio pkg/config/validation/validation.go ValidateGateway)."""

from collections.abc import Iterator
from functools import partial

from analyzer.mesh.protocols import PortClass, port_class
from analyzer.validation.names import is_address, is_label, is_partial_wildcard, why_no_wildcard_domain
from analyzer.validation.node import Node, Problem
from analyzer.validation.rule import SCHEMA_ERROR, SCHEMA_WARNING, WEBHOOK, rule
from analyzer.validation.selecting import labels_of, pods_of, selected, selects
from analyzer.validation.subject import Inventory, Subject
from analyzer.vocabulary import Severity

_KIND = ("Gateway",)
_PASSING = ("PASSTHROUGH", "AUTO_PASSTHROUGH")
_PORTS = "istio/istio pkg/config/analysis/analyzers/gateway/gateway.go"
_FILES = ("serverCertificate", "privateKey", "caCertificates", "credentialName")
_refused = partial(
    rule, severity=Severity.ERROR, kinds=_KIND, istio_code=SCHEMA_ERROR, source=f"{WEBHOOK} ValidateGateway"
)


@_refused("gateway_name_invalid")
def gateway_name_invalid(subject: Subject) -> Iterator[Problem]:
    """A Gateway's name has no dots."""
    name = subject.metadata["name"]
    if name.is_set and not is_label(name.text):
        yield name.problem(f"{name.text!r} is no Gateway name: no dots, 63 characters at the most")


@_refused("gateway_servers_missing")
def gateway_servers_missing(subject: Subject) -> Iterator[Problem]:
    """At least one server."""
    if subject.spec.is_set and not subject.spec["servers"].items():
        yield subject.spec["servers"].problem("at least one server is needed")


@_refused("gateway_host_invalid")
def gateway_host_invalid(subject: Subject) -> Iterator[Problem]:
    """A server names hosts: full names, `*.` and a domain or `*`, a namespace and / before it if wanted."""
    for server in subject.spec["servers"].mappings():
        if not server["hosts"].items():
            yield server["hosts"].problem("the server names no host", "hosts: [api.example.com]")
        for host in server["hosts"].texts():
            why = _why_no_gateway_host(host.text)
            if why is not None:
                yield host.problem(f"{host.text!r}: {why}", "api.example.com, or shop/api.example.com")


@_refused("gateway_port_invalid")
def gateway_port_invalid(subject: Subject) -> Iterator[Problem]:
    """A server's port has a number, a name that no other server's port has, a known protocol and no targetPort."""
    seen: set[str] = set()
    for server in subject.spec["servers"].mappings():
        port = server["port"]
        if not port.is_set:
            yield port.problem("the server has no port", "port: {number: 443, name: tls, protocol: TLS}")
            continue
        socket = server["bind"].text.startswith("unix://")
        if not 1 <= (port["number"].number or 0) <= 65535 and not socket:
            yield port["number"].problem(f"{port['number'].number} is no port number", "1 to 65535")
        if port_class(port["protocol"].text) is None:
            yield port["protocol"].problem(f"Istio knows no protocol {port['protocol'].text!r}", "HTTP, TLS or TCP")
        if port["targetPort"].number:
            yield port["targetPort"].problem("targetPort has no meaning in a Gateway", "leave it out")
        name = port["name"].text
        if not name or name in seen:
            yield port["name"].problem(f"two servers' ports are called {name!r}" if name else "the port has no name")
        seen.add(name)


@_refused("gateway_tls_invalid")
def gateway_tls_invalid(subject: Subject) -> Iterator[Problem]:
    """HTTPS and TLS servers say how; others have no TLS but a redirect; SIMPLE and MUTUAL bring certificates."""
    for server in subject.spec["servers"].mappings():
        kind, tls = port_class(server["port"]["protocol"].text), server["tls"]
        if kind is PortClass.TLS and not tls.is_set:
            yield server.problem("a TLS or HTTPS server needs tls", "tls: {mode: PASSTHROUGH}")
        elif kind is not PortClass.TLS and tls.is_set and not (kind is PortClass.HTTP and _only_redirects(tls)):
            yield tls.problem(f"a {server['port']['protocol'].text} server has no tls", "protocol: HTTPS or TLS")
        elif kind is PortClass.TLS and tls.is_set:
            yield from _certificates(tls)


@rule(
    "gateway_certificates_ignored",
    Severity.WARNING,
    kinds=_KIND,
    istio_code=SCHEMA_WARNING,
    source=f"{WEBHOOK} validateTLSOptions",
)
def gateway_certificates_ignored(subject: Subject) -> Iterator[Problem]:
    """A server that passes TLS on uses no certificates."""
    for server in subject.spec["servers"].mappings():
        tls = server["tls"]
        given = [key for key in (*_FILES, "caCrl") if tls[key].text]
        if tls.is_set and (tls["mode"].text or "PASSTHROUGH") in _PASSING and given:
            yield tls[given[0]].problem(f"{', '.join(given)}: ignored, because TLS is passed on as it is")


@rule(
    "gateway_conflict",
    Severity.WARNING,
    kinds=_KIND,
    istio_code="IST0145",
    source="istio/istio pkg/config/analysis/analyzers/gateway/conflictinggateway.go",
)
def gateway_conflict(subject: Subject) -> Iterator[Problem]:
    """One host and port of one selector is served by one Gateway."""
    claimed = subject.mesh.index(_claims)
    for server in subject.spec["servers"].mappings():
        for host in server["hosts"].texts():
            first = claimed[_claim(subject, server, host)]
            if first.reference != subject.reference:
                yield host.problem(f"{host.text!r} is served on this port by {first.reference} ({first.place}) too")


@rule("gateway_port_not_exposed", Severity.WARNING, kinds=("Gateway",), istio_code="IST0162", source=_PORTS)
def gateway_port_not_exposed(subject: Subject) -> Iterator[Problem]:
    """What a Gateway listens on is a targetPort of the Service before its pods, or nobody reaches it by that."""
    pods = _pods(subject)
    homes = {pod.namespace for pod in pods}
    services = [service for service in subject.mesh.of_kind("Service") if service.namespace in homes]
    if not services:
        return
    exposed: set[int | None] = set()
    for service in services:
        selector = labels_of(service.spec["selector"])
        if selector and any(pod.namespace == service.namespace and selects(selector, pod) for pod in pods):
            exposed.update(_target(port) for port in service.spec["ports"].mappings())
    for server in subject.spec["servers"].mappings():
        number = server["port"]["number"]
        if number.number is not None and number.number not in exposed:
            yield number.problem(
                f"no Service before the gateway's pods leads to port {number.number}", "a port of the gateway's Service"
            )


def _pods(subject: Subject) -> list[Subject]:
    selector = labels_of(subject.spec["selector"])
    return selected(subject.mesh, selector, subject.mesh.index(pods_of)) if selector else []


def _target(port: Node) -> int | None:
    """Where a Service's port leads; a port by name counts as its own number (gateway.go, servicePorts)."""
    return (port["targetPort"].number or port["port"].number) if port["protocol"].text in ("", "TCP") else None


def _why_no_gateway_host(text: str) -> str | None:
    namespace, slash, name = text.partition("/")
    if slash and (not namespace or not name):
        return "neither namespace nor name may be empty"
    if slash and namespace not in ("*", ".") and not is_label(namespace):
        return f"{namespace!r} is no namespace"
    host = name if slash else text
    if host == "*" or is_address(host):
        return None
    if "." not in host:
        return "short names are not allowed"
    return "partial wildcards are not allowed" if is_partial_wildcard(host) else why_no_wildcard_domain(host)


def _only_redirects(tls: Node) -> bool:
    passes = (tls["mode"].text or "PASSTHROUGH") in _PASSING
    return passes and not any(tls[key].text for key in _FILES[:3])


def _certificates(tls: Node) -> Iterator[Problem]:
    mode = tls["mode"].text or "PASSTHROUGH"
    if mode == "ISTIO_MUTUAL":
        for key in _FILES:
            if tls[key].text:
                yield tls[key].problem(f"ISTIO_MUTUAL brings its own certificates: no {key}", "leave it out")
    elif mode in ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL") and not _has_credential(tls):
        needed = _FILES[:2] if mode == "SIMPLE" else _FILES[:3]
        for key in needed:
            if not tls[key].text:
                yield tls[key].problem(f"{mode} needs {key}", "or a credentialName")


def _has_credential(tls: Node) -> bool:
    return bool(tls["credentialName"].text or tls["credentialNames"].items() or tls["tlsCertificates"].is_set)


def _claim(subject: Subject, server: Node, host: Node) -> tuple[object, ...]:
    selector = tuple(sorted((key, node.text) for key, node in subject.spec["selector"].pairs()))
    name = host.text if "/" in host.text else f"*/{host.text}"
    return selector, server["port"]["number"].number, server["bind"].text, name


def _claims(mesh: Inventory) -> dict[tuple[object, ...], Subject]:
    found: dict[tuple[object, ...], Subject] = {}
    for subject in mesh.of_kind("Gateway"):
        for server in subject.spec["servers"].mappings():
            for host in server["hosts"].texts():
                found.setdefault(_claim(subject, server, host), subject)
    return found
