"""Every destination with its evidence and verdict."""

from analyzer.pipeline import Audit
from analyzer.report.model import DestinationTable, SectionModel


class Destinations:
    """The table that everything else is a summary of."""

    name = "destinations"
    title = "Destinations"
    position = 40

    def build(self, audit: Audit) -> SectionModel:
        """Leave the rows to the page, which draws them from the report's data."""
        count = len(audit.judged)
        lead = f"{count:,} destinations, each with the evidence for its verdict. Search, filter, sort; a row opens."
        return SectionModel(self.name, self.title, lead, blocks=(DestinationTable(count),))


SECTION = Destinations()
