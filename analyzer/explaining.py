"""Follow one destination from the log lines to the decision."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from analyzer.errors import UsageError
from analyzer.evidence import Judged
from analyzer.mesh.model import Mesh
from analyzer.mesh.names import covers, network_of
from analyzer.pipeline import Audit
from analyzer.proposals import NotProposed, Proposal
from analyzer.shapes import destination_as_json
from analyzer.simulation import ReplayedDestination


@dataclass(frozen=True)
class LearnedName:
    """A name of the destination and how the log came to show it."""

    name: str
    learned_from: str


@dataclass(frozen=True)
class Explanation:
    """Everything known about one destination of one workload."""

    judged: Judged
    names: tuple[LearnedName, ...]
    manifests: tuple[str, ...]
    proposal: Proposal | None
    not_proposed: NotProposed | None
    replay: ReplayedDestination | None
    replay_as_is: ReplayedDestination | None


def explain(audit: Audit, mesh: Mesh, what: str) -> list[Explanation]:
    """The destinations that have this host or address, each with its whole chain.

    Raises `UsageError` where the log shows none.
    """
    wanted = what.lower().rstrip(".")
    found = [judged for judged in audit.judged if wanted in (judged.key.host, judged.key.destination_ip)]
    found = found or [judged for judged in audit.judged if wanted in judged.destination.addresses]
    if not found:
        near = sorted({j.key.host for j in audit.judged if j.key.host and wanted in j.key.host})[:3]
        raise UsageError(
            f"the log shows no destination {what}",
            hint=f"did you mean {', '.join(near)}?" if near else "`egress-audit destinations --lake DIR` lists them",
        )
    return [_explain(audit, mesh, judged) for judged in found]


def _explain(audit: Audit, mesh: Mesh, judged: Judged) -> Explanation:
    key = judged.key
    proposals = (proposal for proposal in audit.proposals.proposed if key in proposal.destinations)
    refusals = (item for item in audit.proposals.not_proposed if item.key == key)
    return Explanation(
        judged=judged,
        names=tuple(_names(audit, judged)),
        manifests=tuple(sorted(_touching(mesh, judged))),
        proposal=next(proposals, None),
        not_proposed=next(refusals, None),
        replay=next((d for d in audit.replay.destinations if d.key == key), None),
        replay_as_is=next((d for d in audit.replay_as_is.destinations if d.key == key), None),
    )


def _names(audit: Audit, judged: Judged) -> Iterator[LearnedName]:
    """The destination's own name, or names that others used for its address: a hint, since addresses are shared."""
    if judged.key.host is not None:
        for source in judged.destination.host_sources:
            yield LearnedName(judged.key.host, f"the {source.value} of its own lines")
        return
    for other in audit.judged:
        if other.key.host and judged.key.destination_ip in other.destination.addresses:
            yield LearnedName(
                other.key.host, f"lines of {other.destination.name} that dialled the same address (a hint)"
            )


def _touching(mesh: Mesh, judged: Judged) -> Iterator[str]:
    key = judged.key
    for entry in mesh.service_entries:
        networks = [network_of(address) for address in entry.addresses]
        by_name = key.host is not None and any(covers(host, key.host) for host in entry.hosts)
        by_address = key.destination_ip is not None and any(
            network is not None and network.overlaps(host)
            for network in networks
            if (host := network_of(key.destination_ip)) is not None
            and network is not None
            and network.version == host.version
        )
        if by_name or by_address:
            yield entry.reference


def explanation_as_json(explanation: Explanation) -> dict[str, Any]:
    """An explanation as plain data."""
    proposal, refusal = explanation.proposal, explanation.not_proposed
    return {
        **destination_as_json(explanation.judged),
        "names": [asdict(name) for name in explanation.names],
        "manifests": list(explanation.manifests),
        "proposal": None
        if proposal is None
        else {"file": proposal.file, "name": proposal.name, "namespace": proposal.namespace, "yaml": proposal.yaml},
        "not_proposed": None if refusal is None else {"code": refusal.code, "reason": refusal.reason},
        "replay": _replay(explanation.replay),
        "replay_as_is": _replay(explanation.replay_as_is),
    }


def _replay(replayed: ReplayedDestination | None) -> dict[str, Any] | None:
    if replayed is None:
        return None
    decision = replayed.decision
    return {"outcome": decision.outcome.value, "rule": decision.rule, "because": decision.because, "by": decision.by}


def explanation_as_text(explanation: Explanation) -> Iterator[str]:
    """An explanation for people, from the lines to the decision."""
    judged = explanation.judged
    destination, key = judged.destination, judged.key
    who = "/".join(part or "unknown" for part in (key.source_namespace, key.source_workload))
    yield f"{destination.name} ({key.application_protocol}) called by {who}"
    yield f"  lines     {destination.entries:,}, for example {', '.join(destination.examples)}"
    for name in explanation.names:
        yield f"  name      {name.name}: {name.learned_from}"
    yield f"  class     {_counts(destination.by_class)} by {_counts(destination.by_mechanism)}"
    yield f"  result    {_counts(destination.by_result)}"
    for place, reason in enumerate(judged.reasons):
        yield f"  {judged.verdict if place == 0 else '':<9} {reason.text} [{reason.code}]"
    for reference in explanation.manifests:
        yield f"  manifest  {reference}"
    if explanation.replay_as_is is not None:
        decision = explanation.replay_as_is.decision
        yield f"  as it is  {decision.outcome}: {decision.because} [{decision.rule}]"
    if explanation.proposal is not None:
        yield f"  proposed  {explanation.proposal.file}"
    if explanation.not_proposed is not None:
        yield f"  no entry  {explanation.not_proposed.reason} [{explanation.not_proposed.code}]"
    if explanation.replay is not None:
        decision = explanation.replay.decision
        yield f"  replayed  {decision.outcome}: {decision.because} [{decision.rule}]"


def _counts(counts: dict[Any, int]) -> str:
    return ", ".join(f"{word} {count:,}" for word, count in counts.items())
