"""Envoy's side of a port: listeners, their chains, and how a chain is picked.

Sources: envoyproxy/envoy source/common/listener_manager/filter_chain_manager_impl.cc (prefix, then server name, no way
back), api/envoy/config/listener/v3/listener_components.proto.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from analyzer.mesh.model import Port
from analyzer.mesh.names import network_of
from analyzer.simulation.clusters import Cluster
from analyzer.simulation.services import Service

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, eq=False)
class Target:
    """What a chain or a virtual host leads to.

    `service` is the one that it stands for; `led_to` is where its traffic goes, several clusters where a VirtualService
    splits it; `by` is the `<namespace>/<name>` of the object that decides, `rerouted` whether it leads elsewhere.
    """

    service: Service
    port: Port
    led_to: tuple[Cluster, ...] | Callable[[], tuple[Cluster, ...]]
    by: str
    rerouted: bool = False

    @cached_property
    def clusters(self) -> tuple[Cluster, ...]:
        """Where its traffic goes; looked up when first asked, since most targets of a mesh never are."""
        return self.led_to() if callable(self.led_to) else self.led_to

    @property
    def missing(self) -> str | None:
        """Why it cannot work, or null where it can."""
        return next((cluster.missing for cluster in self.clusters if cluster.missing is not None), None)

    @property
    def doubt(self) -> str | None:
        """What it depends on that documents do not say."""
        return next((cluster.doubt for cluster in self.clusters if cluster.doubt is not None), None)

    @property
    def note(self) -> str:
        """What is worth a word, "" if nothing."""
        return next((cluster.note for cluster in self.clusters if cluster.note), "")


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
    _all_work: bool | None = None

    @property
    def asks_names(self) -> bool:
        """Whether some chain asks for a server name."""
        return bool(self.exact or self.suffixes)

    @property
    def all_work(self) -> bool:
        """Whether every server name leads to a cluster that works; asked once the listener is built."""
        if self._all_work is None:
            targets = (*self.exact.values(), *self.suffixes.values())
            self._all_work = all(target.missing is None and target.doubt is None for target in targets)
        return self._all_work

    def named(self, server_name: str) -> Target | None:
        """The chain of a server name: exact, else the longest suffix; a wildcard never matches its apex."""
        return self.exact.get(server_name) or longest_suffix(server_name, self.suffixes)


_NO_CHAINS = ChainGroup()
_ANYWHERE = "0.0.0.0/"
"""What a prefix begins with that Istio leaves out of a chain's conditions, whatever its length."""


@dataclass(slots=True)
class Listener:
    """One `bind:port`; `address` is null for 0.0.0.0.

    `http` says whether plain HTTP is routed by Host, `http_since_proposed` that only proposals make it so;
    `any_host` is what an own listener's private route leads every Host to. `takes_all` is an HTTP_PROXY port.
    `refused` says why Envoy refuses the listener; `ignored` are targets that an earlier one silenced.
    """

    address: str | None
    protocol: str
    locked: bool = False
    http: bool = False
    http_since_proposed: bool = False
    first: Service | None = None
    any_host: Target | None = None
    takes_all: Target | None = None
    refused: tuple[str, str] | None = None
    ignored: list[Target] = field(default_factory=list)
    _keys: set[tuple[frozenset[IPNetwork | None], frozenset[str]]] = field(default_factory=set)
    _groups: dict[int, dict[IPNetwork, ChainGroup]] = field(default_factory=dict)
    _anywhere: ChainGroup | None = None

    def add(self, chain: Chain) -> None:
        """Add a chain; one with the very conditions of an earlier one is dropped, one that overlaps is refused."""
        masked = tuple(network_of(prefix) for prefix in chain.prefixes if not prefix.startswith(_ANYWHERE))
        key = (frozenset(masked), frozenset(chain.server_names))
        if key in self._keys:
            self.ignored.append(chain.target)
            return
        self._keys.add(key)
        for prefix in masked or (None,):
            self._put(self._group_of(prefix), chain)

    def _group_of(self, network: IPNetwork | None) -> ChainGroup:
        if network is None:
            self._anywhere = self._anywhere or ChainGroup()
            return self._anywhere
        return self._groups.setdefault(network.prefixlen, {}).setdefault(network, ChainGroup())

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

    @property
    def asks_names(self) -> bool:
        """Whether some chain asks for a server name, so that Istio adds a TLS inspector."""
        groups = [group for by_network in self._groups.values() for group in by_network.values()]
        return any(group.asks_names for group in (*groups, self._anywhere or _NO_CHAINS))

    def group_for(self, address: str | None) -> ChainGroup:
        """The chains of the longest prefix that holds an address; there is no way back from it to a shorter one."""
        ip = _ip(address) if address is not None and self._groups else None
        if ip is not None:
            for length in sorted(self._groups, reverse=True):
                if length <= ip.max_prefixlen:
                    group = self._groups[length].get(_network(ip, length))
                    if group is not None:
                        return group
        return self._anywhere or _NO_CHAINS

    def has_prefix_for(self, address: str | None) -> bool:
        """Whether an address falls into a prefix: such chains take all bytes, plain HTTP included."""
        return self.group_for(address) is not (self._anywhere or _NO_CHAINS)


@lru_cache(maxsize=1 << 15)
def _ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None


@lru_cache(maxsize=1 << 15)
def _network(ip: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int) -> IPNetwork:
    return ipaddress.ip_network((ip, length), strict=False)


def longest_suffix(host: str, suffixes: dict[str, Target]) -> Target | None:
    """The target of the longest `.suffix` that a name ends in."""
    if not suffixes:
        return None
    start = host.find(".", 1)
    while start >= 0:
        found = suffixes.get(host[start:])
        if found is not None:
            return found
        start = host.find(".", start + 1)
    return None
