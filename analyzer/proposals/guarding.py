"""TLS that goes out through a port declared as TCP: declared as TLS, the port would let out its own hosts alone.

A port without `addresses` that looks at bytes takes whatever is sent there (istio/istio pilot/pkg/networking/core/
listener.go, buildListenerFromEntry); a TLS port takes the server names of its entry (core/tls.go).
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace

from analyzer.evidence import Judged, Request
from analyzer.mesh.model import Mesh, ServiceEntry
from analyzer.mesh.names import best_cover
from analyzer.proposals.existing import Existing, is_nameable
from analyzer.proposals.extending import turned
from analyzer.proposals.manifest_kind import Candidate
from analyzer.simulation import Decision, Simulator
from analyzer.vocabulary import ApplicationProtocol, Outcome, Verdict

_OPEN = ("TCP", "")
_Use = tuple[Judged, Request, Decision]


def guarded(kept: Iterable[Candidate], judged: Iterable[Judged], mesh: Mesh, after: Simulator) -> list[Candidate]:
    """Edits that have entries look at server names, each with what is kept already of its entry's edit.

    `mesh` is as it is, `after` replays it with everything that is kept.
    """
    edits = {candidate.service_entry.reference: candidate for candidate in kept if candidate.makes_entry}
    known = Existing(mesh)
    found: list[Candidate] = []
    bases = {entry.reference: entry for entry in mesh.service_entries if is_nameable(entry)}
    for reference, uses in _unguarded(judged, after, bases).items():
        base = bases[reference]
        items = {item.key: item for used in uses.values() for item, _, _ in used if item.verdict is Verdict.LEGITIMATE}
        if not items or any(known.rivals(base, key, to_export=False) for key in items):
            continue
        edit = edits.get(reference) or Candidate(base, (), base=base)
        entry = edit.service_entry
        ports = tuple(replace(port, protocol="TLS") if port.number in uses else port for port in entry.ports)
        found.append(
            replace(
                edit,
                service_entry=replace(entry, ports=ports),
                made_for=tuple({item.key: item for item in (*edit.made_for, *items.values())}.values()),
                widens=" ".join(filter(None, [edit.widens, *turned(base, uses)])),
                needs_review=True,
                narrower=(),
            )
        )
    return found


def _unguarded(
    judged: Iterable[Judged], after: Simulator, bases: Container[str]
) -> Mapping[str, Mapping[int, Sequence[_Use]]]:
    """What goes out through ports, by entry and port, where all of that is TLS to the entry's own hosts, by name."""
    entries = [entry for entry in after.mesh.service_entries if entry.reference in bases and _could_match(entry)]
    ports = {
        (entry.reference, port.number): entry for entry in entries for port in entry.ports if port.protocol in _OPEN
    }
    if not ports:
        return {}
    uses: dict[tuple[str, int], list[_Use]] = defaultdict(list)
    for item in judged:
        for request in item.destination.requests:
            decision = after.decide(request)
            place = decision.by or "", request.destination_port or 0
            if place in ports:
                uses[place].append((item, request, decision))
    found: dict[str, dict[int, Sequence[_Use]]] = defaultdict(dict)
    for (reference, number), used in sorted(uses.items(), key=lambda pair: pair[0]):
        if all(_is_own_tls(ports[reference, number], request, decision) for _, request, decision in used):
            found[reference][number] = used
    return found


def _could_match(entry: ServiceEntry) -> bool:
    """Whether the entry's ports would match by server name if they were TLS; Envoy refuses odd wildcards there."""
    return (
        not entry.addresses
        and entry.workload_selector is None
        and all("*" not in host.removeprefix("*.") for host in entry.hosts)
    )


def _is_own_tls(entry: ServiceEntry, request: Request, decision: Decision) -> bool:
    name = request.requested_server_name or ""
    return (
        decision.outcome is Outcome.ALLOWED
        and decision.unguarded
        and request.application_protocol is ApplicationProtocol.TLS
        and not name.endswith(".")
        and best_cover(entry.hosts, name or None) is not None
    )
