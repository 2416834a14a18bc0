"""Entries that come near what was asked for: for the same host, for almost the same one, for the same address."""

import ipaddress
from collections import defaultdict
from dataclasses import dataclass

from analyzer.mesh.model import Mesh, Service, ServiceEntry, VirtualService
from analyzer.mesh.names import network_of
from analyzer.simulation.routes import hosts_of, overlap
from analyzer.simulation.services import CLUSTER_DOMAIN

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Near:
    """An entry, which of its hosts comes near, and how that host differs (null where it matches)."""

    entry: ServiceEntry
    pattern: str
    difference: str | None = None


def _names(name: str, namespace: str) -> tuple[str, ...]:
    """What a Service is called from anywhere in the cluster."""
    return tuple(f"{name}.{namespace}{suffix}" for suffix in ("", ".svc", f".svc.{CLUSTER_DOMAIN}"))


class Relatives:
    """The entries of a mesh by host and by address, looked through once."""

    def __init__(self, mesh: Mesh) -> None:
        self.entries = {entry.reference: entry for entry in mesh.service_entries}
        self.sidecars = {sidecar.reference: sidecar for sidecar in mesh.sidecars}
        self.virtual_services = {item.reference: item for item in mesh.virtual_services}
        self._services = {
            name: service for service in mesh.services for name in _names(service.name, service.namespace)
        }
        self._same_host: dict[str, list[Near]] = defaultdict(list)
        self._by_host: dict[str, list[Near]] = defaultdict(list)
        self._by_suffix: dict[str, list[Near]] = defaultdict(list)
        self._by_network: dict[IPNetwork, list[Near]] = defaultdict(list)
        self._by_auto_address: dict[str, list[Near]] = defaultdict(list)
        for entry in sorted(mesh.service_entries, key=lambda entry: entry.reference):
            for host in entry.hosts:
                near = Near(entry, host)
                self._same_host[host].append(near)
                if host.startswith("*"):
                    self._by_suffix[host[1:].lower()].append(near)
                else:
                    self._by_host[host.lower().rstrip(".")].append(near)
            for address in entry.addresses:
                network = network_of(address)
                if network is not None:
                    self._by_network[network].append(Near(entry, address))
            for host, addresses in entry.auto_addresses.items():
                for address in addresses:
                    self._by_auto_address[address].append(Near(entry, host))

    def service(self, host: str) -> Service | None:
        """The Kubernetes Service of a name, which names its namespace."""
        return self._services.get(host)

    def tls_routes_of(self, pattern: str) -> list[VirtualService]:
        """The VirtualServices whose TLS routes stand in for the chain of an entry's host."""
        found = (item for item in self.virtual_services.values() if item.tls)
        return [item for item in found if any(overlap(host, pattern) for host in hosts_of(item))]

    def same_host(self, pattern: str) -> list[Near]:
        """Entries that have exactly this host, letter for letter."""
        return self._same_host.get(pattern, [])

    def of_host(self, host: str, *, dotted: bool = False) -> list[Near]:
        """Entries for a name, the exact ones first, then by the longest suffix; `dotted` asks with a trailing dot."""
        found = [near for near in self._by_host.get(host, ()) if near.pattern.endswith(".") is dotted]
        start = host.find(".")
        while start >= 0:
            if start > 0:
                found += self._by_suffix.get(host[start:], ())
            start = host.find(".", start + 1)
        return found

    def almost(self, host: str, *, dotted: bool = False) -> list[Near]:
        """Entries for a name that somebody may have taken for this one."""
        other = f"the entry names {host}." if not dotted else f"the client asks for {host}. with a trailing dot"
        found = [
            Near(near.entry, near.pattern, other)
            for near in self._by_host.get(host, ())
            if near.pattern.endswith(".") is not dotted
        ]
        found += [
            Near(near.entry, near.pattern, f"a wildcard does not cover its own apex, {host}")
            for near in self._by_suffix.get(f".{host}", ())
        ]
        sibling = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
        found += [
            Near(near.entry, near.pattern, f"the client asks for {host}") for near in self._by_host.get(sibling, ())
        ]
        return found

    def of_address(self, address: str) -> list[Near]:
        """Entries whose addresses hold this one, the narrowest first."""
        wanted = network_of(address)
        if wanted is None:
            return []
        lengths = {network.prefixlen for network in self._by_network if network.version == wanted.version}
        networks = [wanted.supernet(new_prefix=length) for length in sorted(lengths, reverse=True)]
        return [near for network in networks for near in self._by_network.get(network, ())]

    def of_auto_address(self, address: str) -> list[Near]:
        """Entries to one of whose hosts Istio gave this address."""
        return self._by_auto_address.get(address, [])
