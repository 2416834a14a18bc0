"""Rules on `resolution` and `workloadSelector` of a ServiceEntry, DYNAMIC_DNS among them."""

from collections.abc import Iterator
from functools import partial

from analyzer.validation.node import Problem
from analyzer.validation.rule import CRD, CRD_RULES, SCHEMA_ERROR, SCHEMA_WARNING, WEBHOOK, rule
from analyzer.validation.service_entry import BY_NAME, ports_of, resolution_of
from analyzer.validation.subject import Subject
from analyzer.versions import Version
from analyzer.vocabulary import Location, Resolution, Severity

_WEBHOOK = f"{WEBHOOK} ValidateServiceEntry"
_SINCE = {Resolution.DNS_ROUND_ROBIN: (1, 12), Resolution.DYNAMIC_DNS: (1, 28)}
_DYNAMIC: dict[Version, tuple[str, ...]] = {
    (1, 30): ("HTTP", "HTTP2", "GRPC", "TLS"),
    (1, 29): ("HTTP", "TLS"),
    (1, 28): ("HTTP",),
}
"""What DYNAMIC_DNS takes since which version, newest first; HTTPS never, though it is TLS by another name."""
_WAYPOINT = "istio.io/use-waypoint"
_MOST_LABELS = 256
_refused = partial(rule, severity=Severity.ERROR, kinds=("ServiceEntry",), istio_code=SCHEMA_ERROR)
_warned = partial(rule, severity=Severity.WARNING, kinds=("ServiceEntry",), istio_code=SCHEMA_WARNING)
_dynamic = partial(_refused, source=_WEBHOOK, since=(1, 28))


@_refused("resolution_not_served", source="istio/api networking/v1alpha3/service_entry.proto")
def resolution_not_served(subject: Subject) -> Iterator[Problem]:
    """DNS_ROUND_ROBIN exists since 1.12, DYNAMIC_DNS since 1.28."""
    resolution = resolution_of(subject)
    since = _SINCE.get(resolution) if resolution else None
    if since is not None and subject.version < since:
        yield subject.spec["resolution"].problem(
            f"{resolution} exists since Istio {since[0]}.{since[1]}", "resolution: DNS, or NONE for wildcards"
        )


@_refused("selector_and_endpoints", source=_WEBHOOK)
def selector_and_endpoints(subject: Subject) -> Iterator[Problem]:
    """Either workloadSelector or endpoints."""
    if subject.spec["workloadSelector"].is_set and subject.spec["endpoints"].items():
        yield subject.spec["workloadSelector"].problem(
            "workloadSelector and endpoints exclude each other", "keep the endpoints for what is outside the mesh"
        )


@rule(
    "selector_invalid",
    Severity.ERROR,
    kinds=("ServiceEntry", "Sidecar"),
    istio_code=SCHEMA_ERROR,
    source=f"{WEBHOOK} ValidateAlphaWorkloadSelector",
)
def selector_invalid(subject: Subject) -> Iterator[Problem]:
    """A selector has no empty key and no `*` in key or value."""
    for key, value in subject.spec["workloadSelector"]["labels"].pairs():
        if not key or "*" in key or "*" in value.text:
            yield value.problem(f"{key!r}: empty keys and `*` are not allowed in a selector", "app: checkout")


@rule(
    "selector_without_labels",
    Severity.WARNING,
    kinds=("ServiceEntry", "Sidecar"),
    istio_code=SCHEMA_WARNING,
    source=f"{WEBHOOK} ValidateAlphaWorkloadSelector",
)
def selector_without_labels(subject: Subject) -> Iterator[Problem]:
    """A selector without labels selects every workload of the namespace."""
    selector = subject.spec["workloadSelector"]
    if selector.is_set and not selector["labels"].pairs():
        yield selector.problem("a workloadSelector without labels selects the whole namespace", "labels: {app: NAME}")


@_refused("selector_labels_too_many", source=CRD, since=CRD_RULES)
def selector_labels_too_many(subject: Subject) -> Iterator[Problem]:
    """At most 256 labels in a selector."""
    labels = subject.spec["workloadSelector"]["labels"]
    if len(labels.pairs()) > _MOST_LABELS:
        yield labels.problem(f"{len(labels.pairs())} labels, {_MOST_LABELS} at the most")


