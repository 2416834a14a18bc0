"""What VirtualServices look at in a request beyond its host: whose paths and methods a replay must know.

Sources: istio/istio pilot/pkg/networking/core/route/route.go (TranslateRouteMatch), core/httproute.go
(generateVirtualHostDomains).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from analyzer.evidence import Destination, Request
from analyzer.mesh.model import Mesh, VirtualService
from analyzer.mesh.names import network_of
from analyzer.mesh.routing import MESH_GATEWAY, HTTPMatch, StringMatch
from analyzer.simulation.matching import holds, looks_at_path, matched_part
from analyzer.simulation.routes import Delegates, hosts_of, overlap
from analyzer.simulation.services import CLUSTER_DOMAIN
from analyzer.vocabulary import ApplicationProtocol

_HTTP = (ApplicationProtocol.HTTP, ApplicationProtocol.GRPC)
_IN_CLUSTER = f".svc.{CLUSTER_DOMAIN}"
_ANSWERS = {True: "1", False: "0", None: "?"}


@dataclass(frozen=True)
class Looks:
    """All that the routes of a place look for in its requests' paths and methods."""

    paths: tuple[StringMatch, ...] = ()
    methods: tuple[StringMatch, ...] = ()

    def of_path(self, path: str) -> str:
        """The answers of all matches to a path: paths with equal answers are equal to every route."""
        return "".join(_ANSWERS[holds(match, matched_part(path))] for match in self.paths)

    def of_method(self, method: str) -> str:
        """The answers of all matches to a method."""
        return "".join(_ANSWERS[holds(match, method)] for match in self.methods)

    def __or__(self, other: "Looks") -> "Looks":
        paths = dict.fromkeys((*self.paths, *other.paths))
        return Looks(tuple(paths), tuple(dict.fromkeys((*self.methods, *other.methods))))


def looks_at(mesh: Mesh, destinations: Iterable[Destination]) -> dict[str, Looks]:
    """What VirtualServices for sidecars look at, by the host of a destination, or its address where it has none.

    It errs on the side of too much: a request that is told apart in vain is decided all the same. Where no route
    looks at path or method, a destination has no place here.
    """
    watch = _Watch(mesh)
    found: dict[str, Looks] = defaultdict(Looks)
    for destination in destinations if watch.looks else ():
        place = destination.key.host or destination.key.destination_ip
        if place is None or destination.key.application_protocol not in _HTTP:
            continue
        for number in sorted({number for request in destination.requests for number in watch.numbers(request)}):
            found[place] |= watch.looks[number]
    return dict(found)


class _Watch:
    """The VirtualServices of one mesh that look at path or method, found by name and by address."""

    def __init__(self, mesh: Mesh) -> None:
        looking = list(_looking(mesh))
        self.looks = [look for _, look in looking]
        self._exact: dict[str, set[int]] = defaultdict(set)
        self._suffixes: dict[str, set[int]] = defaultdict(set)
        self._addresses: dict[str, set[int]] = defaultdict(set)
        for number, (service, _) in enumerate(looking):
            for host in hosts_of(service):
                self._add_name(host.lower(), number)
        if looking:
            self._add_others(mesh)

    def numbers(self, request: Request) -> Iterator[int]:
        """Those that a request's name leads to, and those that its address may, as where no Host is looked at."""
        for name in {request.key.host, request.authority} - {None}:
            yield from self._named(_without_port(name or "").lower())
        yield from self._addresses.get(request.destination_ip or "", ())
        single = None if request.destination_ip is None else network_of(request.destination_ip)
        for network, numbers in self._addresses.items() if single is not None else ():
            wider = network_of(network) if "/" in network else None
            if wider is not None and single is not None and single.network_address in wider:
                yield from numbers

    def _add_name(self, host: str, number: int) -> None:
        if host.startswith("*"):
            self._suffixes[host[1:]].add(number)
        for name in _names(host):
            self._exact[name].add(number)

    def _named(self, name: str) -> set[int]:
        found = set(self._exact.get(name, ()))
        for start in range(len(name)) if self._suffixes else ():
            found |= self._suffixes.get(name[start:], set())
        return found | self._suffixes.get("", set())

    def _add_others(self, mesh: Mesh) -> None:
        """The other names and the addresses of what these VirtualServices route."""
        for entry in mesh.service_entries:
            addresses = (*entry.addresses, *(one for given in entry.auto_addresses.values() for one in given))
            if addresses:
                numbers = {number for host in entry.hosts for number in self._overlapping(host.lower())}
                self._add_addresses(addresses, numbers)
        for item in mesh.services:
            full = f"{item.name}.{item.namespace}{_IN_CLUSTER}"
            self._add_addresses(item.cluster_ips, self._named(full))
            for number in self._named(item.external_name.lower()) if item.external_name else ():
                self._add_name(full, number)

    def _overlapping(self, host: str) -> set[int]:
        if not host.startswith("*"):
            return self._named(host)
        patterns = [*self._exact.items(), *((f"*{suffix}", found) for suffix, found in self._suffixes.items())]
        return {number for pattern, numbers in patterns if overlap(pattern, host) for number in numbers}

    def _add_addresses(self, addresses: Iterable[str], numbers: set[int]) -> None:
        for address in addresses if numbers else ():
            self._addresses[address] |= numbers


def _looking(mesh: Mesh) -> Iterator[tuple[VirtualService, Looks]]:
    """VirtualServices for sidecars that look at path or method, themselves or by their delegates."""
    delegates = Delegates(mesh)
    for service in mesh.virtual_services:
        if MESH_GATEWAY not in service.gateways or not service.hosts:
            continue
        handed = (delegates.of(service, route) for route in service.http)
        every = (service, *(delegate for delegate in handed if delegate is not None))
        look = _looks_of(match for item in every for route in item.http for match in route.matches)
        if look.paths or look.methods:
            yield service, look


def _looks_of(matches: Iterable[HTTPMatch]) -> Looks:
    every = list(matches)
    paths = dict.fromkeys(match.uri for match in every if match.uri is not None and looks_at_path(match))
    return Looks(tuple(paths), tuple(dict.fromkeys(match.method for match in every if match.method is not None)))


def _names(host: str) -> Iterator[str]:
    """A host, and the shorter names by which its virtual host is known in the cluster."""
    yield host
    short = host.removesuffix(_IN_CLUSTER)
    if short != host:
        yield from (f"{short}.svc", short, short.partition(".")[0])


def _without_port(authority: str) -> str:
    host, colon, port = authority.rpartition(":")
    return (host if colon and port.isdecimal() else authority).rstrip(".")
