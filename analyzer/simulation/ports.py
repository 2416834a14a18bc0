"""The listeners of one port as istiod would build them, and what happens where two services want the same one.

Sources: istio/istio pilot/pkg/networking/core/listener.go (buildSidecarOutboundListeners, buildListenerFromEntry:
binding, merging, conflicts), core/tls.go (conditions on the server name, routes of VirtualServices).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.mesh.model import Port, VirtualService
from analyzer.mesh.names import covers
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.mesh.routing import RouteDestination
from analyzer.mesh.services import Service as KubernetesService
from analyzer.simulation.listeners import Chain, Leads, Listener, Target, own_target
from analyzer.simulation.routes import full_host, holds_for
from analyzer.simulation.services import Service
from analyzer.simulation.virtual_hosts import VirtualHosts
from analyzer.vocabulary import Resolution

if TYPE_CHECKING:
    from analyzer.simulation.scope import Egress, Scope

_ALONE = frozenset(("MONGO", "MYSQL"))
_RESERVED_PORTS = frozenset((15001, 15006, 15021, 15090))
_UNSPECIFIED = ("0.0.0.0", "::")


@dataclass
class PortView:
    """Everything that proxies of a scope have on one port: listeners, and the virtual hosts of its HTTP route."""

    number: int
    virtual_hosts: VirtualHosts
    wildcard: Listener | None = None
    by_address: dict[str, Listener] = field(default_factory=dict)
    late: bool = False

    @property
    def rests_on_order(self) -> bool:
        """Whether some service came too late for a listener, so that another order would give it to that one."""
        return self.late or (self.wildcard is not None and self.wildcard.rests_on_order)

    def listener(self, address: str | None) -> Listener | None:
        """The listener of a dialled address: its own, else the port's."""
        own = self.by_address.get(address) if address is not None else None
        return own or self.wildcard

    def over(self, below: "PortView") -> "PortView | None":
        """This port once the services of another view have followed its own; null where they meet (`Listener.over`)."""
        wildcard = below.wildcard if self.wildcard is None else self.wildcard.over(below.wildcard)
        own: dict[str, Listener] = {}
        for address, listener in self.by_address.items():
            both = listener.over(below.by_address.get(address))
            if both is None:
                return None
            own[address] = both
        if wildcard is None and self.wildcard is not None:
            return None
        late = below.late or _is_late(wildcard, own)
        return PortView(self.number, self.virtual_hosts, wildcard, below.by_address | own, late)


def build_port(number: int, scope: "Scope") -> PortView:
    """Everything on a port: what everybody has there and the scope's own before it, or all of it built anew."""
    if scope.beneath is not None and not scope.is_special(number):
        own = _build(number, scope, lambda egress: egress.private_on_port(number))
        shared = own.over(scope.beneath.port(number))
        if shared is not None:
            return shared
    return _build(number, scope, lambda egress: egress.on_port(number))


def _build(number: int, scope: "Scope", services: Callable[["Egress"], Sequence[Service]]) -> PortView:
    """Put the services that have a port on its listeners, in order; a conflict silences the later one."""
    own = [item for item in scope.egress if item.listener.port is not None and item.listener.port.number == number]
    rest = [item for item in scope.egress if item.listener.port is None]
    routed = (own or rest)[:1]
    view = PortView(number, VirtualHosts(number, scope, routed[0] if routed else None))
    for egress in own:
        _build_chosen(view, egress, scope)
    for listener in (view.wildcard, *view.by_address.values()):
        if listener is not None:
            listener.locked = True
    for egress in rest:
        for service in services(egress):
            for port in service.ports:
                if port.number == number:
                    _Builder(view, egress, scope, service, port).add()
    view.late = _is_late(view.wildcard, view.by_address)
    return view


def _is_late(wildcard: Listener | None, by_address: Mapping[str, Listener]) -> bool:
    own = (listener.late or listener.ignored for listener in by_address.values())
    return any(own) or (wildcard is not None and wildcard.late)


