"""Names and addresses out of log fields: normalised where they are real, null where they are not."""

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple

from analyzer.classification.kinds import split_cluster

_PORT = re.compile(r":(\d{1,5})$")
_MESH_SNI = re.compile(r"outbound_\.")
INVALID_SNI = "invalid:"
"""How Envoy marks a server name that held a byte outside `[a-z0-9._-]` (measured with Envoy 1.40)."""


class Address(NamedTuple):
    """An IP address without brackets and a port; either may be unknown."""

    ip: str | None
    port: int | None


class Name(NamedTuple):
    """What a field names: a host, or an IP literal, or neither."""

    host: str | None
    literal: str | None = None
    port: int | None = None


_NOWHERE = Address(None, None)
_NOBODY = Name(None)


@lru_cache(maxsize=1 << 14)
def address_of(text: str) -> Address:
    """Read `ip:port` or `[ipv6]:port` (an older Envoy writes `tcp://ip:port`); anything else is unknown."""
    rest = text.removeprefix("tcp://")
    before, colon, port = rest.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        return _NOWHERE
    ip = _ip(before)
    return _NOWHERE if ip is None else Address(ip, int(port))


@lru_cache(maxsize=1 << 14)
def name_of_authority(text: str) -> Name:
    """A Host header: case, port and trailing dot taken off; an IP literal is no host."""
    match = _PORT.search(text)
    port = int(match[1]) if match else None
    bare = (text[: match.start()] if match else text).lower()
    literal = _ip(bare)
    if literal is None and match is not None and _ip(text) is not None:
        return Name(None, _ip(text))  # an IPv6 address without brackets ends like a port
    if literal is not None:
        return Name(None, literal, port)
    host = bare.removesuffix(".")
    return Name(host, None, port) if host else _NOBODY


@lru_cache(maxsize=1 << 14)
def name_of_sni(text: str) -> Name:
    """A server name: none where Envoy called it invalid, where it is an address, or where it is a mesh-internal one."""
    if text.startswith(INVALID_SNI) or _MESH_SNI.match(text):
        return _NOBODY
    literal = _ip(text)
    if literal is not None:
        return Name(None, literal)
    host = text.lower().removesuffix(".")
    return Name(host) if host else _NOBODY


@lru_cache(maxsize=1 << 14)
def name_of_cluster(text: str) -> Name:
    """The service that a cluster is for; a wildcard is no host, and newer inbound clusters name none."""
    parts = split_cluster(text)
    if (
        parts is None
        or parts.direction not in ("outbound", "inbound-vip", "inbound")
        or "*" in parts.host
        or not parts.host
    ):
        return _NOBODY
    return Name(parts.host.lower().removesuffix("."))


def _ip(text: str) -> str | None:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if not bare or not (bare[0].isdigit() or ":" in bare):
        return None
    try:
        return str(ipaddress.ip_address(bare.partition("%")[0]))
    except ValueError:
        return None
