"""Why one request is refused, or would be: questions asked in order, and the first that knows answers.

The order is that of nearness: an entry that is seen here and lacks a port is a better answer than one that is not
exported here, and that a better one than a name that differs. Sources of the rules: istio/istio
pilot/pkg/model/sidecar.go and push_context.go (what is seen), pilot/pkg/networking/core/listener.go (what takes it).
"""

from collections.abc import Callable

from analyzer.detection.texts import shown
from analyzer.mesh.model import Port, ServiceEntry, VirtualService
from analyzer.mesh.names import network_of
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.readiness import unseen
from analyzer.readiness.cause import Case, Cause, about, of_routes
from analyzer.readiness.edits import Edit
from analyzer.vocabulary import CauseCode, Outcome, Resolution

_TAKES = {
    PortClass.HTTP: {"HTTP", "GRPC"},
    PortClass.TLS: {"TLS"},
    PortClass.TCP: {"HTTP", "GRPC", "TLS", "TCP"},
    PortClass.AUTO: {"HTTP", "GRPC", "TLS", "TCP"},
}


_BY_ROUTES = ("no_route", "direct_response", "route_without_cluster")
"""Rules of the replay that a VirtualService's routes decide by, so that `by` is its name."""


def cause_of(case: Case) -> Cause:
    """The first answer; that there is no entry is what is left."""
    return next(cause for question in _QUESTIONS if (cause := question(case)) is not None)


def _taken_astray(case: Case) -> Cause | None:
    if not case.decision.stray:
        return None
    entry = case.sight.entry(case.decision.by)
    if entry is None:
        return Cause(
            CauseCode.CAPTURED, case.decision.because, f"Narrow {case.decision.by}: it takes what is not its own."
        )
    return _capturing(entry, case)


def _capturing(entry: ServiceEntry, case: Case) -> Cause:
    """What an entry that takes others' traffic should say instead."""
    port = case.port_of(entry)
    kind = None if port is None else port_class(port.protocol)
    number = case.request.destination_port
    if kind is PortClass.TLS and entry.addresses:
        repair = "Take its `addresses` out: without them the server name tells hosts apart."
        edits = (Edit(entry.reference, "addresses", removed="*"),)
        return about(CauseCode.CAPTURED, entry, case.decision.because, repair, *edits)
    if entry.addresses:
        repair = (
            f"Narrow its `addresses` to those of {shown(', '.join(entry.hosts[:2]))}, or leave port {number} out of it."
        )
    elif kind in (PortClass.TCP, PortClass.AUTO):
        repair = f"Give it `addresses`, or make its port {number} TLS if that is spoken: it takes all bytes there."
    else:
        repair = f"Leave port {number} out of it, or narrow its hosts."
    return about(CauseCode.CAPTURED, entry, case.decision.because, repair)


def _cannot_work(case: Case) -> Cause | None:
    if case.decision.outcome is not Outcome.BROKEN:
        return None
    entry = case.sight.entry(case.decision.by)
    if entry is None and case.request.method_is_connect:
        near = next(iter(case.relatives()), None)
        repair = f"Declare the proxy's port {case.request.destination_port} as TCP, by its addresses."
        if near is None:
            return Cause(CauseCode.PROTOCOL_WRONG, case.decision.because, repair)
        return about(CauseCode.PROTOCOL_WRONG, near.entry, case.decision.because, repair)
    routes = case.sight.relatives.virtual_services.get(case.decision.by or "")
    if routes is not None and case.decision.rule in _BY_ROUTES:
        return of_routes(
            CauseCode.CANNOT_WORK, routes, case.decision.because, "Mend the route that takes it, or add one."
        )
    if entry is None:
        return Cause(
            CauseCode.CANNOT_WORK, case.decision.because, "Mend what it names; the request has matched already."
        )
    upper = [host for host in entry.hosts if host != host.lower()]
    if upper:
        edits = tuple(Edit(entry.reference, "hosts", host.lower(), host) for host in upper)
        repair = f"Write {shown(', '.join(upper[:2]))} in lower case."
        return about(CauseCode.NAME_DIFFERS, entry, case.decision.because, repair, *edits)
    return about(CauseCode.CANNOT_WORK, entry, case.decision.because, _repair_of_broken(entry, case))


def _repair_of_broken(entry: ServiceEntry, case: Case) -> str:
    number, host = case.request.destination_port, case.request.key.host or ""
    if case.decision.rule == "http_proxy_takes_all":
        return f"Make the protocol of its port {number} HTTP or TCP."
    if case.decision.rule == "listener_refused":
        return f"Write names for port {number} that begin with `*.` or no star, each in one entry or route alone."
    if case.sight.relatives.service(host) is not None:
        return "Add the port to the Service, or give the entry a host of its own."
    if entry.workload_selector is not None:
        return "Let its `workloadSelector` select what runs, or give it `endpoints` in its place."
    if entry.resolution is Resolution.DYNAMIC_DNS:
        return "Make its `resolution` NONE for a wildcard, DNS for a full name."
    if not entry.endpoints and entry.resolution is Resolution.STATIC:
        return "Add `endpoints`, or make its `resolution` DNS."
    if not entry.endpoints and entry.resolution is not Resolution.NONE and any("*" in name for name in entry.hosts):
        return "Make its `resolution` NONE, or add `endpoints`."
    return "Make one entry of those for this host, or give them the same resolution, labels and exportTo."


