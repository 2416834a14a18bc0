"""Registered names that were used to reach addresses which are not theirs."""

from analyzer.detection.detector import Context
from analyzer.detection.texts import share
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import Verdict


class Misaddressed:
    """A wildcard entry with resolution NONE connects to whatever address the client dialled under such a name."""

    name = "misaddressed"
    verdict = Verdict.SUSPICIOUS
    position = 85
    summary = "A registered name was used to reach an address that is not known to be its own."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Evidence has compared the addresses dialled under the name."""
        count = destination.misaddressed_entries
        if not count:
            return None
        return Reason(
            self.name,
            f"{share(count, destination.entries)} entries went to a foreign address under this name: an entry with "
            "resolution NONE believes the name that the client claims, so it may be forged.",
        )


DETECTOR = Misaddressed()
