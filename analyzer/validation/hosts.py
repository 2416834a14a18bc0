"""Rules on `hosts` (istio/istio pkg/config/validation/validation.go ValidateServiceEntry, agent/validation.go)."""

from collections.abc import Iterator

from analyzer.mesh.names import is_dns1123_subdomain, why_invalid_host
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.validation.rule import Problem, Subject, rule
from analyzer.vocabulary import Resolution, Severity

_MOST_HOSTS = 256


@rule("name_invalid", Severity.ERROR)
def name(subject: Subject) -> Iterator[Problem]:
    """Kubernetes wants a DNS-1123 subdomain as `metadata.name`."""
    if not is_dns1123_subdomain(subject.document.name):
        yield Problem(
            ("metadata", "name"), f"{subject.document.name!r} is no object name (lower case, digits, - and .)"
        )


@rule("hosts_missing", Severity.ERROR, istio_code="IST0106")
def hosts_missing(subject: Subject) -> Iterator[Problem]:
    """At least one host."""
    if not subject.entry.hosts:
        yield Problem(("spec", "hosts"), "at least one host is needed", "hosts: [api.example.com]")


@rule("hosts_too_many", Severity.ERROR, istio_code="IST0106", since=(1, 24))
def hosts_too_many(subject: Subject) -> Iterator[Problem]:
    """At most 256 hosts, by the CRD."""
    if len(subject.entry.hosts) > _MOST_HOSTS:
        yield Problem(("spec", "hosts"), f"{len(subject.entry.hosts)} hosts, {_MOST_HOSTS} at the most")


@rule("host_invalid", Severity.ERROR, istio_code="IST0106")
def host_invalid(subject: Subject) -> Iterator[Problem]:
    """Wildcard domains: no scheme, port, path, underscore or IP address."""
    for path, host in subject.places("hosts"):
        why = why_invalid_host(str(host))
        if why is not None:
            yield Problem(path, f"{host!r}: {why}")


@rule("host_partial_wildcard", Severity.WARNING, istio_code="IST0133")
def partial_wildcard(subject: Subject) -> Iterator[Problem]:
    """`*foo.com` is accepted, but on a TLS port Envoy refuses the whole listener."""
    for path, host in subject.places("hosts"):
        partial = str(host) != "*" and "*" in str(host).removeprefix("*.")
        if partial and subject.entry.resolution is not Resolution.DYNAMIC_DNS:
            yield Problem(path, f"{host!r} is a partial wildcard: Envoy matches only `*.` followed by a domain")


@rule("host_not_fqdn_for_dns", Severity.ERROR, istio_code="IST0106")
def wildcard_with_dns(subject: Subject) -> Iterator[Problem]:
    """Without endpoints, DNS has to resolve the host itself, and a wildcard cannot be resolved."""
    entry = subject.entry
    if entry.resolution in (Resolution.DNS, Resolution.DNS_ROUND_ROBIN) and not entry.endpoints:
        for path, host in subject.places("hosts"):
            if str(host).startswith("*"):
                yield Problem(path, f"{host!r} cannot be resolved by DNS", "resolution: NONE, or endpoints")


@rule("several_hosts_on_tcp", Severity.ERROR, istio_code="IST0106")
def several_hosts_on_tcp(subject: Subject) -> Iterator[Problem]:
    """Unless resolution is NONE, several hosts cannot share a port that is told by nothing but itself."""
    entry = subject.entry
    if len(entry.hosts) < 2 or entry.resolution is Resolution.NONE:
        return
    for index, port in enumerate(entry.ports):
        if port_class(port.protocol) in (PortClass.TCP, PortClass.AUTO, PortClass.UDP):
            yield Problem(
                ("spec", "ports", index),
                f"several hosts on port {port.number} {port.protocol or 'without protocol'}",
                "one entry a host",
            )


@rule("host_upper_case", Severity.DANGER, since=(1, 27))
def upper_case(subject: Subject) -> Iterator[Problem]:
    """Since 1.27 the route names the lower-cased cluster, and that does not exist (503 NC)."""
    for path, host in subject.places("hosts"):
        if str(host) != str(host).lower():
            yield Problem(path, f"{host!r}: upper case breaks HTTP since Istio 1.27", f"write {str(host).lower()!r}")


@rule("host_trailing_dot", Severity.DANGER)
def trailing_dot(subject: Subject) -> Iterator[Problem]:
    """Only Host headers with the dot match such an entry."""
    for path, host in subject.places("hosts"):
        if str(host).endswith("."):
            yield Problem(path, f"{host!r} matches only names with the dot", f"write {str(host).rstrip('.')!r}")