def _seen_here(case: Case) -> Cause | None:
    """An entry for it that this namespace sees: its port, its protocol, its addresses, or who stands before it."""
    near = next((near for near in case.relatives() if case.sight.sees(near)), None)
    if near is None:
        return None
    entry, port = near.entry, case.port_of(near.entry)
    number = case.request.destination_port
    if port is None:
        return _port_missing(case, entry)
    kind = port_class(port.protocol)
    if kind is None or case.protocol not in _TAKES.get(kind, ()):
        declared = port.protocol or "no protocol"
        because = f"{entry.reference} has port {number} as {declared}, and {case.protocol} was spoken there."
        repair = f"Make the protocol of its port {number} {case.protocol}."
        edit = Edit(entry.reference, "ports", Port(port.number, port.name, case.protocol))
        return about(CauseCode.PROTOCOL_WRONG, entry, because, repair, *([edit] if case.protocol != "TCP" else []))
    dialled = case.request.destination_ip
    if entry.addresses and kind is not PortClass.HTTP and dialled and not _holds(entry.addresses, dialled):
        return _address_differs(case, entry, kind, dialled)
    return _stands_before(case, entry)


def _port_missing(case: Case, entry: ServiceEntry) -> Cause:
    number, protocol = case.request.destination_port, case.protocol
    if number is None:
        return about(
            CauseCode.PORT_MISSING, entry, "The log does not show which port was dialled.", "None can be named."
        )
    declared = ", ".join(str(port.number) for port in entry.ports) or "none"
    because = f"{entry.reference} is for this host and does not have port {number} (it has {declared})."
    hidden = [near.entry for near in case.relatives() if case.port_of(near.entry) and case.sight.hidden(near)]
    if hidden:
        why = "an entry of one's own namespace hides all others for a host"
        if entry.namespace != case.request.key.source_namespace:
            why = "proxies here take a host from one namespace alone"
        because += f" {hidden[0].reference} has it, and {why}."
    unsafe = protocol == "TCP" and not entry.addresses
    repair = f"Add port {number} {protocol} to it{', with `addresses`' if unsafe else ''}."
    edit = Edit(entry.reference, "ports", Port(number, f"{protocol.lower()}-{number}", protocol))
    return about(CauseCode.PORT_MISSING, entry, because, repair, *([] if unsafe else [edit]))


def _address_differs(case: Case, entry: ServiceEntry, kind: PortClass, dialled: str) -> Cause:
    because = f"{entry.reference} stands at {shown(', '.join(entry.addresses[:3]))} alone, and {dialled} was dialled."
    if kind is PortClass.TLS:
        repair = "Take its `addresses` out: the server name is enough."
        return about(CauseCode.ADDRESS_DIFFERS, entry, because, repair, Edit(entry.reference, "addresses", removed="*"))
    repair = f"Add {dialled} to its `addresses`, if it belongs to the same owner."
    return about(CauseCode.ADDRESS_DIFFERS, entry, because, repair, Edit(entry.reference, "addresses", dialled))


def _stands_before(case: Case, entry: ServiceEntry) -> Cause:
    """It is seen and should match: then another entry's chain for the same addresses comes first."""
    dialled = case.request.destination_ip
    others = [
        near.entry
        for near in (case.sight.relatives.of_address(dialled) if dialled else [])
        if near.entry.reference != entry.reference and case.port_of(near.entry) and case.sight.sees_any(near.entry)
    ]
    turned = [item for near in case.relatives() if near.entry is entry for item in _turning(case, near.pattern)]
    if turned:
        because = (
            f"TLS routes of {turned[0].reference} stand in for the chain of {entry.reference}, and none takes this."
        )
        repair = f"Add {shown(case.request.requested_server_name or '')} to the `sniHosts` of a route of it."
        return of_routes(CauseCode.CAPTURED, turned[0], because, repair)
    if not others:
        return about(
            CauseCode.CAPTURED,
            entry,
            f"{entry.reference} should admit it, and does not: {case.decision.because}",
            "Look at what else is declared for this port.",
        )
    other = others[0]
    because = (
        f"{other.reference} has a chain of its own for {dialled} on port {case.request.destination_port}, which comes "
        f"before that of {entry.reference} and does not take this."
    )
    return about(CauseCode.CAPTURED, other, because, f"Take `addresses` out of {other.reference}, or narrow them.")


def _turning(case: Case, pattern: str) -> list[VirtualService]:
    named = case.request.requested_server_name is not None
    return case.sight.relatives.tls_routes_of(pattern) if named else []


def _holds(addresses: tuple[str, ...], dialled: str) -> bool:
    wanted = network_of(dialled)
    networks = [network_of(address) for address in addresses]
    return any(
        network is not None and wanted is not None and network.version == wanted.version and network.overlaps(wanted)
        for network in networks
    )


_QUESTIONS: tuple[Callable[[Case], Cause | None], ...] = (
    _taken_astray,
    _cannot_work,
    unseen.left_out_by_a_sidecar,
    _seen_here,
    unseen.service_lacks_it,
    unseen.behind_a_sidecar,
    unseen.not_exported,
    unseen.name_differs,
    unseen.auto_allocated,
    unseen.name_unknown,
    unseen.no_entry,
)
