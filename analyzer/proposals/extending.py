"""Edit what exists: what an entry lacks is added to it or changed in it, not written beside it.

A second entry for a host would hide the first one's ports, or lose its own (istio/istio pilot/pkg/model/sidecar.go),
so what has an entry already is an edit of that entry, or of the Sidecar that keeps it from being seen.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from analyzer.evidence import Judged
from analyzer.mesh.model import Port, ServiceEntry
from analyzer.mesh.names import best_cover
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.proposals.existing import CLASS_OF, Lacking
from analyzer.proposals.manifest_kind import Candidate, Unmakeable
from analyzer.proposals.naming import object_name
from analyzer.proposals.needs import cannot, one_protocol_a_port, ports_of, protocols_of, why_inexpressible
from analyzer.proposals.unlisted import Unlisted
from analyzer.settings import Settings
from analyzer.vocabulary import MANAGED_BY, MANAGED_BY_LABEL, Resolution

_FEW = 5
_TOLD_APART = frozenset((PortClass.HTTP, PortClass.TLS))
"""Classes of which neither takes what the other does."""
_OF_BYTES = (PortClass.TCP, PortClass.AUTO)
"""Classes that take everything; what fails there fails for another reason."""


def extended(
    lacking: Lacking, unlisted: Unlisted, settings: Settings, root: str
) -> tuple[list[Candidate], list[Unmakeable]]:
    """The edits that give destinations what they lack, and those that cannot be given it.

    `root` is the namespace whose Sidecar holds for all that have none.
    """
    unmakeable: list[Unmakeable] = []
    wanted: list[Judged] = []
    for item in lacking.items:
        problem = why_inexpressible(item, settings) or _why_no_port(item, lacking)
        if problem is None:
            wanted.append(item)
        else:
            unmakeable.append(problem)
    chosen = one_protocol_a_port(wanted, unmakeable)
    shown = [item for item in chosen if _lacks_a_line_alone(item, lacking)]
    items = [item for item in chosen if item not in shown]
    made = [_changed(lacking, items, settings)] if items else []
    for sidecars, hidden in _by_sidecars(shown, unlisted, unmakeable):
        made.append(_listed(lacking.entry, sidecars, hidden, settings, root))
    return made, unmakeable


def _lacks_a_line_alone(item: Judged, lacking: Lacking) -> bool:
    """Whether nothing but the egress list of a Sidecar stands between a destination and its entry."""
    declared = _declared(lacking.entry, item)
    if item.key not in lacking.unlisted or declared is None:
        return False
    return _kinds(declared, item)[0] in (*_OF_BYTES, _kinds(declared, item)[1]) and not _is_to_turn(item, lacking)


def _declared(entry: ServiceEntry, item: Judged) -> Port | None:
    return next((port for port in entry.ports if port.number == item.key.destination_port), None)


def _kinds(port: Port, item: Judged) -> tuple[PortClass | None, PortClass | None]:
    """What a port takes, and what a destination speaks."""
    protocol = item.key.application_protocol
    return port_class(port.protocol), CLASS_OF.get(protocol) if protocol else None


def _is_to_turn(item: Judged, lacking: Lacking) -> bool:
    """Whether the declared port should be of another protocol for a destination.

    HTTP does not take TLS, nor TLS HTTP; and whom a port of bytes comes to be shown anew, it would let out anywhere.
    """
    entry, key = lacking.entry, item.key
    declared = _declared(entry, item)
    if declared is None:
        return False
    kind, spoken = _kinds(declared, item)
    is_new = key in lacking.unlisted or key in lacking.hidden_from
    opens = kind in _OF_BYTES and spoken is PortClass.TLS and not entry.addresses and is_new
    return opens or (kind is not spoken and {kind, spoken} == _TOLD_APART)


def _changed(lacking: Lacking, items: Sequence[Judged], settings: Settings) -> Candidate:
    """The entry with the ports, protocols and scopes that its destinations need."""
    entry = lacking.entry
    needed = protocols_of(items)
    declared = {port.number for port in entry.ports}
    lacking_ports = ((number, word) for number, word in needed.items() if number not in declared)
    added = ports_of(lacking_ports, {port.name for port in entry.ports})
    other = {n: needed[n] for item in items if _is_to_turn(item, lacking) and (n := item.key.destination_port)}
    ports = tuple(replace(port, protocol=other.get(port.number, port.protocol)) for port in entry.ports)
    scopes = tuple("." if name == entry.namespace else name for name in lacking.namespaces)
    longer = replace(entry, ports=(*ports, *added), export_to=(*entry.export_to, *scopes))
    widens = " ".join([*_widens(entry, items, added, lacking.namespaces), *turned(entry, other)])
    instead = _instead(longer, items, settings)
    return Candidate(longer, tuple(items), widens=widens, needs_review=bool(widens), narrower=instead, base=entry)


def _listed(
    entry: ServiceEntry, sidecars: Sequence[str], items: Sequence[Judged], settings: Settings, root: str
) -> Candidate:
    """The entry as it is, for callers whose Sidecars lack a line for it; else an own entry with the ports they use."""
    names = sorted({item.key.source_namespace or "" for item in items})
    hosts = sorted({best_cover(entry.hosts, item.key.host) or entry.hosts[0] for item in items})
    sentences = _also_opens(entry, items, names)
    sentences += [
        f"Every name below {host.removeprefix('*.')} is admitted then." for host in hosts if host.startswith("*")
    ]
    everybody = [name for name in sidecars if name.partition("/")[0] == root]
    if everybody and entry.namespace not in names:
        sentences.append(f"{', '.join(everybody)} holds in every namespace that has no Sidecar of its own.")
    widens = " ".join(sentences)
    own = replace(entry, ports=ports_of(protocols_of(items).items()))
    instead = _instead(own, items, settings)
    return Candidate(entry, tuple(items), widens=widens, needs_review=bool(widens), narrower=instead, base=entry)


def _by_sidecars(
    items: Iterable[Judged], unlisted: Unlisted, unmakeable: list[Unmakeable]
) -> list[tuple[Sequence[str], list[Judged]]]:
    """Destinations by the Sidecars that hold for their callers."""
    found: dict[tuple[str, ...], list[Judged]] = defaultdict(list)
    for item in items:
        sidecars = unlisted.sidecars(item)
        if sidecars is not None:
            found[tuple(sidecar.reference for sidecar in sidecars)].append(item)
            continue
        reason = (
            "The egress list of a Sidecar hides its entry, and which Sidecar holds for the caller is not known: "
            "add Pod documents to --mesh."
        )
        unmakeable.append(cannot([item], "sidecar_unknown", reason))
    return sorted(found.items())


def _instead(longer: ServiceEntry, items: Sequence[Judged], settings: Settings) -> tuple[Candidate, ...]:
    """Entries of the callers' own with the same ports, where the edit of a shared one would reach too far."""
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
                resolution=longer.resolution if host in longer.hosts else Resolution.DNS,
                export_to=settings.proposals.export_to,
                labels={MANAGED_BY_LABEL: MANAGED_BY},
                annotations={},
                creation_timestamp=None,
                proposed=True,
                origin=None,
            ),
            tuple(own),
            widens=f"Stands in this namespace for {longer.reference}, with its port {_named(longer.ports)}.",
            needs_review=True,
        )
        for (namespace, host), own in sorted(groups.items())
    )


