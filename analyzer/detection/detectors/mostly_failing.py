"""Destinations that policy let through and that mostly failed all the same."""

from analyzer.detection.detector import Context
from analyzer.detection.texts import share
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import Verdict


class MostlyFailing:
    """Refused entries are no failures: policy did that, and an entry would mend it."""

    name = "mostly_failing"
    verdict = Verdict.REVIEW
    position = 130
    summary = "Let through, but mostly failing: an entry would register something that does not work."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Compare failures with what was let through."""
        through, failed = destination.let_through, destination.failures_when_let_through
        if not through or failed / through <= context.settings.thresholds.max_failing_share:
            return None
        return Reason(
            self.name,
            f"{share(failed, through)} entries that policy let through failed: is the destination still in use?",
        )


DETECTOR = MostlyFailing()
