"""Rules on `hosts` of a ServiceEntry."""

from collections.abc import Iterator
from functools import partial

from analyzer.mesh.protocols import PortClass
from analyzer.validation.names import is_partial_wildcard, why_no_fqdn, why_no_wildcard_domain
from analyzer.validation.node import Problem
from analyzer.validation.rule import CRD, CRD_RULES, SCHEMA_ERROR, SCHEMA_WARNING, WEBHOOK, rule
from analyzer.validation.service_entry import BY_NAME, TCP_CLASS, has_addresses, ports_of, resolution_of
from analyzer.validation.subject import Subject
from analyzer.vocabulary import Resolution, Severity

_WEBHOOK = f"{WEBHOOK} ValidateServiceEntry"
_MOST_HOSTS = 256
_refused = partial(rule, severity=Severity.ERROR, kinds=("ServiceEntry",), istio_code=SCHEMA_ERROR)
_warned = partial(rule, severity=Severity.WARNING, kinds=("ServiceEntry",), istio_code=SCHEMA_WARNING, source=_WEBHOOK)


@_refused("hosts_missing", source=_WEBHOOK)
def hosts_missing(subject: Subject) -> Iterator[Problem]:
    """At least one host."""
    if subject.spec.is_set and not subject.spec["hosts"].items():
        yield subject.spec["hosts"].problem("at least one host is needed", "hosts: [api.example.com]")


@_refused("hosts_too_many", source=CRD, since=CRD_RULES)
def hosts_too_many(subject: Subject) -> Iterator[Problem]:
    """At most 256 hosts."""
    count = len(subject.spec["hosts"].items())
    if count > _MOST_HOSTS:
        yield subject.spec["hosts"].problem(f"{count} hosts, {_MOST_HOSTS} at the most", "split the entry")


@_refused("host_invalid", source=_WEBHOOK)
def host_invalid(subject: Subject) -> Iterator[Problem]:
    """A DNS name, its first label a wildcard if wanted: no scheme, port, path, underscore, IP address, lone `*`."""
    for host in subject.spec["hosts"].texts():
        if host.text == "*":
            yield host.problem("a lone `*` is not allowed", 'a wildcard below a domain, "*.example.com"')
            continue
        why = why_no_wildcard_domain(host.text)
        if why is not None:
            yield host.problem(f"{host.text!r} is no host: {why}", "a DNS name, as in api.example.com")


@_warned("host_partial_wildcard")
def host_partial_wildcard(subject: Subject) -> Iterator[Problem]:
    """A `*` followed by anything but a dot is taken with a warning, except with DYNAMIC_DNS."""
    if resolution_of(subject) is Resolution.DYNAMIC_DNS:
        return
    for host in subject.spec["hosts"].texts():
        if is_partial_wildcard(host.text):
            yield host.problem(
                f"{host.text!r} is a partial wildcard; Envoy matches only `*.` and a domain", "*.example.com"
            )


@rule(
    "host_partial_wildcard_breaks_listener",
    Severity.ERROR,
    kinds=("ServiceEntry",),
    source="envoyproxy/envoy source/common/listener_manager/filter_chain_manager_impl.cc",
)
def host_partial_wildcard_breaks_listener(subject: Subject) -> Iterator[Problem]:
    """On a TLS port Envoy refuses a partial wildcard as a server name, and with it the whole listener."""
    port = next((port for port in ports_of(subject) if port.port_class is PortClass.TLS), None)
    if port is None:
        return
    for host in subject.spec["hosts"].texts():
        if is_partial_wildcard(host.text) and why_no_wildcard_domain(host.text) is None:
            yield host.problem(
                f"Envoy refuses the whole listener of {port.called} for the server name {host.text!r}",
                "*.example.com, or the names one by one",
            )


@_refused("host_not_fqdn_for_dns", source=_WEBHOOK)
def host_not_fqdn_for_dns(subject: Subject) -> Iterator[Problem]:
    """Without endpoints the proxy resolves the host itself, and a wildcard cannot be resolved."""
    if resolution_of(subject) not in BY_NAME or subject.spec["endpoints"].items():
        return
    for host in subject.spec["hosts"].texts():
        if why_no_fqdn(host.text) is not None and (host.text == "*" or why_no_wildcard_domain(host.text) is None):
            yield host.problem(
                f"{host.text!r} cannot be resolved by DNS, and there are no endpoints",
                "resolution: NONE, or DYNAMIC_DNS since 1.30, or endpoints",
            )


@_refused("several_hosts_on_tcp", source=_WEBHOOK)
def several_hosts_on_tcp(subject: Subject) -> Iterator[Problem]:
    """Unless resolution is NONE, several hosts need HTTP or TLS ports, which tell the hosts apart."""
    if len(subject.spec["hosts"].items()) < 2 or resolution_of(subject) is Resolution.NONE:
        return
    for port in ports_of(subject):
        if port.port_class not in (PortClass.HTTP, PortClass.TLS):
            protocol = port.protocol or "without protocol"
            yield port.node.problem(
                f"several hosts on {port.called} {protocol}, where nothing tells one from the other",
                "one entry a host, or protocol: TLS",
            )


@_warned("several_hosts_with_address")
def several_hosts_with_address(subject: Subject) -> Iterator[Problem]:
    """With DNS, several hosts share the addresses, and a TCP or TLS port then goes by address alone."""
    if resolution_of(subject) not in BY_NAME or len(subject.spec["hosts"].items()) < 2 or not has_addresses(subject):
        return
    port = next((port for port in ports_of(subject) if port.port_class in TCP_CLASS), None)
    if port is not None:
        yield port.node.problem(
            f"several hosts with addresses on {port.called} {port.protocol}", "one entry a host, or no addresses"
        )


@rule("host_upper_case", Severity.DANGER, kinds=("ServiceEntry",), since=(1, 27), source="istio/istio PR 56090")
def host_upper_case(subject: Subject) -> Iterator[Problem]:
    """Since 1.27 the route of an HTTP port names the lower-cased cluster, which does not exist: 503 NC."""
    for host in subject.spec["hosts"].texts():
        if host.text != host.text.lower():
            yield host.problem(f"{host.text!r}: upper case breaks HTTP since Istio 1.27", host.text.lower())


@rule(
    "host_trailing_dot",
    Severity.DANGER,
    kinds=("ServiceEntry",),
    source="istio/istio pilot/pkg/networking/core/httproute.go generateVirtualHostDomains",
)
def host_trailing_dot(subject: Subject) -> Iterator[Problem]:
    """A host with a closing dot matches only Host headers that have it too, and no server name at all."""
    for host in subject.spec["hosts"].texts():
        if host.text.endswith(".") and host.text.strip("."):
            yield host.problem(f"{host.text!r} matches only names with the dot", host.text.rstrip("."))


@rule("host_duplicate", Severity.DANGER, kinds=("ServiceEntry",), source="istio/istio pilot/pkg/model/service.go")
def host_duplicate(subject: Subject) -> Iterator[Problem]:
    """A host that stands twice makes two services of one name, of which one loses."""
    seen: set[str] = set()
    for host in subject.spec["hosts"].texts():
        if host.text.lower() in seen:
            yield host.problem(f"{host.text!r} stands here twice", "once is enough")
        seen.add(host.text.lower())
