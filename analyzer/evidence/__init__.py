"""What the logs prove, per destination: mergeable facts, and the destinations they add up to."""

from analyzer.evidence.destination import Destination, DestinationKey, Fate, Judged, Reason, Request
from analyzer.evidence.gather import gather, told_apart
from analyzer.evidence.paths import PATHS, READ_FOR_PATHS, summarize_paths
from analyzer.evidence.summaries import NEEDED, SUMMARIES, merge, summarize

__all__ = [
    "NEEDED",
    "PATHS",
    "READ_FOR_PATHS",
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
    "summarize_paths",
    "told_apart",
]
