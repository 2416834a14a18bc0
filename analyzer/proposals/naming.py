"""Object names from hosts: valid for Kubernetes, readable, and never the same for two different hosts.

`a.b-c` and `a-b.c` both read `a-b-c` once dots are hyphens, so a name from which the host cannot be read back
carries a short digest of it.
"""

import hashlib
import re

_LONGEST = 63
"""Names are allowed 253 characters, but labels that repeat them only 63."""
_DIGEST = 8
_ODD = re.compile(r"[^a-z0-9]+")


def object_name(host: str) -> str:
    """A DNS-1123 label for a host; the same host always gets the same name."""
    plain = host.removeprefix("*.")
    name = _ODD.sub("-", plain.lower()).strip("-")
    if host.startswith("*"):
        name = f"wildcard-{name}"
    ambiguous = "-" in plain or (not host.startswith("*") and name.startswith("wildcard-"))
    if ambiguous or len(name) > _LONGEST or not name:
        digest = hashlib.sha256(host.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
        name = f"{name[: _LONGEST - _DIGEST - 1].rstrip('-')}-{digest}".lstrip("-")
    return name
