"""Rules on `resolution`, `endpoints` and `workloadSelector` (istio/istio pkg/config/validation/validation.go)."""

import ipaddress
from collections.abc import Iterator

from analyzer.mesh.names import is_valid_host
from analyzer.validation.rule import Problem, Subject, rule
from analyzer.vocabulary import Location, Resolution, Severity

_BY_NAME = (Resolution.DNS, Resolution.DNS_ROUND_ROBIN)
_DYNAMIC = {(1, 28): {"HTTP"}, (1, 29): {"HTTP", "TLS"}, (1, 30): {"HTTP", "TLS", "GRPC", "HTTP2"}}


@rule("selector_and_endpoints", Severity.ERROR, istio_code="IST0106")
def both(subject: Subject) -> Iterator[Problem]:
    """One or the other."""
    if subject.entry.workload_selector is not None and subject.entry.endpoints:
        yield Problem(("spec", "workloadSelector"), "workloadSelector and endpoints exclude each other")


@rule("selector_invalid", Severity.ERROR, istio_code="IST0106")
def selector(subject: Subject) -> Iterator[Problem]:
    """No empty key, no wildcard."""
    for key, value in (subject.entry.workload_selector or {}).items():
        if not key or "*" in key or "*" in value:
            yield Problem(("spec", "workloadSelector", "labels"), f"{key!r}: empty keys and `*` are not allowed")


@rule("endpoints_with_none", Severity.ERROR, istio_code="IST0106")
def endpoints_with_none(subject: Subject) -> Iterator[Problem]:
    """With NONE the client's own address is dialled, so endpoints have no meaning."""
    if subject.entry.resolution is Resolution.NONE and subject.entry.endpoints:
        yield Problem(("spec", "endpoints"), "resolution NONE has no endpoints", "resolution: STATIC")


@rule("endpoint_address_invalid", Severity.ERROR, istio_code="IST0106")
def endpoint_address(subject: Subject) -> Iterator[Problem]:
    """STATIC wants IP addresses (or unix://), DNS wants IP addresses or names without wildcards."""
    resolution = subject.entry.resolution
    for index, endpoint in enumerate(subject.entry.endpoints):
        path = ("spec", "endpoints", index, "address")
        address = endpoint.address
        if resolution is Resolution.STATIC:
            if not address and endpoint.network is None:
                yield Problem(path, "an endpoint needs an address")
            elif address and not address.startswith("unix://") and not _is_ip(address):
                yield Problem(path, f"{address!r}: resolution STATIC wants IP addresses", "resolution: DNS")
        elif resolution in _BY_NAME and not _is_ip(address) and (not is_valid_host(address) or "*" in address):
            yield Problem(path, f"{address!r} is neither an IP address nor a name that DNS resolves")


@rule("endpoint_port_undeclared", Severity.ERROR, istio_code="IST0106")
def endpoint_ports(subject: Subject) -> Iterator[Problem]:
    """The keys of an endpoint's ports are names of the entry's ports."""
    declared = {port.name for port in subject.entry.ports}
    for index, endpoint in enumerate(subject.entry.endpoints):
        for name, number in endpoint.ports.items():
            if name not in declared:
                yield Problem(("spec", "endpoints", index, "ports", name), f"no port is called {name!r}")
            elif not 1 <= number <= 65535:
                yield Problem(("spec", "endpoints", index, "ports", name), f"{number} is no port number")


@rule("round_robin_endpoints", Severity.ERROR, istio_code="IST0106")
def round_robin(subject: Subject) -> Iterator[Problem]:
    """One endpoint at the most."""
    if subject.entry.resolution is Resolution.DNS_ROUND_ROBIN and len(subject.entry.endpoints) > 1:
        yield Problem(("spec", "endpoints"), "DNS_ROUND_ROBIN takes one endpoint at the most")


@rule("static_without_endpoints", Severity.DANGER)
def static_without_endpoints(subject: Subject) -> Iterator[Problem]:
    """Accepted; every call then ends with `UH`."""
    entry = subject.entry
    if entry.resolution is Resolution.STATIC and not entry.endpoints and entry.workload_selector is None:
        yield Problem(("spec", "resolution"), "STATIC without endpoints: calls fail with no healthy upstream")


@rule("resolution_missing", Severity.INFO)
def resolution_missing(subject: Subject) -> Iterator[Problem]:
    """What is left out is NONE, and NONE goes wherever the client points."""
    if "resolution" not in subject.spec:
        yield Problem(
            ("spec",), "resolution is left out, so it is NONE: the proxy connects to the address the client dialled"
        )


@rule("dynamic_dns_invalid", Severity.ERROR, istio_code="IST0106")
def dynamic_dns(subject: Subject) -> Iterator[Problem]:
    """DYNAMIC_DNS: 1.28+, wildcard hosts, neither addresses nor endpoints, few protocols by version."""
    entry = subject.entry
    if entry.resolution is not Resolution.DYNAMIC_DNS:
        return
    allowed = next(
        (protocols for since, protocols in sorted(_DYNAMIC.items(), reverse=True) if subject.version >= since), None
    )
    if allowed is None:
        yield Problem(("spec", "resolution"), "DYNAMIC_DNS exists since Istio 1.28")
        return
    if not all(host.startswith("*") for host in entry.hosts):
        yield Problem(("spec", "hosts"), "DYNAMIC_DNS takes wildcard hosts only")
    if entry.addresses or entry.endpoints:
        yield Problem(("spec",), "DYNAMIC_DNS takes neither addresses nor endpoints")
    if entry.location is Location.MESH_INTERNAL and subject.version < (1, 30):
        yield Problem(("spec", "location"), "DYNAMIC_DNS takes MESH_EXTERNAL only before 1.30")
    for index, port in enumerate(entry.ports):
        if port.protocol not in allowed:
            yield Problem(("spec", "ports", index, "protocol"), f"DYNAMIC_DNS takes {', '.join(sorted(allowed))} only")


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
