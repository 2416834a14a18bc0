"""Extend what exists: a port or a namespace that an entry lacks is added to it, not written beside it.

A second entry for a host would hide the first one's ports, or lose its own (istio/istio pilot/pkg/model/sidecar.go),
so what has an entry already is an edit of that entry.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from analyzer.evidence import Judged
from analyzer.mesh.model import Port, ServiceEntry
from analyzer.mesh.protocols import port_class
from analyzer.proposals.existing import CLASS_OF, Lacking
from analyzer.proposals.manifest_kind import Candidate, Unmakeable
from analyzer.proposals.naming import object_name
from analyzer.proposals.needs import cannot, one_protocol_a_port, ports_of, protocols_of, why_inexpressible
from analyzer.settings import Settings
from analyzer.vocabulary import MANAGED_BY, MANAGED_BY_LABEL

_FEW = 5


def extended(lacking: Lacking, settings: Settings) -> tuple[list[Candidate], list[Unmakeable]]:
    """The entry with what its destinations need, if it can be given any of that, and what it cannot be given."""
    entry = lacking.entry
    unmakeable: list[Unmakeable] = []
    wanted: list[Judged] = []
    for item in lacking.items:
        problem = why_inexpressible(item, settings) or _why_no_port(item, lacking)
        if problem is None:
            wanted.append(item)
        else:
            unmakeable.append(problem)
    items = one_protocol_a_port(wanted, unmakeable)
    if not items:
        return [], unmakeable
    declared = {port.number for port in entry.ports}
    needed = {number: protocol for number, protocol in protocols_of(items).items() if number not in declared}
    added = ports_of(needed.items(), {port.name for port in entry.ports})
    scopes = tuple("." if name == entry.namespace else name for name in lacking.namespaces)
    longer = replace(entry, ports=(*entry.ports, *added), export_to=(*entry.export_to, *scopes))
    widens = _widens(entry, items, added, lacking.namespaces)
    instead = _instead(longer, items, settings)
    made = Candidate(longer, tuple(items), widens=widens, needs_review=bool(widens), narrower=instead, base=entry)
    return [made], unmakeable


def _instead(longer: ServiceEntry, items: Sequence[Judged], settings: Settings) -> tuple[Candidate, ...]:
    """Entries of the callers' own with all the ports, where the edit of a shared one would reach too far."""
    if longer.workload_selector is not None or len(longer.addresses) > 0:
        return ()
    groups: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for item in items:
        namespace = item.key.source_namespace or settings.proposals.default_namespace or ""
        if namespace == longer.namespace or item.key.host is None:
            return ()
        groups[namespace, item.key.host].append(item)
    return tuple(
        Candidate(
            replace(
                longer,
                namespace=namespace,
                name=object_name(host),
                hosts=(host,),
                export_to=settings.proposals.export_to,
                labels={MANAGED_BY_LABEL: MANAGED_BY},
                annotations={},
                creation_timestamp=None,
                proposed=True,
                origin=None,
            ),
            tuple(own),
            widens=f"Stands in this namespace for {longer.reference}, and takes over the ports of that.",
            needs_review=True,
        )
        for (namespace, host), own in sorted(groups.items())
    )


def _why_no_port(item: Judged, lacking: Lacking) -> Unmakeable | None:
    """What stands against adding the port that a destination needs, before anything is replayed."""
    entry, number, protocol = lacking.entry, item.key.destination_port, item.key.application_protocol
    declared = next((port for port in entry.ports if port.number == number), None)
    if declared is None or item.key in lacking.hidden_from:
        return None
    spoken = protocol.upper() if protocol else "unknown"
    same = protocol is not None and port_class(declared.protocol) is CLASS_OF.get(protocol)
    return cannot(
        [item],
        "existing_entry",
        f"{entry.reference} is for this host and declares port {number} as {declared.protocol or 'no protocol'}, which "
        f"does not admit this {spoken} traffic: "
        + (
            "mend what keeps the entry from working; a second one would hide its ports or lose its own."
            if same
            else f"change the protocol there if nobody needs it, or move the {spoken} to another port."
        ),
    )


def _widens(entry: ServiceEntry, items: Sequence[Judged], added: Sequence[Port], namespaces: Sequence[str]) -> str:
    """What an edit opens beyond those whom it is made for; empty where that is nothing."""
    asked = {item.key.host for item in items}
    others = sorted(host for host in entry.hosts if host.lower() not in asked)
    opened = ", ".join(f"{port.number} {port.protocol}" for port in added)
    callers = {item.key.source_namespace for item in items}
    sentences = []
    if added and others:
        sentences.append(f"Port {opened} opens for the entry's other hosts too: {_listed(others)}.")
    if added and _seen_by_more(entry, callers):
        scopes = ", ".join(entry.export_to) or "*"
        sentences.append(f"Port {opened} opens for everybody to whom the entry is exported ({scopes}).")
    spare = [port for port in entry.ports if port.number not in {item.key.destination_port for item in items}]
    if namespaces and spare:
        also = ", ".join(f"{port.number} {port.protocol}" for port in spare)
        sentences.append(f"Port {also} opens for {_listed(namespaces)} too.")
    return " ".join(sentences)


def _seen_by_more(entry: ServiceEntry, callers: set[str | None]) -> bool:
    scopes = {entry.namespace if scope == "." else scope for scope in entry.export_to or ("*",)}
    return not scopes <= callers


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")
