"""What the logs prove, per destination: mergeable facts, and the destinations they add up to."""

from analyzer.evidence.destination import Destination, DestinationKey, Fate, Judged, Reason, Request
from analyzer.evidence.gather import gather
from analyzer.evidence.summaries import NEEDED, SUMMARIES, merge, summarize

__all__ = [
    "NEEDED",
    "SUMMARIES",
    "Destination",
    "DestinationKey",
    "Fate",
    "Judged",
    "Reason",
    "Request",
    "gather",
    "merge",
    "summarize",
]
