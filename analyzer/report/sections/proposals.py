"""The manifests that are proposed, each with what it is for."""

from analyzer.pipeline import Audit
from analyzer.report.model import Manifest, ManifestList, SectionModel


class ProposalsSection:
    """Every manifest was replayed: it admits what it was made for, and nothing that was judged otherwise."""

    name = "proposals"
    title = "Proposed manifests"
    position = 50

    def build(self, audit: Audit) -> SectionModel:
        """List the manifests in the order of their files."""
        proposed = audit.proposals.proposed
        if not proposed:
            return SectionModel(self.name, self.title, "There is nothing to propose; the next section says why.")
        entries = sum(proposal.entries for proposal in proposed)
        lead = (
            f"{len(proposed):,} manifests for {entries:,} entries. Each was replayed against this log under "
            "REGISTRY_ONLY: it admits what it was made for and nothing that was judged otherwise."
        )
        manifests = tuple(
            Manifest(
                proposal.file,
                ", ".join(proposal.hosts),
                proposal.entries,
                ", ".join(proposal.workloads) or "unknown",
                proposal.reason,
                proposal.needs_review,
                proposal.yaml,
                proposal.action.value,
                None if proposal.edited is None else str(proposal.edited),
                proposal.patch,
                proposal.diff,
            )
            for proposal in proposed
        )
        return SectionModel(self.name, self.title, lead, blocks=(ManifestList(manifests),))


SECTION = ProposalsSection()
