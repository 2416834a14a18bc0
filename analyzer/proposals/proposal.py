"""What is proposed, what is not, and why: the values that proposing hands to the writer and the report."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analyzer.evidence.destination import DestinationKey
from analyzer.mesh.model import ServiceEntry
from analyzer.vocabulary import Outcome, Verdict


@dataclass(frozen=True)
class Proposal:
    """One manifest that would make observed egress explicit.

    `file` is relative to the output folder (`manifests/<namespace>/<name>.yaml`), `yaml` its exact text,
    `destinations` the keys it was made for, `needs_review` whether a person must look before it is applied.
    """

    kind: str
    namespace: str
    name: str
    file: str
    yaml: str
    service_entry: ServiceEntry
    destinations: tuple[DestinationKey, ...]
    entries: int
    first_seen: datetime | None
    last_seen: datetime | None
    workloads: tuple[str, ...]
    reason: str
    needs_review: bool = False


@dataclass(frozen=True)
class NotProposed:
    """A destination that gets no manifest, with a stable code and a sentence that says what to do."""

    key: DestinationKey
    verdict: Verdict
    code: str
    reason: str
    entries: int = 0


@dataclass(frozen=True)
class Proposals:
    """Everything that proposing concluded, sorted."""

    proposed: tuple[Proposal, ...] = ()
    not_proposed: tuple[NotProposed, ...] = ()
    warnings: tuple[str, ...] = ()


def proposals_as_json(proposals: Proposals, coverage: Mapping[Outcome, int]) -> dict[str, Any]:
    """What was and was not proposed, with the keys of the output contract."""
    return {
        "proposals": [
            {
                "file": proposal.file,
                "kind": proposal.kind,
                "namespace": proposal.namespace,
                "name": proposal.name,
                "destinations": [key._asdict() for key in proposal.destinations],
                "entries": proposal.entries,
                "reason": proposal.reason,
                "needs_review": proposal.needs_review,
            }
            for proposal in proposals.proposed
        ],
        "not_proposed": [
            {
                "destination": item.key._asdict(),
                "verdict": item.verdict.value,
                "code": item.code,
                "reason": item.reason,
            }
            for item in proposals.not_proposed
        ],
        "coverage": {outcome.value: entries for outcome, entries in coverage.items()},
    }