def _build_chosen(view: PortView, egress: "Egress", scope: "Scope") -> None:
    """A Sidecar's own port: its protocol holds for every service on it, and its bind if it says one."""
    chosen = egress.listener.port
    assert chosen is not None
    bind = egress.listener.bind or ("127.0.0.1" if egress.listener.capture_mode == "NONE" else "")
    if bind in _UNSPECIFIED and _is_reserved(view.number, scope):
        return
    listen = Port(view.number, chosen.name, chosen.protocol)
    for service in egress.on_port(view.number):
        for port in service.ports:
            if port.number == view.number:
                _Builder(view, egress, scope, service, port, listen, bind).add()


def _is_reserved(number: int, scope: "Scope") -> bool:
    """Whether istiod keeps a port of the wildcard address for the proxy itself; it does so since 1.20."""
    return number in _RESERVED_PORTS and scope.version >= (1, 20)


class _Builder:
    """Puts one port of one service on its listener.

    `listen` is the port as a Sidecar chose it, null where none did; `bind` the address it chose, "" for the services'.
    """

    def __init__(
        self,
        view: PortView,
        egress: "Egress",
        scope: "Scope",
        service: Service,
        port: Port,
        listen: Port | None = None,
        bind: str = "",
    ) -> None:
        self._view, self._egress, self._scope = view, egress, scope
        self._service, self._port, self._listen, self._bind = service, port, listen or port, bind
        self._is_chosen = listen is not None
        self._kind = port_class(self._listen.protocol)

    def add(self) -> None:
        """Find the addresses that the port is bound to and add to each listener what is missing there."""
        if self._kind is None or self._kind is PortClass.UDP:
            return
        if self._kind is PortClass.HTTP and not self._bind and _is_reserved(self._port.number, self._scope):
            return
        for address in self._addresses():
            listener = self._listener(address)
            if listener.locked:
                continue
            listener.is_alone = listener.is_alone or self._listen.protocol in _ALONE
            listener.sniffs = listener.sniffs or self._kind is PortClass.AUTO
            if self._is_alone(listener):
                listener.ignored.append(self._own_target())
            elif self._kind is PortClass.HTTP:
                self._add_http(listener)
            else:
                self._add_raw(listener, address)

    def _addresses(self) -> Iterator[str | None]:
        """Where the listener stands: null is 0.0.0.0."""
        if self._bind:
            yield None if self._bind in _UNSPECIFIED else self._bind
        elif self._kind is PortClass.HTTP:
            yield None
        elif self._service.address is not None:
            yield self._service.plain_address
        elif not self._is_chosen and self._service.stands_at_its_pods:
            yield from self._pods()
        else:
            yield None

    def _pods(self) -> list[str]:
        """The addresses of the pods of a headless Service, or of the workloads that an entry like one selects."""
        source, mesh = self._service.source, self._scope.mesh
        if isinstance(source, KubernetesService):
            slices = self._scope.registry.endpoint_slices.get((source.namespace, source.name), ())
            return [address for item in slices for address in item.addresses]
        selector = (source.workload_selector or {}).items()
        pods = [(pod, address) for pod in mesh.pods for address in pod.addresses]
        workloads = [*((item, item.address) for item in mesh.workload_entries), *pods]
        return [
            address
            for item, address in workloads
            if item.namespace == source.namespace and all(item.labels.get(key) == value for key, value in selector)
        ]

    def _listener(self, address: str | None) -> Listener:
        protocol = (
            "" if self._kind is PortClass.HTTP and self._listen.protocol != "HTTP_PROXY" else self._listen.protocol
        )
        if address is not None:
            return self._view.by_address.setdefault(address, Listener(address, protocol))
        self._view.wildcard = self._view.wildcard or Listener(None, protocol)
        return self._view.wildcard

    def _is_alone(self, listener: Listener) -> bool:
        """MONGO and MYSQL share a listener with nobody of another protocol."""
        first, own = listener.protocol, self._listen.protocol
        return first != own and (first in _ALONE or own in _ALONE)

    def _add_http(self, listener: Listener) -> None:
        if self._listen.protocol == "HTTP_PROXY" and listener.takes_all is None:
            listener.takes_all = self._own_target()
        self._read_http(listener)

    def _read_http(self, listener: Listener) -> None:
        proposed = self._service.source.proposed
        listener.http_since_proposed = proposed and (listener.http_since_proposed or not listener.http)
        listener.http = True
        listener.first = listener.first or self._service
        listener.late = listener.late or self._is_dynamic != listener.is_dynamic

    def _add_raw(self, listener: Listener, address: str | None) -> None:
        had_http = listener.http
        if self._kind is PortClass.AUTO:
            if address is not None and listener.any_host is None:
                listener.any_host = self._own_target(http=True)
            self._read_http(listener)
            if had_http and self._scope.version < (1, 32):
                listener.ignored.append(self._own_target())
                return  # the later one adds no chain: only its HTTP virtual host works
        for chain in self._chains(address):
            listener.add(chain)

    def _chains(self, address: str | None) -> Iterator[Chain]:
        address_range = self._service.address if self._service.is_prefix and not self._bind else None
        prefixes = () if address_range is None else (address_range,)
        routes = self._egress.routes_of(self._service.host)
        yield from self._tls(routes, prefixes, address) if self._kind is PortClass.TLS else self._tcp(routes, prefixes)

    def _tls(self, routes: list[VirtualService], prefixes: tuple[str, ...], address: str | None) -> Iterator[Chain]:
        """Chains by server name. A match's own subnets hold for all that follow it, as istiod has it."""
        seen: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
        client, number = self._scope.client, self._listen.number
        for service in routes:
            for route in service.tls:
                for match in route.matches:
                    if not holds_for(match, client, number):
                        continue
                    prefixes = match.destination_subnets or prefixes
                    key = (tuple(sorted(match.sni_hosts)), tuple(sorted(match.destination_subnets)))
                    if key not in seen:
                        seen.add(key)
                        is_own = all(covers(self._service.host, name) for name in match.sni_hosts)
                        target = self._routed(service, route.destinations, for_itself=is_own)
                        yield Chain(target, match.sni_hosts, prefixes)
        if not seen:
            stands_anywhere = self._service.address is None and address is None
            named = stands_anywhere or self._service.is_prefix or self._is_dynamic
            yield Chain(self._own_target(), (self._service.host,) if named else (), prefixes)

    @property
    def _is_dynamic(self) -> bool:
        return self._service.resolution is Resolution.DYNAMIC_DNS

    def _tcp(self, routes: list[VirtualService], prefixes: tuple[str, ...]) -> Iterator[Chain]:
        client, number = self._scope.client, self._listen.number
        for service in routes:
            for route in service.tcp:
                held = [match for match in route.matches if holds_for(match, client, number)]
                subnets = tuple(subnet for match in held for subnet in match.destination_subnets)
                if not route.matches or any(not match.destination_subnets for match in held):
                    yield Chain(self._routed(service, route.destinations), prefixes=prefixes)
                    return
                if subnets:
                    yield Chain(self._routed(service, route.destinations), prefixes=subnets)
                    if sorted(subnets) == sorted(prefixes):
                        return
        yield Chain(self._own_target(), prefixes=prefixes)

    def _routed(
        self, service: VirtualService, destinations: tuple[RouteDestination, ...], *, for_itself: bool = True
    ) -> Target:
        """Where a VirtualService leads; where that is the service's own port, the service still is what decides."""
        leads = Leads(destinations, service.namespace, self._listen.number)
        stays = for_itself and all(self._is_its_own(item, service.namespace) for item in destinations)
        by = self._service.source.reference if stays else service.reference
        return Target(self._service, self._port, by, leads, rerouted=not stays)

    def _is_its_own(self, destination: RouteDestination, namespace: str) -> bool:
        host, number = full_host(destination.host, namespace), destination.port or self._listen.number
        declared = any(port.number == number for port in self._service.ports)
        return host == self._service.host and destination.subset is None and declared

    def _own_target(self, *, http: bool = False) -> Target:
        return own_target(self._service, self._port, http=http)
