"""Whose a host or an address is, wherever in the mesh it is registered: what tells a stray request from its own."""

from functools import cached_property

from analyzer.evidence import Request
from analyzer.mesh.model import Mesh
from analyzer.mesh.names import covers, network_of
from analyzer.simulation.listeners import Target
from analyzer.simulation.services import CLUSTER_DOMAIN, plain_address


class Owners:
    """Hosts and addresses of a mesh by the object that has them."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    def is_anothers(self, request: Request, target: Target) -> bool:
        """Whether a request asks for something else that is registered: by its name if it has one, else by address."""
        if self._is_own(request, target):
            return False
        host = request.key.host
        if host is not None:  # whoever dials an entry's own address asked for it, unless the name is another's
            stands_anywhere = target.service.address is None and not target.service.stands_at_its_pods
            return stands_anywhere or self._has_host(host)
        return request.destination_ip is not None and request.destination_ip in self._addresses

    def is_for_it(self, request: Request, target: Target) -> bool:
        """Whether what a request asks for is what a target stands for."""
        return self._is_own(request, target)

    def _is_own(self, request: Request, target: Target) -> bool:
        service, host = target.service, request.key.host
        if host is not None:
            entry = service.entry
            return any(covers(name.rstrip("."), host) for name in (entry.hosts if entry else (service.host,)))
        address = request.destination_ip
        if address is None:
            return True
        if service.is_prefix:
            network, dialled = network_of(service.address or ""), network_of(address)
            return network is None or dialled is None or dialled.network_address in network
        if service.address is not None:
            return True  # it was dialled at the service's own address
        entry = service.entry
        return entry is not None and address in {endpoint.address for endpoint in entry.endpoints}

    def _has_host(self, host: str) -> bool:
        if host in self._hosts:
            return True
        start = host.find(".", 1)
        while start >= 0:
            if host[start:] in self._suffixes:
                return True
            start = host.find(".", start + 1)
        return False

    @cached_property
    def _hosts(self) -> frozenset[str]:
        entries = {host.lower() for entry in self._mesh.service_entries for host in entry.hosts}
        services = {f"{item.name}.{item.namespace}.svc.{CLUSTER_DOMAIN}" for item in self._mesh.services}
        return frozenset(entries | services)

    @cached_property
    def _suffixes(self) -> frozenset[str]:
        return frozenset(host[1:] for host in self._hosts if host.startswith("*"))

    @cached_property
    def _addresses(self) -> frozenset[str]:
        found: set[str] = set()
        for entry in self._mesh.service_entries:
            found.update(endpoint.address for endpoint in entry.endpoints)
            found.update(plain_address(address) or "" for address in entry.addresses if network_of(address) is not None)
            for addresses in entry.auto_addresses.values():
                found.update(addresses)
        for service in self._mesh.services:
            found.update(service.cluster_ips)
        return frozenset(found)
