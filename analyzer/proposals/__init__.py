"""Manifests that make observed egress explicit, replayed before they are shown to anyone."""

from analyzer.proposals.eligible import placed
from analyzer.proposals.manifest_kind import Candidate, ManifestKind, known_manifest_kinds
from analyzer.proposals.proposal import Action, NotProposed, Patch, Proposal, Proposals, proposals_as_json
from analyzer.proposals.proposing import propose

__all__ = [
    "Action",
    "Candidate",
    "ManifestKind",
    "NotProposed",
    "Patch",
    "Proposal",
    "Proposals",
    "known_manifest_kinds",
    "placed",
    "proposals_as_json",
    "propose",
]
