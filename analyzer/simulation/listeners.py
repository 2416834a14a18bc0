"""Envoy's side of a port: listeners, their chains, and how a chain is picked.

Sources: envoyproxy/envoy source/common/listener_manager/filter_chain_manager_impl.cc (prefix, then server name, no way
back), api/envoy/config/listener/v3/listener_components.proto.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import NamedTuple, TypeVar

from analyzer.mesh.model import Port
from analyzer.mesh.names import network_of
from analyzer.mesh.routing import RouteDestination
from analyzer.simulation.services import Service
from analyzer.vocabulary import Resolution

Found = TypeVar("Found")
_Prefix = tuple[int, int, int]
"""A network: bits of an address, length, the leading bits as a number; these compare faster than `ipaddress`'s."""


class Leads(NamedTuple):
    """Where a VirtualService leads: destinations as they are written in a namespace, from a port, by HTTP or not."""

    destinations: tuple[RouteDestination, ...]
    namespace: str
    port: int
    http: bool = False


@dataclass(frozen=True, eq=False)
class Target:
    """What a chain or a virtual host leads to; which clusters that is, is a matter of the scope that asks.

    `service` is the one that it stands for; `leads` is null where the traffic goes to that one itself. `by` is the
    `<namespace>/<name>` of the object that decides, `rerouted` whether it leads elsewhere. `http` tells a virtual host.
    """

    service: Service
    port: Port
    by: str
    leads: Leads | None = None
    rerouted: bool = False
    http: bool = False


def own_target(service: Service, port: Port, *, http: bool = False) -> Target:
    """What a service's own route or chain leads to."""
    return Target(service, port, service.source.reference, http=http)


@dataclass(frozen=True)
class Chain:
    """One filter chain that takes raw bytes: its conditions, and where it leads."""

    target: Target
    server_names: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()


@dataclass(slots=True)
class ChainGroup:
    """The chains of one destination prefix: by exact server name, by wildcard suffix, and what takes the rest."""

    exact: dict[str, Target] = field(default_factory=dict)
    suffixes: dict[str, Target] = field(default_factory=dict)
    rest: Target | None = None

    @property
    def asks_names(self) -> bool:
        """Whether some chain asks for a server name."""
        return bool(self.exact or self.suffixes)

    @property
    def by_name(self) -> Iterator[Target]:
        """What server names lead to."""
        return chain(self.exact.values(), self.suffixes.values())

    def named(self, server_name: str) -> Target | None:
        """The chain of a server name: exact, else the longest suffix; a wildcard never matches its apex."""
        return self.exact.get(server_name) or longest_suffix(server_name, self.suffixes)

    def over(self, below: "ChainGroup | None") -> "ChainGroup | None":
        """These chains with others beneath them; null where two have a condition in common."""
        if below is None:
            return self
        names_differ = self.exact.keys().isdisjoint(below.exact) and self.suffixes.keys().isdisjoint(below.suffixes)
        if not names_differ or (self.rest is not None and below.rest is not None):
            return None
        return ChainGroup(below.exact | self.exact, below.suffixes | self.suffixes, self.rest or below.rest)


_NO_CHAINS = ChainGroup()
_ANYWHERE = "0.0.0.0/"
"""What a prefix begins with that Istio leaves out of a chain's conditions, whatever its length."""


