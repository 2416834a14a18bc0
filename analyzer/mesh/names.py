"""What Istio and Kubernetes accept as a name.

Sources: istio/istio pkg/config/validation/agent/validation.go (ValidateWildcardDomain, ValidatePort),
pkg/config/labels/instance.go (IsDNS1123Label).
"""

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache

_FIRST_LABEL = re.compile(r"(\*|(\*|\*-)?[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)")
_LABEL = re.compile(r"[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?")
_DNS1123_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LONGEST_LABEL = 63
LONGEST_NAME = 253


@lru_cache(maxsize=1 << 16)
def why_invalid_host(host: str) -> str | None:
    """What Istio holds against a name in `ServiceEntry.hosts`, or null where it takes it."""
    if host == "*":
        return "a lone `*` is not allowed"
    if not 1 <= len(host) <= 255:
        return "must be 1 to 255 characters long"
    labels = host.split(".")
    if labels[-1] == "" and len(labels) > 1:
        labels.pop()
    if labels[-1].isascii() and labels[-1].isdigit():
        return "the last label must not be a number; an IP address is no host"
    first, *others = labels
    if len(first) > LONGEST_LABEL or not _FIRST_LABEL.fullmatch(first):
        return f"{first!r} is not a DNS label (letters, digits and inner hyphens, 63 at the most)"
    for label in others:
        if len(label) > LONGEST_LABEL or not _LABEL.fullmatch(label):
            return f"{label!r} is not a DNS label (letters, digits and inner hyphens, 63 at the most)"
    return None


def is_valid_host(host: str) -> bool:
    """Whether Istio takes a name in `ServiceEntry.hosts`."""
    return why_invalid_host(host) is None


def is_dns1123_label(name: str) -> bool:
    """Whether Kubernetes takes a name where it wants a label: lower case, digits, inner hyphens, 63 at the most."""
    return len(name) <= LONGEST_LABEL and _DNS1123_LABEL.fullmatch(name) is not None


def is_dns1123_subdomain(name: str) -> bool:
    """Whether Kubernetes takes a name where it wants a subdomain: labels with dots between, 253 at the most."""
    return len(name) <= LONGEST_NAME and all(_DNS1123_LABEL.fullmatch(label) for label in name.split("."))


@lru_cache(maxsize=1 << 16)
def network_of(address: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """An entry of `ServiceEntry.addresses` as a network, host bits ignored; null where it is neither IP nor CIDR."""
    try:
        return ipaddress.ip_network(address, strict=False)
    except ValueError:
        return None


def covers(pattern: str, host: str) -> bool:
    """Whether a host pattern of Istio's matches a name: exact, or `*.` followed by any depth but not the apex."""
    pattern, host = pattern.lower(), host.lower()
    if pattern.startswith("*"):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return pattern == host


def best_cover(patterns: Iterable[str], host: str | None) -> str | None:
    """Of the patterns that a name falls under the exact one, else the longest wildcard."""
    matching = [] if host is None else [pattern for pattern in patterns if covers(pattern.rstrip("."), host)]
    return max(matching, key=lambda pattern: (not pattern.startswith("*"), len(pattern)), default=None)
