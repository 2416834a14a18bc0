"""Rules on `addresses` of a ServiceEntry."""

from collections.abc import Iterator
from functools import partial

from analyzer.validation.names import is_address_or_cidr
from analyzer.validation.node import Problem
from analyzer.validation.rule import CRD, CRD_RULES, SCHEMA_ERROR, WEBHOOK, rule
from analyzer.validation.service_entry import resolution_of
from analyzer.validation.subject import Subject
from analyzer.vocabulary import Resolution, Severity

_WEBHOOK = f"{WEBHOOK} ValidateServiceEntry"
_MOST_ADDRESSES = 256
_LONGEST_ADDRESS = 64
_refused = partial(rule, severity=Severity.ERROR, kinds=("ServiceEntry",), istio_code=SCHEMA_ERROR)


@_refused("address_invalid", source="istio/istio pkg/config/validation/agent/validation.go ValidateIPSubnet")
def address_invalid(subject: Subject) -> Iterator[Problem]:
    """An IP address or a CIDR; its host bits may be set."""
    for address in subject.spec["addresses"].texts():
        if not is_address_or_cidr(address.text):
            yield address.problem(f"{address.text!r} is neither an IP address nor a CIDR", "203.0.113.10")


@_refused("address_cidr_with_dns", source=_WEBHOOK)
def address_cidr_with_dns(subject: Subject) -> Iterator[Problem]:
    """CIDRs only with NONE or STATIC; `/32` and `/128` count as CIDR too."""
    resolution = resolution_of(subject)
    if resolution in (Resolution.NONE, Resolution.STATIC, None):
        return
    for address in subject.spec["addresses"].texts():
        if "/" in address.text:
            hint = address.text.partition("/")[0] if address.text.endswith(("/32", "/128")) else "resolution: NONE"
            yield address.problem(f"{address.text!r}: a CIDR needs resolution NONE or STATIC", hint)


@_refused("address_too_long", source=CRD, since=CRD_RULES)
def address_too_long(subject: Subject) -> Iterator[Problem]:
    """At most 64 characters."""
    for address in subject.spec["addresses"].texts():
        if len(address.text) > _LONGEST_ADDRESS:
            yield address.problem(f"{len(address.text)} characters, {_LONGEST_ADDRESS} at the most")


@_refused("addresses_too_many", source=CRD, since=CRD_RULES)
def addresses_too_many(subject: Subject) -> Iterator[Problem]:
    """At most 256 addresses."""
    count = len(subject.spec["addresses"].items())
    if count > _MOST_ADDRESSES:
        yield subject.spec["addresses"].problem(f"{count} addresses, {_MOST_ADDRESSES} at the most", "use a CIDR")
