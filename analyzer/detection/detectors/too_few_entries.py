"""Destinations that were hardly ever called."""

from analyzer.detection.detector import Context
from analyzer.detection.texts import entries
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import Verdict


class TooFewEntries:
    """One call may be a slip or a test; a person knows, a count does not."""

    name = "too_few_entries"
    verdict = Verdict.REVIEW
    position = 140
    summary = "Fewer entries than `thresholds.min_entries`."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Compare with the threshold."""
        least = context.settings.thresholds.min_entries
        if destination.entries >= least:
            return None
        return Reason(
            self.name, f"Only {entries(destination.entries)}, fewer than the {least} that `min_entries` asks for."
        )


DETECTOR = TooFewEntries()
