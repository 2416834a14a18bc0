"""Rules on `ports` and `addresses` (istio/istio pkg/config/validation/validation.go; CRD rules since 1.24)."""

from collections import Counter
from collections.abc import Iterator

from analyzer.mesh.names import is_dns1123_label, network_of
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.validation.rule import Problem, Subject, rule
from analyzer.vocabulary import Resolution, Severity


@rule("port_name_invalid", Severity.ERROR, istio_code="IST0106")
def name_invalid(subject: Subject) -> Iterator[Problem]:
    """A DNS-1123 label, never empty."""
    for index, port in enumerate(subject.entry.ports):
        if not is_dns1123_label(port.name):
            yield Problem(
                ("spec", "ports", index, "name"), f"{port.name!r} is no port name", f"name: tcp-{port.number}"
            )


@rule("port_name_duplicate", Severity.ERROR, istio_code="IST0106")
def name_duplicate(subject: Subject) -> Iterator[Problem]:
    """Names tell ports apart."""
    counts = Counter(port.name for port in subject.entry.ports)
    for index, port in enumerate(subject.entry.ports):
        if counts[port.name] > 1:
            yield Problem(
                ("spec", "ports", index, "name"), f"port name {port.name!r} is used {counts[port.name]} times"
            )


@rule("port_number_duplicate", Severity.ERROR, istio_code="IST0106")
def number_duplicate(subject: Subject) -> Iterator[Problem]:
    """A number has one protocol."""
    counts = Counter(port.number for port in subject.entry.ports)
    for index, port in enumerate(subject.entry.ports):
        if counts[port.number] > 1:
            yield Problem(
                ("spec", "ports", index, "number"), f"port {port.number} is declared {counts[port.number]} times"
            )


@rule("port_number_invalid", Severity.ERROR, istio_code="IST0106")
def number_invalid(subject: Subject) -> Iterator[Problem]:
    """1 to 65535, the target port too."""
    for index, port in enumerate(subject.entry.ports):
        for key, number in (("number", port.number), ("targetPort", port.target_port)):
            if number is not None and not 1 <= number <= 65535:
                yield Problem(("spec", "ports", index, key), f"{number} is no port number")


@rule("port_protocol_unknown", Severity.ERROR, istio_code="IST0106")
def protocol_unknown(subject: Subject) -> Iterator[Problem]:
    """Exactly the protocols of pkg/config/protocol/instance.go."""
    for index, port in enumerate(subject.entry.ports):
        if port_class(port.protocol) is None:
            yield Problem(
                ("spec", "ports", index, "protocol"), f"Istio knows no protocol {port.protocol!r}", "HTTP, TLS or TCP"
            )


@rule("ports_missing", Severity.DANGER)
def ports_missing(subject: Subject) -> Iterator[Problem]:
    """Accepted, and does nothing at all."""
    if not subject.entry.ports:
        yield Problem(
            ("spec",), "an entry without ports registers nothing", "ports: [{number: 443, name: tls, protocol: TLS}]"
        )


@rule("address_invalid", Severity.ERROR, istio_code="IST0106")
def address_invalid(subject: Subject) -> Iterator[Problem]:
    """An IP address or a CIDR."""
    for path, address in subject.places("addresses"):
        if network_of(str(address)) is None:
            yield Problem(path, f"{address!r} is neither an IP address nor a CIDR")


@rule("address_cidr_with_dns", Severity.ERROR, istio_code="IST0106")
def cidr_with_dns(subject: Subject) -> Iterator[Problem]:
    """CIDRs only with NONE or STATIC."""
    if subject.entry.resolution in (Resolution.NONE, Resolution.STATIC):
        return
    for path, address in subject.places("addresses"):
        if "/" in str(address):
            yield Problem(path, f"{address!r}: a CIDR needs resolution NONE or STATIC")


@rule("addresses_required_for_tcp", Severity.WARNING, istio_code="IST0134")
def addresses_required(subject: Subject) -> Iterator[Problem]:
    """`istioctl analyze` looks at addresses alone; see also tcp_open_to_any_address."""
    if subject.entry.addresses or subject.entry.auto_addresses:
        return
    for index, port in enumerate(subject.entry.ports):
        if port.protocol in ("", "TCP"):
            yield Problem(
                ("spec", "ports", index),
                f"port {port.number}: TCP (or no protocol) without addresses cannot be told from its neighbours",
                "addresses: [203.0.113.10]",
            )


@rule("protocol_missing", Severity.DANGER)
def protocol_missing(subject: Subject) -> Iterator[Problem]:
    """Sniffing hangs server-first protocols and opens the port to everything that is not HTTP."""
    for index, port in enumerate(subject.entry.ports):
        if port_class(port.protocol) is PortClass.AUTO:
            yield Problem(("spec", "ports", index), f"port {port.number} has no protocol", "protocol: TLS, HTTP or TCP")
