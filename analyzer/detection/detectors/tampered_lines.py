"""Lines that a client forged so that the host or the outcome cannot be told."""

from analyzer.detection.detector import Context
from analyzer.detection.texts import share
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import Verdict


class TamperedLines:
    """Envoy's text format escapes nothing: quotes in a header can imitate the rest of a line."""

    name = "tampered_lines"
    verdict = Verdict.SUSPICIOUS
    position = 80
    summary = "Log lines were forged by the client so that their outcome cannot be told from the line."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Only forgeries count; a quote in a user agent that leaves one reading is harmless."""
        forged = destination.tampered_entries
        if not forged:
            return None
        return Reason(
            self.name,
            f"{share(forged, destination.entries)} lines hold forged fields: "
            "someone in the pod tried to mislead the log.",
        )


DETECTOR = TamperedLines()
