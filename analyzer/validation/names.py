"""What Istio's webhook takes as a name, an address or a label, to the letter.

Sources: istio/istio pkg/config/validation/agent/validation.go (ValidateWildcardDomain, ValidateFQDN,
ValidatePartialWildCard, ValidateIPSubnet), pkg/config/labels/instance.go. What `analyzer.mesh.names` asks of a
name before it is proposed is stricter: the webhook also takes upper case, and numbers where no dot follows.
"""

import ipaddress
import re

_LABEL = re.compile(r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")
_WILDCARD_LABEL = re.compile(r"\*|(?:\*|\*-)?[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")
_LABEL_NAME = re.compile(r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_BITS = re.compile(r"0|[1-9][0-9]*")
_LONGEST_LABEL = 63
_LONGEST_NAME = 255
_LARGEST_NUMBER = (1 << 63) - 1
"""Go's Atoi fails above that, so a longer row of digits is no number to Istio."""


def is_label(text: str) -> bool:
    """A DNS label as Istio knows it: letters of either case, digits, inner hyphens, 63 at the most."""
    return len(text) <= _LONGEST_LABEL and _LABEL.fullmatch(text) is not None


def why_no_wildcard_domain(text: str) -> str | None:
    """What speaks against a name that may begin with a wildcard label; null where Istio takes it."""
    length = _length_problem(text)
    if length is not None:
        return length
    first, dot, rest = text.partition(".")
    if len(first) > _LONGEST_LABEL or not _WILDCARD_LABEL.fullmatch(first):
        return _label_problem(first)
    return _labels_problem(rest) if dot else None


def why_no_fqdn(text: str) -> str | None:
    """What speaks against a name that DNS can resolve; null where Istio takes it."""
    return _length_problem(text) or _labels_problem(text)


def is_partial_wildcard(text: str) -> bool:
    """A `*` that is not `*` alone nor a leading `*.`."""
    return "*" in text and len(text) != 1 and not text.startswith("*.")


def is_address(text: str) -> bool:
    """An IP address, as Go's netip.ParseAddr reads it."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_address_or_cidr(text: str) -> bool:
    """An IP address or a CIDR, host bits allowed, no netmask in dots, no zone in a CIDR."""
    address, slash, bits = text.partition("/")
    if not slash:
        return is_address(text)
    if "%" in address or not is_address(address) or not _BITS.fullmatch(bits):
        return False
    return int(bits) <= ipaddress.ip_address(address).max_prefixlen


def why_no_unix_address(text: str) -> str | None:
    """What speaks against the part after `unix://`; null where Istio takes it."""
    if not text:
        return "the path is empty"
    if text.startswith("@"):
        return None
    return None if text.startswith("/") and not text.endswith("/") else f"{text!r} is no absolute path to a file"


def why_no_label(key: str, value: str) -> str | None:
    """What speaks against a Kubernetes label; null where it is taken."""
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > 253 or not all(is_label(part) for part in prefix.split("."))):
        return f"{key!r}: what stands before the / is no DNS name"
    if len(name) > _LONGEST_LABEL or not _LABEL_NAME.fullmatch(name):
        return f"{key!r} is no label name (letters, digits, - _ and ., 63 at the most)"
    if value and not _LABEL_NAME.fullmatch(value):
        return f"{value!r} is no label value (letters, digits, - _ and ., beginning and ending with letter or digit)"
    return None


def _length_problem(text: str) -> str | None:
    return None if 1 <= len(text) <= _LONGEST_NAME else "must be 1 to 255 characters long"


def _labels_problem(text: str) -> str | None:
    labels = text.split(".")
    if _is_number(labels[-1]):
        return f"the last label {labels[-1]!r} is a number; an IP address is no host"
    if labels[-1] == "":
        labels.pop()  # a closing dot is allowed
    wrong = next((label for label in labels if not is_label(label)), None)
    return None if wrong is None else _label_problem(wrong)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) <= _LARGEST_NUMBER


def _label_problem(label: str) -> str:
    for sign, what in (
        ("_", "an underscore is not allowed"),
        ("/", "a scheme, path or namespace does not belong here"),
        (":", "a scheme or port does not belong here"),
    ):
        if sign in label:
            return f"{label!r}: {what}"
    if not label:
        return "two dots in a row, or a dot at the beginning"
    return f"{label!r} is no DNS label (letters, digits and inner hyphens, 63 at the most)"