@dataclass(slots=True)
class Listener:
    """One `bind:port`; `address` is null for 0.0.0.0.

    `http` says whether plain HTTP is routed by Host, `http_since_proposed` that only proposals make it so; `late`
    that a service came after `first` that would have given it another chain.
    `any_host` is what an own listener's private route leads every Host to; `default` the chain without conditions,
    which Envoy falls back to from any prefix. `takes_all` is an HTTP_PROXY port.
    `refused` says why Envoy refuses the listener; `ignored` are targets that an earlier one silenced. `sniffs` says
    whether some port is of no protocol, `is_alone` whether some is of one that shares a listener with no other.
    """

    address: str | None
    protocol: str
    locked: bool = False
    http: bool = False
    http_since_proposed: bool = False
    late: bool = False
    first: Service | None = None
    any_host: Target | None = None
    default: Target | None = None
    takes_all: Target | None = None
    refused: tuple[str, str] | None = None
    ignored: list[Target] = field(default_factory=list)
    sniffs: bool = False
    is_alone: bool = False
    _keys: set[tuple[frozenset[_Prefix | None], frozenset[str]]] = field(default_factory=set)
    _groups: dict[_Prefix | None, ChainGroup] = field(default_factory=dict)
    _lengths: list[int] = field(default_factory=list)

    def add(self, chain: Chain) -> None:
        """Add a chain; one with the very conditions of an earlier one is dropped, one that overlaps is refused."""
        masked = tuple(_prefix(prefix) for prefix in chain.prefixes if not prefix.startswith(_ANYWHERE))
        key = (frozenset(masked), frozenset(chain.server_names))
        if key in self._keys:
            self.ignored.append(chain.target)
            return
        self._keys.add(key)
        if not chain.prefixes and not chain.server_names:
            self.default = chain.target
        for prefix in masked or (None,):
            self._put(self._group_of(prefix), chain)

    def _group_of(self, prefix: _Prefix | None) -> ChainGroup:
        group = self._groups.get(prefix)
        if group is None:
            group = self._groups[prefix] = ChainGroup()
            if prefix is not None and prefix[1] not in self._lengths:
                self._lengths = sorted((*self._lengths, prefix[1]), reverse=True)
        return group

    def _put(self, group: ChainGroup, chain: Chain) -> None:
        for name in chain.server_names:
            lowered = name.lower()
            if "*" in lowered and not lowered.startswith("*."):
                self._refuse(chain, f"Envoy takes no partial wildcard such as {name} as a server name")
                continue
            known, shown = (group.suffixes, lowered[1:]) if lowered.startswith("*.") else (group.exact, lowered)
            if shown in known:
                self._refuse(chain, f"two chains of this listener match the server name {lowered}")
            known.setdefault(shown, chain.target)
        if not chain.server_names:
            if group.rest is not None:
                self._refuse(chain, "two chains of this listener match the same addresses")
            group.rest = group.rest or chain.target

    def _refuse(self, chain: Chain, why: str) -> None:
        self.refused = self.refused or (chain.target.by, why)

    @property
    def rests_on_order(self) -> bool:
        """Whether another order of services would give another listener."""
        return bool(self.ignored) or self.takes_all is not None

    def group_for(self, address: str | None) -> ChainGroup:
        """The chains of the longest prefix that holds an address; there is no way back from it to a shorter one."""
        ip = _ip(address) if address is not None and self._lengths else None
        if ip is not None:
            bits, value = ip
            for length in self._lengths:
                if length <= bits:
                    group = self._groups.get((bits, length, value >> (bits - length)))
                    if group is not None:
                        return group
        return self._anywhere

    def is_of_prefix(self, group: ChainGroup) -> bool:
        """Whether some chains are those of a prefix: such take all bytes, plain HTTP included."""
        return group is not self._anywhere

    @property
    def _anywhere(self) -> ChainGroup:
        return self._groups.get(None, _NO_CHAINS)

    @property
    def is_dynamic(self) -> bool:
        """Whether plain HTTP meets the forward proxy: it has it from the service that is the first on the listener."""
        return self.first is not None and self.first.resolution is Resolution.DYNAMIC_DNS

    def over(self, below: "Listener | None") -> "Listener | None":
        """This listener as it is once the services of another one have followed its own.

        Null where one of these would change what one of those does, so that each has to be looked at in its turn.
        """
        if below is None:
            return self
        if self.refused or below.refused or self.is_alone or below.is_alone or (self.http and below.sniffs):
            return None
        groups: dict[_Prefix | None, ChainGroup] = {}
        for prefix, group in self._groups.items():
            both = group.over(below._groups.get(prefix))
            if both is None:
                return None
            groups[prefix] = both
        groups = below._groups | groups
        http = [item for item in (self, below) if item.http]
        return Listener(
            self.address,
            self.protocol,
            http=bool(http),
            http_since_proposed=bool(http) and all(item.http_since_proposed for item in http),
            late=self.late or below.late or len({item.is_dynamic for item in http}) > 1,
            first=self.first or below.first,
            any_host=self.any_host or below.any_host,
            default=below.default if self._anywhere.rest is None else self.default,
            takes_all=self.takes_all or below.takes_all,
            ignored=[*self.ignored, *below.ignored],
            _groups=groups,
            _lengths=sorted({*self._lengths, *below._lengths}, reverse=True),
        )


@lru_cache(maxsize=1 << 16)
def _prefix(written: str) -> _Prefix | None:
    network = network_of(written)
    if network is None:
        return None
    bits, length = network.max_prefixlen, network.prefixlen
    return bits, length, int(network.network_address) >> (bits - length)


@lru_cache(maxsize=1 << 15)
def _ip(address: str) -> tuple[int, int] | None:
    """An address as a number, with how many bits it has."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    return ip.max_prefixlen, int(ip)


def longest_suffix(host: str, suffixes: Mapping[str, Found]) -> Found | None:
    """What is known of the longest `.suffix` that a name ends in."""
    if not suffixes:
        return None
    start = host.find(".", 1)
    while start >= 0:
        found = suffixes.get(host[start:])
        if found is not None:
            return found
        start = host.find(".", start + 1)
    return None
