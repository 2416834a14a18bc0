"""Names and addresses out of log fields: normalised where they are real, null where they are not."""

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple

from analyzer.classification.kinds import split_cluster

_PORT = re.compile(r":([0-9]{0,5})$")
_HIGHEST_PORT = 65535
_NUMBER = re.compile(r"0x[0-9a-f]{0,16}|0[0-7]{0,20}|[1-9][0-9]{0,14}")
_DECIMAL = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_PLAIN_IPV4 = re.compile(rf"(?:{_DECIMAL}\.){{3}}{_DECIMAL}")
_SMUGGLED = re.compile(r"[@,:/\\\s<>\"'()\[\]{}|;%=\x00-\x20\x7f-\U0010ffff]")
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
    if not colon or len(port) > 5 or not port.isascii() or not port.isdigit() or int(port) > _HIGHEST_PORT:
        return _NOWHERE
    ip = _ip(before)
    return _NOWHERE if ip is None else Address(ip, int(port))


@lru_cache(maxsize=1 << 14)
def name_of_authority(text: str) -> Name:
    """A Host header: case, port and trailing dot taken off; an IP literal, however it is written, is no host.

    What stands behind a colon and is no port stays: no honest client sends it.
    """
    match = _PORT.search(text)
    if match is not None and int(match[1] or 0) > _HIGHEST_PORT:
        match = None
    port = int(match[1]) if match and match[1] else None
    host = (text[: match.start()] if match else text).lower().removesuffix(".")
    literal = _ip(host) or _ip_of_another_notation(host)
    if literal is None and match is not None and _ip(text) is not None:
        return Name(None, _ip(text))  # an IPv6 address without brackets ends like a port
    if literal is not None:
        return Name(None, literal, port)
    return Name(host, None, port) if host else _NOBODY


def is_smuggled(host: str) -> bool:
    """Whether a name holds what no host name has: userinfo, commas (two Host headers are joined), blanks and the like.

    Underscores are merely unusual.
    """
    return _SMUGGLED.search(host) is not None


def is_disguised_address(text: str) -> bool:
    """Whether a Host header is an address in a notation that few take for one: `3232235777`, `0x7f.1`, `127.1`."""
    name = name_of_authority(text)
    if name.literal is None or ":" in name.literal:
        return False
    return not text.lower().startswith((name.literal, "["))


@lru_cache(maxsize=1 << 14)
def name_of_sni(text: str) -> Name:
    """A server name: none where Envoy called it invalid, where it is an address, or where it is a mesh-internal one."""
    if text.startswith(INVALID_SNI) or _MESH_SNI.match(text):
        return _NOBODY
    host = text.lower().removesuffix(".")
    literal = _ip(host) or _ip_of_another_notation(host)
    if literal is not None:
        return Name(None, literal)
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
    """An address in its plain notation, without brackets and zone; an IPv4 address in IPv6 clothes as IPv4."""
    if _PLAIN_IPV4.fullmatch(text):
        return text  # a twentieth of what `ipaddress` takes to say the same
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if not bare or not (bare[0].isdigit() or ":" in bare):
        return None
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _ip_of_another_notation(text: str) -> str | None:
    """What resolvers take for an IPv4 address beside four decimals: one to four numbers, each decimal, octal or
    hexadecimal, the last one filling what is left (POSIX inet_addr; the URL standard's IPv4 parser)."""
    parts = text.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    numbers = [_number(part) for part in parts]
    *first, last = numbers
    if any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        return None
    value = sum(number << 8 * (3 - place) for place, number in enumerate(first)) + last
    return str(ipaddress.IPv4Address(value))


def _number(text: str) -> int:
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    return int(text, 8) if len(text) > 1 and text[0] == "0" else int(text)
