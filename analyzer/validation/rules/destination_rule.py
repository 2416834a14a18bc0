"""Rules on a DestinationRule (istio/istio pkg/config/validation/validation.go ValidateDestinationRule)."""

from collections.abc import Iterator
from functools import partial

from analyzer.mesh.protocols import PortClass
from analyzer.validation.names import is_label, why_no_label, why_no_wildcard_domain
from analyzer.validation.node import Node, Problem
from analyzer.validation.rule import SCHEMA_ERROR, WEBHOOK, rule
from analyzer.validation.service_entry import ports_of
from analyzer.validation.subject import Inventory, Subject
from analyzer.vocabulary import Severity

_KIND = ("DestinationRule",)
_WEBHOOK = f"{WEBHOOK} ValidateDestinationRule"
_ANALYZER = "istio/istio pkg/config/analysis/analyzers/destinationrule/ca.go"
_PORT_FIELDS = ("outlierDetection", "connectionPool", "loadBalancer", "tls")
_FIELDS = (*_PORT_FIELDS, "portLevelSettings", "tunnel", "proxyProtocol", "retryBudget")
_refused = partial(rule, severity=Severity.ERROR, kinds=_KIND, istio_code=SCHEMA_ERROR, source=_WEBHOOK)


@_refused("destination_rule_host_invalid")
def destination_rule_host_invalid(subject: Subject) -> Iterator[Problem]:
    """The host is a DNS name, wildcards allowed."""
    host = subject.spec["host"]
    why = why_no_wildcard_domain(host.text) if subject.spec.is_set else None
    if why is not None:
        yield host.problem(f"{host.text!r} is no host: {why}", "host: api.example.com")


@_refused("traffic_policy_empty")
def traffic_policy_empty(subject: Subject) -> Iterator[Problem]:
    """A traffic policy says something, for all ports or for one."""
    for policy in _policies(subject):
        if policy.is_set and not any(policy[key].is_set for key in _FIELDS):
            yield policy.problem("the traffic policy is empty", "tls: {mode: SIMPLE}")
        for port in policy["portLevelSettings"].mappings():
            if not any(port[key].is_set for key in _PORT_FIELDS):
                yield port.problem("the policy of the port is empty", "tls: {mode: SIMPLE}")


@_refused("traffic_policy_port_missing")
def traffic_policy_port_missing(subject: Subject) -> Iterator[Problem]:
    """A policy of a port names the port."""
    for policy in _policies(subject):
        for port in policy["portLevelSettings"].mappings():
            number = port["port"]["number"].number
            if number is None or not 1 <= number <= 65535:
                yield port["port"].problem("the policy does not say for which port", "port: {number: 443}")


@_refused("subset_invalid")
def subset_invalid(subject: Subject) -> Iterator[Problem]:
    """Subsets have different names, each a DNS label, and valid labels."""
    seen: set[str] = set()
    for subset in subject.spec["subsets"].mappings():
        name = subset["name"]
        if not is_label(name.text):
            yield name.problem(f"{name.text!r} is no subset name")
        elif name.text in seen:
            yield name.problem(f"two subsets are called {name.text!r}")
        seen.add(name.text)
        for key, value in subset["labels"].pairs():
            why = why_no_label(key, value.text)
            if why is not None:
                yield value.problem(why)


@_refused("client_tls_invalid")
def client_tls_invalid(subject: Subject) -> Iterator[Problem]:
    """MUTUAL brings certificate and key, or a credentialName, which excludes files."""
    for tls in _tls_settings(subject):
        mode, credential = tls["mode"].text, tls["credentialName"]
        files = [key for key in ("clientCertificate", "privateKey", "caCertificates", "caCrl") if tls[key].text]
        if mode in ("SIMPLE", "MUTUAL") and credential.text and files:
            yield credential.problem(f"credentialName excludes {', '.join(files)}", "one or the other")
        if mode == "MUTUAL" and not credential.text:
            for key in ("clientCertificate", "privateKey"):
                if not tls[key].text:
                    yield tls[key].problem(f"MUTUAL needs {key}", "or a credentialName")
        means = [key for key in ("caCertificates", "subjectAltNames") if tls[key].is_set]
        if tls["insecureSkipVerify"].is_true and mode in ("SIMPLE", "MUTUAL") and means:
            yield tls["insecureSkipVerify"].problem(f"insecureSkipVerify excludes {', '.join(means)}")


@rule("server_not_verified", Severity.WARNING, kinds=_KIND, istio_code="IST0128", source=_ANALYZER)
def server_not_verified(subject: Subject) -> Iterator[Problem]:
    """TLS of all ports names the certificates that the server is checked with."""
    yield from _unverified(subject.spec["trafficPolicy"]["tls"], subject)


@rule("server_not_verified_on_port", Severity.WARNING, kinds=_KIND, istio_code="IST0129", source=_ANALYZER)
def server_not_verified_on_port(subject: Subject) -> Iterator[Problem]:
    """TLS of one port names the certificates that the server is checked with."""
    for port in subject.spec["trafficPolicy"]["portLevelSettings"].mappings():
        yield from _unverified(port["tls"], subject)


@rule(
    "tls_over_tls",
    Severity.DANGER,
    kinds=_KIND,
    source="istio.io tasks/traffic-management/egress/egress-tls-origination",
)
def tls_over_tls(subject: Subject) -> Iterator[Problem]:
    """TLS for all ports also wraps the TLS that applications speak themselves, on 443 for one."""
    tls = subject.spec["trafficPolicy"]["tls"]
    if tls["mode"].text not in ("SIMPLE", "MUTUAL"):
        return
    entry = subject.mesh.index(_tls_hosts).get(subject.spec["host"].text.lower())
    if entry is not None:
        reference, number = entry
        yield tls.problem(
            f"TLS for every port wraps the applications' own TLS on port {number} of {reference} once more",
            "portLevelSettings for the port that speaks plain HTTP",
        )


def _tls_hosts(mesh: Inventory) -> dict[str, tuple[str, int | None]]:
    found: dict[str, tuple[str, int | None]] = {}
    for entry in mesh.of_kind("ServiceEntry"):
        for port in ports_of(entry):
            for host in entry.spec["hosts"].texts() if port.port_class is PortClass.TLS else ():
                found.setdefault(host.text.lower(), (entry.reference, port.number))
    return found


def _policies(subject: Subject) -> list[Node]:
    return [subject.spec["trafficPolicy"], *(item["trafficPolicy"] for item in subject.spec["subsets"].mappings())]


def _tls_settings(subject: Subject) -> list[Node]:
    policies = _policies(subject)
    ports = [port["tls"] for policy in policies for port in policy["portLevelSettings"].mappings()]
    return [*(policy["tls"] for policy in policies), *ports]


def _unverified(tls: Node, subject: Subject) -> Iterator[Problem]:
    checked = tls["caCertificates"].text or tls["credentialName"].text
    if tls["mode"].text not in ("SIMPLE", "MUTUAL") or checked:
        return
    if subject.version < (1, 21):
        yield tls.problem(
            "the server's certificate is not verified at all before Istio 1.21", "caCertificates, subjectAltNames"
        )
    else:
        yield tls.problem(
            "no caCertificates: the server is checked with the proxy's own root certificates "
            "(VERIFY_CERTIFICATE_AT_CLIENT, on since 1.21)",
            "caCertificates, or leave it so",
        )