def _why_no_port(item: Judged, lacking: Lacking) -> Unmakeable | None:
    """What stands against giving a destination the port that it needs, before anything is replayed."""
    entry, number, protocol = lacking.entry, item.key.destination_port, item.key.application_protocol
    declared = _declared(entry, item)
    if declared is None or item.key in lacking.hidden_from:
        return None
    if _lacks_a_line_alone(item, lacking) or _is_to_turn(item, lacking):
        return None
    kind, spoken = _kinds(declared, item)
    same = spoken is not None and kind is spoken
    return cannot(
        [item],
        "existing_entry",
        f"{entry.reference} is for this host and declares port {number} as {declared.protocol or 'no protocol'}, which "
        f"does not admit this {protocol.upper() if protocol else 'unknown'} traffic: "
        + (
            "mend what keeps the entry from working; a second one would hide its ports or lose its own."
            if same
            else "change the protocol there if nobody needs it, or move the traffic to another port."
        ),
    )


def _widens(
    entry: ServiceEntry, items: Sequence[Judged], added: Sequence[Port], namespaces: Sequence[str]
) -> list[str]:
    """What an edit opens beyond those whom it is made for."""
    asked = {item.key.host for item in items}
    others = sorted(host for host in entry.hosts if host.lower() not in asked)
    opened = _named(added)
    callers = {item.key.source_namespace for item in items}
    sentences = []
    if added and others:
        sentences.append(f"Port {opened} opens for the entry's other hosts too: {_few(others)}.")
    if added and _seen_by_more(entry, callers):
        scopes = ", ".join(entry.export_to) or "*"
        sentences.append(f"Port {opened} opens for everybody to whom the entry is exported ({scopes}).")
    return sentences + _also_opens(entry, items, namespaces)


def _also_opens(entry: ServiceEntry, items: Sequence[Judged], namespaces: Sequence[str]) -> list[str]:
    """Ports of an entry that namespaces come to see without having been seen to need them."""
    spare = [port for port in entry.ports if port.number not in {item.key.destination_port for item in items}]
    if not namespaces or not spare:
        return []
    return [f"Port {_named(spare)} opens for {_few(namespaces)} too."]


def turned(entry: ServiceEntry, protocols: Iterable[int]) -> list[str]:
    """What a port with another protocol no longer takes, whoever sees the entry."""
    before = {port.number: _TAKEN[port_class(port.protocol)] for port in entry.ports if port.number in set(protocols)}
    scopes = ", ".join(entry.export_to) or "*"
    return [
        f"Port {number} no longer takes {taken}: nobody in this log needs that; others who see it ({scopes}) may."
        for number, taken in sorted(before.items())
    ]


_TAKEN: Mapping[PortClass | None, str] = {
    PortClass.HTTP: "plain HTTP",
    PortClass.TLS: "TLS",
    PortClass.TCP: "whatever is sent there",
    PortClass.AUTO: "whatever is sent there",
}


def _seen_by_more(entry: ServiceEntry, callers: set[str | None]) -> bool:
    scopes = {entry.namespace if scope == "." else scope for scope in entry.export_to or ("*",)}
    return not scopes <= callers


def _named(ports: Iterable[Port]) -> str:
    return ", ".join(f"{port.number} {port.protocol}" for port in ports)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")
