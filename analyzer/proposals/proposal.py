"""What is proposed, what is not, and why: the values that proposing hands to the writer and the report."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from analyzer.errors import Place
from analyzer.evidence.destination import DestinationKey
from analyzer.mesh.model import Mesh, ServiceEntry, Sidecar
from analyzer.vocabulary import Outcome, Verdict


class Action(StrEnum):
    """What applying a proposal does: a new object, an edit of one in its file, or one put in place of another."""

    CREATE = "create"
    EDIT = "edit"
    REPLACE = "replace"


@dataclass(frozen=True)
class Patch:
    """An edit of one mesh file, made for `git apply` and `patch -p1`.

    `file` is relative to the output folder (`patches/<name>.patch`), `of` the mesh file as it was given, `folder`
    where the patch applies.
    """

    file: str
    of: str
    folder: str
    text: str


@dataclass(frozen=True)
class Proposal:
    """One manifest that would make observed egress explicit.

    `file` is relative to the output folder (`manifests/<namespace>/<name>.yaml`, `sidecar_<name>.yaml` for a Sidecar),
    `yaml` its exact text, `object` what it says, `hosts` those of an entry or the lines that a Sidecar gets,
    `destinations` the keys it was made for, `needs_review` whether a person must look before it is applied. Where it
    edits an object that exists, `edited` is the place of the edit, `patch` the file of the patch that makes it, among
    others of the same mesh file, and `diff` what it says of this one alone.
    """

    kind: str
    namespace: str
    name: str
    file: str
    yaml: str
    object: ServiceEntry | Sidecar
    hosts: tuple[str, ...]
    destinations: tuple[DestinationKey, ...]
    entries: int
    first_seen: datetime | None
    last_seen: datetime | None
    workloads: tuple[str, ...]
    reason: str
    needs_review: bool = False
    action: Action = Action.CREATE
    edited: Place | None = None
    patch: str | None = None
    diff: str | None = None


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
    patches: tuple[Patch, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def mesh(self) -> Mesh:
        """What is proposed, to be laid over the mesh as it is."""
        objects = [proposal.object for proposal in self.proposed]
        return Mesh(
            service_entries=tuple(item for item in objects if isinstance(item, ServiceEntry)),
            sidecars=tuple(item for item in objects if isinstance(item, Sidecar)),
        )

    def of(self, key: DestinationKey) -> tuple[Proposal, ...]:
        """What is proposed for a destination: its entry before the Sidecar that is to list it."""
        found = [proposal for proposal in self.proposed if key in proposal.destinations]
        return tuple(sorted(found, key=lambda proposal: isinstance(proposal.object, Sidecar)))


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
                "action": proposal.action.value,
                "edits": None if proposal.edited is None else str(proposal.edited),
                "patch": proposal.patch,
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
        "patches": [{"file": patch.file, "of": patch.of, "folder": patch.folder} for patch in proposals.patches],
        "coverage": {outcome.value: entries for outcome, entries in coverage.items()},
    }
