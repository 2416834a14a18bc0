"""What Istio takes in silence from a ServiceEntry although it does more or less than it says.

Sources: istio/istio pilot/pkg/networking/core/listener.go, core/tls.go, core/httproute.go; istio.io
ops/best-practices/security; istio/api networking/v1alpha3/service_entry.proto.
"""

from collections.abc import Iterator
from functools import partial

from analyzer.mesh.protocols import PortClass
from analyzer.mesh.tenants import public_suffixes
from analyzer.validation.node import Problem
from analyzer.validation.rule import rule
from analyzer.validation.service_entry import (
    AUTO_ALLOCATION,
    has_addresses,
    is_auto_allocated,
    ports_of,
    resolution_of,
)
from analyzer.validation.subject import Subject
from analyzer.vocabulary import Resolution, Severity

_LISTENER = "istio/istio pilot/pkg/networking/core/listener.go"
_RESERVED = (15001, 15006, 15021, 15090)
_FILTERS = ("MONGO", "MYSQL", "REDIS")
_danger = partial(rule, severity=Severity.DANGER, kinds=("ServiceEntry",))
_info = partial(rule, severity=Severity.INFO, kinds=("ServiceEntry",))


@_info("resolution_missing", source="istio/api networking/v1alpha3/service_entry.proto")
def resolution_missing(subject: Subject) -> Iterator[Problem]:
    """What is left out is NONE, and with NONE the proxy connects to whatever address the client dialled."""
    if subject.spec.is_set and not subject.spec["resolution"].is_set:
        yield subject.spec["resolution"].problem(
            "resolution is left out, so it is NONE: the proxy connects to the address that the client dialled",
            "resolution: DNS",
        )


@_danger("ports_missing", source="istio/istio pilot/pkg/serviceregistry/serviceentry/conversion.go")
def ports_missing(subject: Subject) -> Iterator[Problem]:
    """An entry without ports registers nothing."""
    if subject.spec.is_set and not subject.spec["ports"].items():
        yield subject.spec["ports"].problem(
            "an entry without ports registers nothing", "ports: [{number: 443, name: tls, protocol: TLS}]"
        )


@_danger("protocol_missing", source=_LISTENER)
def protocol_missing(subject: Subject) -> Iterator[Problem]:
    """Without a protocol the proxy waits for the client's first bytes, and passes on all that is not HTTP."""
    for port in ports_of(subject):
        if port.port_class is PortClass.AUTO:
            yield port.node.problem(
                f"{port.called} has no protocol: protocols in which the server speaks first hang, "
                "and whatever is not HTTP is let out",
                "protocol: TLS, HTTP or TCP",
            )


@_danger("http_proxy_protocol", source=_LISTENER)
def http_proxy_protocol(subject: Subject) -> Iterator[Problem]:
    """HTTP_PROXY takes every byte on the port, for every host, and displaces whatever else is on it."""
    for port in ports_of(subject):
        if port.protocol.upper() == "HTTP_PROXY":
            yield port.node["protocol"].problem(
                f"HTTP_PROXY takes all traffic on {port.called}, whoever it is for", "protocol: TCP, with addresses"
            )


@_danger("http_on_443", source="istio.io ops/common-problems/network-issues")
def http_on_443(subject: Subject) -> Iterator[Problem]:
    """TLS that the application speaks itself does not match an HTTP port: it stays blocked."""
    for port in ports_of(subject):
        if port.number == 443 and port.port_class is PortClass.HTTP:
            yield port.node["protocol"].problem(
                f"{port.protocol} on 443 does not admit TLS that the application speaks itself", "protocol: TLS"
            )


@_danger("udp_not_captured", source="istio/istio pilot/pkg/networking/core/listener.go")
def udp_not_captured(subject: Subject) -> Iterator[Problem]:
    """UDP goes round the proxy: a UDP port makes neither listener nor cluster."""
    for port in ports_of(subject):
        if port.port_class is PortClass.UDP:
            yield port.node["protocol"].problem(
                f"{port.called}: proxies know no UDP, so it is neither admitted nor blocked", "a NetworkPolicy"
            )


@_info("filter_protocol", source="istio/istio pilot/pkg/features")
def filter_protocol(subject: Subject) -> Iterator[Problem]:
    """MONGO, MYSQL and REDIS conflict with any other protocol on the port, and without their filters are plain TCP."""
    for port in ports_of(subject):
        if port.protocol.upper() in _FILTERS:
            yield port.node["protocol"].problem(
                f"{port.protocol} conflicts with other protocols on {port.called}", "protocol: TCP"
            )


@_danger("reserved_port", source=_LISTENER, since=(1, 20))
def reserved_port(subject: Subject) -> Iterator[Problem]:
    """The sidecar itself listens on 15001, 15006, 15021 and 15090."""
    for port in ports_of(subject):
        if port.number in _RESERVED:
            yield port.node["number"].problem(f"{port.number} is one of the sidecar's own ports", "another port")


@_danger("static_without_endpoints", source="istio/istio pilot/pkg/serviceregistry/serviceentry")
def static_without_endpoints(subject: Subject) -> Iterator[Problem]:
    """STATIC without endpoints is taken, and every call then fails with UH."""
    endpoints, selector = subject.spec["endpoints"].items(), subject.spec["workloadSelector"].is_set
    if resolution_of(subject) is Resolution.STATIC and not endpoints and not selector:
        yield subject.spec["resolution"].problem(
            "STATIC without endpoints: every call fails with no healthy upstream (UH)",
            "endpoints: [{address: 203.0.113.10}]",
        )


