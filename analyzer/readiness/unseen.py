"""Questions about what is not seen here: what a Sidecar or an export keeps away, other names, no entry."""

from analyzer.detection.texts import shown
from analyzer.mesh.model import Port, Sidecar
from analyzer.proposals.listing import missing_line
from analyzer.readiness.cause import Case, Cause, about
from analyzer.readiness.edits import EGRESS, Edit
from analyzer.readiness.relatives import Near
from analyzer.settings import inside
from analyzer.vocabulary import CauseCode, Outcome


def left_out_by_a_sidecar(case: Case) -> Cause | None:
    """The replay found it: without the Sidecar's egress list something would take it."""
    sidecar = case.sight.relatives.sidecars.get(case.decision.by or "")
    if case.decision.rule != "sidecar_egress_list" or sidecar is None:
        return None
    near = next(iter(case.relatives()), None)
    return None if near is None else _unlisted(case, near, sidecar)


def behind_a_sidecar(case: Case) -> Cause | None:
    """An entry that is exported here, where the Sidecar of all workloads does not list it."""
    near = next((near for near in case.relatives() if case.sight.exported(near.entry)), None)
    sidecar = None if near is None else case.sight.sidecar
    return None if near is None or sidecar is None else _unlisted(case, near, sidecar)


def _unlisted(case: Case, near: Near, sidecar: Sidecar) -> Cause:
    host, home = near.pattern if near.pattern in near.entry.hosts else near.entry.hosts[0], near.entry.namespace
    client = case.request.key.source_namespace or ""
    found = missing_line(sidecar, home, host, client, case.request.destination_port, case.sight.version)
    because = f"Sidecar {sidecar.reference} does not list {home}/{host}, so {near.entry.reference} is not seen here."
    repair = "Look at its egress lists: they take the host, and not from this entry."
    edits: tuple[Edit, ...] = ()
    if found is not None:
        repair = f"Add {found.line} to `egress.hosts` of Sidecar {sidecar.reference}."
        edits = (Edit(sidecar.reference, EGRESS, (found.listener, found.line)),)
    origin = sidecar.origin
    place = None if origin is None else f"{origin.file}:{origin.line}"
    return Cause(CauseCode.SIDECAR_LIST, because, repair, f"Sidecar/{sidecar.reference}", place, edits)


def not_exported(case: Case) -> Cause | None:
    """An entry for it that is exported to others alone."""
    near = next(iter(case.relatives()), None)
    if near is None:
        return None
    entry = near.entry
    scopes = ", ".join(case.sight.scopes(entry))
    namespace = case.request.key.source_namespace
    if namespace is None:
        because = f"{entry.reference} is exported to {scopes}, and the log does not show which namespace called."
        return about(CauseCode.NOT_EXPORTED, entry, because, "Ingest with `--label source_namespace=NAME`.")
    because = f"{entry.reference} is exported to {scopes}, not to {shown(namespace)}."
    edit = Edit(entry.reference, "export_to", namespace)
    if "~" in entry.export_to:
        hidden = Edit(entry.reference, "export_to", namespace, removed="*")
        return about(CauseCode.NOT_EXPORTED, entry, because, f"Write {shown(namespace)} in place of `~`.", hidden)
    if entry.export_to:
        return about(CauseCode.NOT_EXPORTED, entry, because, f"Add {shown(namespace)} to its `exportTo`.", edit)
    repair = f"Give it an `exportTo` of `.` and {shown(namespace)}."
    return about(CauseCode.NOT_EXPORTED, entry, because, repair, Edit(entry.reference, "export_to", "."), edit)


