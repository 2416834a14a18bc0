"""Calls by the clock to an address that nobody else calls, without a name, on a port of no known service."""

from analyzer.detection.detector import Context
from analyzer.detection.texts import entries
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import Verdict


class Beacon:
    """Updates, telemetry, probes and cron are as regular as an implant: only those are scored of which more is odd.

    Where policy refused everything the sizes say nothing, and the gaps alone are scored.
    """

    name = "beacon"
    verdict = Verdict.SUSPICIOUS
    position = 98
    summary = "Regular calls to a nameless address on a port of no known service, by one workload alone (RITA's score)."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """The rhythm was read from the log only where `analyzer.detection.beacons` asked for it."""
        rhythm, limits = destination.rhythm, context.settings.thresholds
        if rhythm is None or rhythm.calls < limits.beacon_calls:
            return None
        score = (rhythm.times + rhythm.sizes) / 2 if destination.let_through else rhythm.times
        if score < limits.beacon_score:
            return None
        return Reason(
            self.name,
            f"{destination.name} was called every {rhythm.gap:,.0f} s, regular to {score:.2f} "
            f"({entries(destination.entries)}); no name was seen, no known service has the port, nobody else calls it.",
        )


DETECTOR = Beacon()