@_danger("wildcard_over_public_suffix", source="publicsuffix.org, private section included")
def wildcard_over_public_suffix(subject: Subject) -> Iterator[Problem]:
    """Below a public suffix anybody may own a name."""
    for host in subject.spec["hosts"].texts():
        if host.text.startswith("*.") and public_suffixes(unknown=False).is_public(host.text[2:].lower().rstrip(".")):
            yield host.problem(f"{host.text!r} admits names that anybody can register", "name the hosts one by one")


@_info("wildcard_without_apex", source="istio/istio pkg/config/host/name.go")
def wildcard_without_apex(subject: Subject) -> Iterator[Problem]:
    """`*.example.com` does not cover `example.com`."""
    hosts = {node.text.lower() for node in subject.spec["hosts"].texts()}
    for host in subject.spec["hosts"].texts():
        apex = host.text[2:].lower()
        if (
            host.text.startswith("*.")
            and "." in apex
            and apex not in hosts
            and not public_suffixes(unknown=False).is_public(apex)
        ):
            yield host.problem(f"{host.text!r} does not cover {apex!r} itself", f"{apex}, if it is called too")


@_danger("host_in_cluster", source="istio/istio pilot/pkg/model/sidecar.go")
def host_in_cluster(subject: Subject) -> Iterator[Problem]:
    """For the name of a Kubernetes service the service wins, and an entry's ports get no cluster."""
    for host in subject.spec["hosts"].texts():
        if host.text.lower().rstrip(".").endswith((".svc.cluster.local", ".svc")):
            yield host.problem(
                f"{host.text!r} is a Kubernetes service's name: the service wins over the entry",
                "mend the service, its exportTo or the Sidecar",
            )


@_info("host_short_name", source="istio.io reference/config/networking/service-entry")
def host_short_name(subject: Subject) -> Iterator[Problem]:
    """A name without dots means something else in every namespace's DNS search list."""
    for host in subject.spec["hosts"].texts():
        if host.text and "." not in host.text and "*" not in host.text:
            yield host.problem(f"{host.text!r} is a short name: DNS completes it per namespace", "the whole name")


@_info("subject_alt_names_unused", source="istio/api networking/v1alpha3/service_entry.proto")
def subject_alt_names_unused(subject: Subject) -> Iterator[Problem]:
    """subjectAltNames are checked only where the proxy itself originates TLS, by a DestinationRule."""
    if subject.spec["subjectAltNames"].items() and not _originates_tls(subject):
        yield subject.spec["subjectAltNames"].problem(
            "subjectAltNames are checked only where the proxy originates TLS",
            "a DestinationRule with tls.mode: SIMPLE",
        )


@_danger("target_port_without_tls", source="istio.io tasks/traffic-management/egress/egress-tls-origination")
def target_port_without_tls(subject: Subject) -> Iterator[Problem]:
    """HTTP whose target port is 443 is sent there in the clear unless a DestinationRule originates TLS."""
    for port in ports_of(subject):
        target = port.node["targetPort"]
        if port.port_class is PortClass.HTTP and target.number == 443 and not _originates_tls(subject):
            yield target.problem(
                f"{port.called} goes to 443 in the clear: no DestinationRule here originates TLS for the host",
                "a DestinationRule with tls.mode: SIMPLE for that port",
            )


@_danger("target_port_without_effect", source="istio/istio pilot/pkg/features PassthroughTargetPort", until=(1, 22))
def target_port_without_effect(subject: Subject) -> Iterator[Problem]:
    """With resolution NONE the target port counts since 1.22 only; before, the client's own port is dialled."""
    if resolution_of(subject) is not Resolution.NONE:
        return
    for port in ports_of(subject):
        if port.node["targetPort"].number:
            yield port.node["targetPort"].problem("targetPort has no effect with resolution NONE", "resolution: DNS")


@_danger("auto_allocation_label", source="istio/istio pilot/pkg/networking/serviceentry/ip_autoallocation.go")
def auto_allocation_label(subject: Subject) -> Iterator[Problem]:
    """The label that allocates addresses knows true and false, and does nothing with NONE or with addresses."""
    label = subject.metadata["labels"][AUTO_ALLOCATION]
    if not label.text:
        return
    if label.text.lower() not in ("true", "false"):
        yield label.problem(f"{label.text!r} counts as true: only false switches allocation off", '"true" or "false"')
    elif label.text.lower() == "true" and not is_auto_allocated(subject):
        why = "addresses are given" if has_addresses(subject) else "resolution is NONE"
        if subject.version < (1, 25):
            why = "PILOT_ENABLE_IP_AUTOALLOCATE is off by default before Istio 1.25"
        yield label.problem(f"no address is allocated: {why}", "take the label away")


def _originates_tls(subject: Subject) -> bool:
    """Whether some DestinationRule among the objects asks for TLS towards one of the hosts."""
    return any(node.text.lower() in subject.mesh.hosts_with_tls for node in subject.spec["hosts"].texts())