@_warned("selector_with_resolution", source=_WEBHOOK)
def selector_with_resolution(subject: Subject) -> Iterator[Problem]:
    """A selector has a meaning with STATIC only."""
    resolution = resolution_of(subject)
    if subject.spec["workloadSelector"].is_set and resolution in (Resolution.NONE, *BY_NAME):
        yield subject.spec["workloadSelector"].problem(
            f"workloadSelector should not be set with resolution {resolution}", "resolution: STATIC"
        )


@_refused("endpoints_with_none", source=_WEBHOOK)
def endpoints_with_none(subject: Subject) -> Iterator[Problem]:
    """With NONE the proxy dials the client's own address, so endpoints have no meaning."""
    if resolution_of(subject) is Resolution.NONE and subject.spec["endpoints"].items():
        yield subject.spec["endpoints"].problem(
            "resolution NONE has no endpoints", "resolution: STATIC for addresses, DNS for names"
        )


@_refused("round_robin_endpoints", source=_WEBHOOK, since=(1, 12))
def round_robin_endpoints(subject: Subject) -> Iterator[Problem]:
    """DNS_ROUND_ROBIN takes one endpoint at the most."""
    if resolution_of(subject) is Resolution.DNS_ROUND_ROBIN and len(subject.spec["endpoints"].items()) > 1:
        yield subject.spec["endpoints"].problem("DNS_ROUND_ROBIN takes one endpoint at the most", "resolution: DNS")


@_dynamic("dynamic_dns_host")
def dynamic_dns_host(subject: Subject) -> Iterator[Problem]:
    """DYNAMIC_DNS takes wildcard hosts only."""
    for host in subject.spec["hosts"].texts():
        if resolution_of(subject) is Resolution.DYNAMIC_DNS and not host.text.startswith("*"):
            yield host.problem(f"{host.text!r}: DYNAMIC_DNS takes wildcard hosts only", "resolution: DNS")


@_dynamic("dynamic_dns_addresses")
def dynamic_dns_addresses(subject: Subject) -> Iterator[Problem]:
    """DYNAMIC_DNS takes no addresses."""
    if resolution_of(subject) is Resolution.DYNAMIC_DNS and subject.spec["addresses"].items():
        yield subject.spec["addresses"].problem("DYNAMIC_DNS takes no addresses", "leave addresses out")


@_dynamic("dynamic_dns_endpoints")
def dynamic_dns_endpoints(subject: Subject) -> Iterator[Problem]:
    """DYNAMIC_DNS takes no endpoints."""
    if resolution_of(subject) is Resolution.DYNAMIC_DNS and subject.spec["endpoints"].items():
        yield subject.spec["endpoints"].problem("DYNAMIC_DNS takes no endpoints", "leave endpoints out")


@_dynamic("dynamic_dns_protocol")
def dynamic_dns_protocol(subject: Subject) -> Iterator[Problem]:
    """DYNAMIC_DNS takes HTTP since 1.28, TLS since 1.29, HTTP2 and GRPC since 1.30; HTTPS never."""
    if resolution_of(subject) is not Resolution.DYNAMIC_DNS:
        return
    allowed = next(words for since, words in _DYNAMIC.items() if subject.version >= since)
    for port in ports_of(subject):
        if port.protocol.upper() not in allowed:
            protocol = port.protocol or "no protocol"
            hint = "protocol: TLS" if port.protocol.upper() == "HTTPS" and "TLS" in allowed else ", ".join(allowed)
            yield port.node["protocol"].problem(f"DYNAMIC_DNS does not take {protocol} on {port.called}", hint)


@_dynamic("dynamic_dns_location")
def dynamic_dns_location(subject: Subject) -> Iterator[Problem]:
    """DYNAMIC_DNS takes MESH_EXTERNAL only before 1.30, and since then MESH_INTERNAL only without a waypoint."""
    location = subject.spec["location"]
    if resolution_of(subject) is not Resolution.DYNAMIC_DNS or location.text != Location.MESH_INTERNAL:
        return
    if subject.version < (1, 30):
        yield location.problem("DYNAMIC_DNS takes MESH_EXTERNAL only before Istio 1.30", "location: MESH_EXTERNAL")
    elif subject.metadata["labels"][_WAYPOINT].text not in ("", "none"):
        yield location.problem("DYNAMIC_DNS with MESH_INTERNAL cannot use a waypoint", "location: MESH_EXTERNAL")
