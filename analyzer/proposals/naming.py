"""Object names from hosts: valid for Kubernetes, readable, and never the same for two different hosts.

`a.b-c` and `a-b.c` would both read `a-b-c` if only dots became hyphens, so a hyphen becomes two. No label of a
valid host begins or ends with a hyphen; so one hyphen is always a dot, an even run is hyphens, and the run of
three before a digest belongs to no host.
"""

import hashlib
import ipaddress
import re

_LONGEST = 63
"""Names are allowed 253 characters, but labels that repeat them only 63."""
_DIGEST = 10
_ODD = re.compile(r"[^a-z0-9-]+")


def object_name(host: str) -> str:
    """A DNS-1123 label for a valid host or a `*.` pattern; the same host always gets the same name."""
    is_wildcard = host.startswith("*.")
    slug = _ODD.sub("-", host.removeprefix("*.").lower().replace("-", "--")).strip("-")
    name = f"wildcard-{slug}" if is_wildcard else slug
    taken = slug.startswith("wildcard-") and not is_wildcard
    return with_digest(name, host) if taken or not name or len(name) > _LONGEST else name


def with_digest(name: str, of: str) -> str:
    """A name cut to length, with a digest of what it stands for."""
    digest = hashlib.sha256(of.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    kept = name[: _LONGEST - _DIGEST - 3].strip("-") or "host"
    return f"{kept}---{digest}"


def address_name(address: str, port: int) -> str:
    """A DNS-1123 label for one port of one address, `tcp-203-0-113-10-5432`; no valid host reads like that."""
    label = ipaddress.ip_address(address).exploded.replace(".", "-").replace(":", "-")
    return f"tcp-{label}-{port}"