def service_lacks_it(case: Case) -> Cause | None:
    """A name inside the cluster: its Service would have to declare the port."""
    service = None if case.request.key.host is None else case.sight.relatives.service(case.request.key.host)
    if service is None:
        return None
    number = case.request.destination_port
    place = f"{service.origin.file}:{service.origin.line}" if service.origin else None
    declared = ", ".join(str(port.number) for port in service.ports) or "none"
    if any(port.number == number for port in service.ports):
        because, repair = (
            f"Service {service.reference} has port {number}, and is not seen here.",
            "Look at its exportTo.",
        )
    else:
        because = f"Service {service.reference} does not have port {number} (it has {declared})."
        repair = f"Add port {number} to the Service, or have the client use a port that it has."
    return Cause(CauseCode.PORT_MISSING, because, repair, f"Service/{service.reference}", place)


def name_differs(case: Case) -> Cause | None:
    """An entry for a name that somebody may have taken for this one: an apex, www, a trailing dot."""
    host = case.request.key.host
    found = [] if host is None else case.sight.relatives.almost(host, dotted=case.dotted)
    near = next((near for near in found if case.sight.exported(near.entry)), None)
    if near is None or host is None:
        return None
    entry = near.entry
    because = f"{entry.reference} is for {shown(near.pattern)}: {shown(near.difference or '')}."
    if case.dotted and not near.pattern.endswith("."):
        return about(
            CauseCode.NAME_DIFFERS,
            entry,
            because,
            "Have the client ask without the dot: no entry matches one in a server name.",
        )
    if near.pattern.endswith("."):
        edit = Edit(entry.reference, "hosts", near.pattern.rstrip("."), near.pattern)
        return about(CauseCode.NAME_DIFFERS, entry, because, "Write its host without the trailing dot.", edit)
    edit = Edit(entry.reference, "hosts", host)
    return about(CauseCode.NAME_DIFFERS, entry, because, f"Add {shown(host)} to its `hosts`.", edit)


def auto_allocated(case: Case) -> Cause | None:
    """An address that Istio's DNS proxy made up, of an entry that lacks the port or is gone."""
    address = case.request.destination_ip
    if address is None or not inside(address, case.settings.networks.auto_allocated):
        return None
    near = next(iter(case.sight.relatives.of_auto_address(address)), None)
    if near is None:
        return Cause(
            CauseCode.AUTO_ALLOCATED,
            f"Istio's DNS proxy made {address} up for some entry's host; none that was given has it (any more).",
            "Have the client look the name up again; give --mesh an export with `status.addresses` to see whose it is.",
        )
    entry, number, protocol = near.entry, case.request.destination_port, case.protocol
    because = (
        f"{address} stands for {shown(near.pattern)} of {entry.reference}, which does not take this on port {number}."
    )
    if number is None or case.port_of(entry) is not None:
        return about(CauseCode.AUTO_ALLOCATED, entry, because, "Mend that entry's ports.")
    edit = Edit(entry.reference, "ports", Port(number, f"{protocol.lower()}-{number}", protocol))
    return about(CauseCode.AUTO_ALLOCATED, entry, because, f"Add port {number} {protocol} to it.", edit)


def name_unknown(case: Case) -> Cause | None:
    """What would decide was not logged."""
    if case.decision.outcome is not Outcome.CONDITIONAL:
        return None
    return Cause(
        CauseCode.NAME_UNKNOWN,
        f"It depends on what the log does not show. {case.decision.because}",
        "Make the proxy log it: a TLS entry on the port makes Istio read server names, %REQ(:AUTHORITY)% is the Host.",
    )


def no_entry(case: Case) -> Cause:
    """What is left when nobody else knows."""
    number = case.request.destination_port
    known = (
        "No entry of the mesh is for"
        if case.sight.is_known
        else "The mesh was not given (--mesh); no entry is known for"
    )
    because = f"{known} {case.asked}."
    if case.request.key.host is None:
        because += " The log shows no name for it."
        return Cause(
            CauseCode.NO_ENTRY, because, f"Find out whose address it is; then an entry by its addresses, port {number}."
        )
    where = f" with port {number} {case.protocol}" if number else ""
    return Cause(CauseCode.NO_ENTRY, because, f"Add an entry for {shown(case.request.key.host)}{where}.")
