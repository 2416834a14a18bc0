"""A request that is refused, or would be, and the cause of that: the values that questions take and give."""

from dataclasses import dataclass, field

from analyzer.detection.texts import shown
from analyzer.evidence import Request
from analyzer.mesh.model import Port, ServiceEntry, VirtualService
from analyzer.readiness.edits import Edit
from analyzer.readiness.relatives import Near
from analyzer.readiness.sight import Sight
from analyzer.settings import Settings
from analyzer.simulation import Decision
from analyzer.vocabulary import ApplicationProtocol, CauseCode

_WANTED = {
    ApplicationProtocol.HTTP: "HTTP",
    ApplicationProtocol.GRPC: "GRPC",
    ApplicationProtocol.TLS: "TLS",
    ApplicationProtocol.TCP: "TCP",
}


@dataclass(frozen=True)
class Cause:
    """Why, and the smallest change that would mend it, in words and at its place.

    `object` is `<kind>/<namespace>/<name>` of what should change, `place` its `file:line`; both null where nothing
    that exists should. `edits` are the same change as values, where it is one that can be replayed.
    """

    code: CauseCode
    because: str
    repair: str
    object: str | None = None
    place: str | None = None
    edits: tuple[Edit, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Case:
    """One request, what the mesh as it is would do to it, and what can be seen of that mesh from where it comes."""

    request: Request
    decision: Decision
    sight: Sight
    settings: Settings

    @property
    def asked(self) -> str:
        """The name, or the address, and the port, for people."""
        return shown(self.request.key.name)

    @property
    def dotted(self) -> bool:
        """Whether the client asked with a trailing dot that the proxy minds: a server name never matches with one."""
        return (self.request.requested_server_name or "").endswith(".")

    @property
    def protocol(self) -> str:
        """The port protocol that would take this request."""
        protocol = self.request.application_protocol
        return "TCP" if protocol is None or self.request.method_is_connect else _WANTED[protocol]

    def port_of(self, entry: ServiceEntry) -> Port | None:
        """The entry's port of the dialled number."""
        return next((port for port in entry.ports if port.number == self.request.destination_port), None)

    def relatives(self) -> list[Near]:
        """Entries for what was asked for, those with the port first."""
        request, known = self.request, self.sight.relatives
        if request.key.host is not None:
            found = known.of_host(request.key.host, dotted=self.dotted)
        elif request.destination_ip is not None:
            found = known.of_address(request.destination_ip)
        else:
            found = []
        return sorted(found, key=lambda near: self.port_of(near.entry) is None)


def of_routes(code: CauseCode, service: VirtualService, because: str, repair: str) -> Cause:
    """A cause that lies with a VirtualService."""
    place = None if service.origin is None else f"{service.origin.file}:{service.origin.line}"
    return Cause(code, because, repair, f"VirtualService/{service.reference}", place)


def about(code: CauseCode, entry: ServiceEntry, because: str, repair: str, *edits: Edit) -> Cause:
    """A cause that lies with an entry."""
    origin = entry.origin
    place = None if origin is None else f"{origin.file}:{origin.line}"
    return Cause(code, because, repair, f"ServiceEntry/{entry.reference}", place, edits)
