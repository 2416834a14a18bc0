"""The listeners of one port as istiod would build them for a namespace's proxies.

Sources: istio/istio pilot/pkg/networking/core/listener.go (buildSidecarOutboundListener: binding, merging,
conflicts), core/tls.go (SNI conditions), core/httproute.go (virtual hosts).
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from analyzer.mesh.model import Port
from analyzer.mesh.names import network_of
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.simulation.services import Clusters, Service
from analyzer.simulation.versions import Version

_ALONE = {"MONGO", "MYSQL"}
_RESERVED_PORTS = frozenset((15001, 15006, 15021, 15090))
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Target:
    """What a chain or a virtual host leads to: a service and one of its ports."""

    service: Service
    port: Port
    missing: str | None = None


@dataclass
class ChainGroup:
    """The chains of one destination prefix: SNI conditions, and what takes the rest."""

    by_sni: dict[str, Target] = field(default_factory=dict)
    rest: Target | None = None


@dataclass
class Listener:
    """One `bind:port`. `groups` holds chains by destination prefix, null standing for any destination."""

    address: str | None
    port: int
    has_http: bool = False
    any_host: Target | None = None
    groups: dict[IPNetwork | None, ChainGroup] = field(default_factory=dict)
    first_protocol: str = ""
    ignored: list[Target] = field(default_factory=list)

    @property
    def reads_sni(self) -> bool:
        """Whether some chain asks for a server name, so that Istio adds a TLS inspector."""
        return any(group.by_sni for group in self.groups.values())

    def group_for(self, address: str | None) -> ChainGroup:
        """Only the longest matching prefix counts; there is no way back from it."""
        best: IPNetwork | None = None
        if address is not None and len(self.groups) > (None in self.groups):
            ip = ipaddress.ip_address(address)
            prefixes = [prefix for prefix in self.groups if prefix is not None and ip in prefix]
            best = max(prefixes, key=lambda prefix: prefix.prefixlen, default=None)
        return self.groups.get(best, _NO_CHAINS)


_NO_CHAINS = ChainGroup()


@dataclass
class PortView:
    """Everything that proxies of a namespace have on one port."""

    wildcard: Listener | None = None
    by_address: dict[str, Listener] = field(default_factory=dict)
    hosts: dict[str, Target] = field(default_factory=dict)
    suffixes: dict[str, Target] = field(default_factory=dict)

    def virtual_host(self, host: str) -> Target | None:
        """Envoy's order: the exact name, then the longest wildcard suffix; a wildcard never matches its apex."""
        if host in self.hosts:
            return self.hosts[host]
        return longest_suffix(host, self.suffixes)


def longest_suffix(host: str, suffixes: dict[str, Target]) -> Target | None:
    """The target of the longest `.suffix` that a name ends in."""
    start = host.find(".")
    while start >= 0:
        if start > 0 and host[start:] in suffixes:
            return suffixes[host[start:]]
        start = host.find(".", start + 1)
    return None


def build_port(number: int, services: Iterable[Service], clusters: Clusters, version: Version) -> PortView:
    """Put the services that have a port on its listeners, in order; a conflict silences the later one."""
    view = PortView()
    for service in services:
        for port in service.entry.ports:
            if port.number == number:
                _add(view, Target(service, port, clusters.why_missing(service, port)), version)
    return view


def _add(view: PortView, target: Target, version: Version) -> None:
    kind = port_class(target.port.protocol)
    if kind is None or kind is PortClass.UDP:
        return
    if kind is PortClass.HTTP:
        if target.port.number in _RESERVED_PORTS:
            return
        listener = _wildcard(view, target)
        if _is_alone(listener, target):
            listener.ignored.append(target)
            return
        listener.has_http = True
        _add_virtual_host(view, target, version)
        return
    service = target.service
    if service.plain_address is not None:
        _add_bound(view, target, kind)
        return
    listener = _wildcard(view, target)
    if _is_alone(listener, target):
        listener.ignored.append(target)
        return
    had_http = listener.has_http
    if kind is PortClass.AUTO:
        listener.has_http = True
        _add_virtual_host(view, target, version)
        if had_http and version < (1, 32):
            return  # the later one adds no chain: only its HTTP virtual host works
    prefix = network_of(service.address) if service.address else None
    group = listener.groups.setdefault(prefix, ChainGroup())
    if kind is PortClass.TLS:
        group.by_sni.setdefault(_sni(service.host), target)
    elif group.rest is None:
        group.rest = target
    else:
        listener.ignored.append(target)


def _add_bound(view: PortView, target: Target, kind: PortClass) -> None:
    """A plain address gets a listener of its own, without any condition on the name."""
    address = target.service.plain_address or ""
    listener = view.by_address.setdefault(address, Listener(address, target.port.number))
    group = listener.groups.setdefault(None, ChainGroup())
    if group.rest is None:
        group.rest = target
        if kind is PortClass.AUTO:
            listener.has_http, listener.any_host = True, target
    else:
        listener.ignored.append(target)


def _wildcard(view: PortView, target: Target) -> Listener:
    if view.wildcard is None:
        view.wildcard = Listener(None, target.port.number, first_protocol=target.port.protocol)
    return view.wildcard


def _is_alone(listener: Listener, target: Target) -> bool:
    """MONGO and MYSQL share a listener with nobody of another protocol."""
    first, own = listener.first_protocol, target.port.protocol
    return first != own and (first in _ALONE or own in _ALONE)


def _add_virtual_host(view: PortView, target: Target, version: Version) -> None:
    host = target.service.host
    lowered = host.lower() if version >= (1, 27) else host
    if lowered.startswith("*"):
        view.suffixes.setdefault(lowered[1:].lower(), target)
    else:
        view.hosts.setdefault(lowered.lower(), target)
        if version >= (1, 27) and not lowered.endswith("."):
            view.hosts.setdefault(f"{lowered.lower()}.", target)
    address = target.service.plain_address
    if address is not None:
        view.hosts[address] = target  # of several addresses the last one stays


@lru_cache(maxsize=1 << 14)
def _sni(host: str) -> str:
    return host[1:].lower() if host.startswith("*") else host.lower()
