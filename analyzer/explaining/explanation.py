"""Follow one destination from the log lines to the decision."""

from collections.abc import Iterator
from dataclasses import dataclass

from analyzer.evidence import Judged
from analyzer.explaining.learning import LearnedName, names_of
from analyzer.explaining.lookup import found
from analyzer.mesh.model import Mesh, ServiceEntry
from analyzer.mesh.names import covers, network_of
from analyzer.pipeline import Audit
from analyzer.proposals import NotProposed, Proposal
from analyzer.readiness import Block
from analyzer.simulation import ReplayedDestination


@dataclass(frozen=True)
class Touching:
    """An entry of the mesh that is for the destination's name or address: which, where it is written, and how."""

    reference: str
    place: str | None
    how: str


@dataclass(frozen=True)
class Explanation:
    """Everything known about one destination of one workload."""

    judged: Judged
    names: tuple[LearnedName, ...]
    manifests: tuple[Touching, ...]
    causes: tuple[Block, ...]
    proposals: tuple[Proposal, ...]
    not_proposed: NotProposed | None
    replay: ReplayedDestination | None
    replay_as_is: ReplayedDestination | None


def explain(audit: Audit, what: str) -> list[Explanation]:
    """The destinations that a host, a `*.` pattern, an address or a CIDR names, each with its whole chain.

    Raises `UsageError` where the log shows none.
    """
    return [_explain(audit, judged) for judged in found(audit.judged, audit.mesh, what)]


def _explain(audit: Audit, judged: Judged) -> Explanation:
    key = judged.key
    refusals = (item for item in audit.proposals.not_proposed if item.key == key)
    return Explanation(
        judged=judged,
        names=tuple(dict.fromkeys(names_of(judged, audit.judged))),
        manifests=tuple(sorted(_touching(audit.mesh, judged), key=lambda touching: touching.reference)),
        causes=audit.assessment.causes.get(key, ()),
        proposals=audit.proposals.of(key),
        not_proposed=next(refusals, None),
        replay=next((d for d in audit.replay.destinations if d.key == key), None),
        replay_as_is=next((d for d in audit.replay_as_is.destinations if d.key == key), None),
    )


def _touching(mesh: Mesh, judged: Judged) -> Iterator[Touching]:
    for entry in mesh.service_entries:
        how = _by_name(entry, judged) or _by_address(entry, judged)
        if how is not None:
            place = f"{entry.origin.file}:{entry.origin.line}" if entry.origin else None
            yield Touching(entry.reference, place, how)


def _by_name(entry: ServiceEntry, judged: Judged) -> str | None:
    host = judged.key.host
    pattern = None if host is None else next((name for name in entry.hosts if covers(name, host)), None)
    return None if pattern is None else f"its host {pattern}, {_ports(entry)}, exported to {_scopes(entry)}"


def _by_address(entry: ServiceEntry, judged: Judged) -> str | None:
    dialled = [network for address in judged.destination.addresses if (network := network_of(address)) is not None]
    for text in entry.addresses:
        network = network_of(text)
        if network is not None and any(n.version == network.version and n.overlaps(network) for n in dialled):
            return f"its address {text}, {_ports(entry)}, exported to {_scopes(entry)}"
    return None


def _ports(entry: ServiceEntry) -> str:
    ports = ", ".join(f"{port.number} {port.protocol or 'without protocol'}" for port in entry.ports)
    return f"port {ports}" if ports else "no ports"


def _scopes(entry: ServiceEntry) -> str:
    return ", ".join(entry.export_to) or "everybody"
