"""What a person may type to name a destination, and the destinations that it names."""

import difflib
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.errors import UsageError
from analyzer.evidence import Judged
from analyzer.mesh.model import Mesh, ServiceEntry
from analyzer.mesh.names import covers, network_of
from analyzer.settings import plain_address

_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PORT = re.compile(r":(\d{1,5})$")
_NEAR = 3
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Wanted:
    """A name or `*.` pattern, or a network (a lone address is one of its own), and a port if one was given."""

    text: str
    host: str | None = None
    network: IPNetwork | None = None
    port: int | None = None

    def names(self, judged: Judged) -> bool:
        """Whether a destination is called so."""
        key = judged.key
        if self.port is not None and key.destination_port != self.port:
            return False
        if self.host is not None:
            return key.host is not None and covers(self.host, key.host)
        return key.host is None and self._holds(key.destination_ip)

    def was_dialled(self, judged: Judged) -> bool:
        """Whether a named destination was dialled at the address."""
        if self.network is None or (self.port is not None and judged.key.destination_port != self.port):
            return False
        return any(self._holds(address) for address in judged.destination.addresses)

    def is_entry_for(self, entry: ServiceEntry) -> bool:
        """Whether an entry of the mesh is for what was asked for."""
        if self.host is not None:
            return any(covers(host, self.host) or covers(self.host, host) for host in entry.hosts)
        networks = [network_of(address) for address in entry.addresses]
        return any(self._overlaps(network) for network in networks if network is not None)

    def _holds(self, address: str | None) -> bool:
        ip = None if address is None else plain_address(address)
        return ip is not None and self.network is not None and ip in self.network

    def _overlaps(self, network: IPNetwork) -> bool:
        return self.network is not None and self.network.version == network.version and self.network.overlaps(network)


def wanted(text: str) -> Wanted:
    """Read what was typed: `host`, `*.host`, an address or CIDR, each with `:port` or not; a URL is cut to its host.

    Raises `UsageError` where nothing is left of it.
    """
    bare = _SCHEME.sub("", text.strip())
    network = network_of(bare)
    if network is None and not _is_network(bare):
        bare = bare.partition("/")[0]
    place, port = _without_port(bare)
    network = network_of(place.strip("[]"))
    if network is not None:
        mapped = plain_address(str(network.network_address)) if network.num_addresses == 1 else None
        return Wanted(text, network=network if mapped is None else ipaddress.ip_network(mapped), port=port)
    host = place.lower().rstrip(".")
    if not host:
        raise UsageError(
            f"{text!r} names no destination",
            hint="a host (api.example.com), *.example.com, an address or a CIDR, with :port if you like",
        )
    return Wanted(text, host=host, port=port)


def found(judged: Sequence[Judged], mesh: Mesh, what: str) -> list[Judged]:
    """The destinations that were named, else those that were dialled at the address.

    Raises `UsageError` where the log shows none, with what comes near.
    """
    asked = wanted(what)
    named = [item for item in judged if asked.names(item)] or [item for item in judged if asked.was_dialled(item)]
    if not named:
        raise UsageError(f"the log shows no destination {what}{_in_mesh(asked, mesh)}", hint=_near(asked, judged))
    return named


def _in_mesh(asked: Wanted, mesh: Mesh) -> str:
    entry = next((entry for entry in mesh.service_entries if asked.is_entry_for(entry)), None)
    if entry is None:
        return ""
    place = f" ({entry.origin.file}:{entry.origin.line})" if entry.origin else ""
    return f"; ServiceEntry {entry.reference}{place} is for it"


def _near(asked: Wanted, judged: Sequence[Judged]) -> str:
    if asked.host is not None:
        other = sorted({i.key.destination_port for i in judged if i.key.host == asked.host and i.key.destination_port})
        if asked.port is not None and other:
            return f"the log shows {asked.host} on port {', '.join(str(port) for port in other[:_NEAR])}"
        hosts = sorted({item.key.host for item in judged if item.key.host})
        bare = asked.host.removeprefix("*.")
        near = [host for host in hosts if bare in host] or difflib.get_close_matches(bare, hosts, _NEAR, 0.7)
        if near:
            return f"did you mean {', '.join(near[:_NEAR])}?"
    return "`egress-audit destinations --lake DIR` lists them"


def _without_port(text: str) -> tuple[str, int | None]:
    """A bare IPv6 address has colons and no port; one with a port stands in brackets."""
    match = _PORT.search(text)
    if match is None or (text.count(":") > 1 and "]" not in text):
        return text, None
    return text[: match.start()], int(match[1])


def _is_network(text: str) -> bool:
    """Whether it is a CIDR with a port behind, which nobody should type and somebody will."""
    return network_of(_without_port(text)[0].strip("[]")) is not None
