"""Stretches of time without any entry, where logs may be missing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from analyzer.pipeline import Moment

_LEAST = timedelta(minutes=30)
"""A mesh that says nothing for half an hour is rare, a rotated log that was not exported is not."""


def gaps_in(timeline: Sequence[Moment]) -> list[tuple[datetime, datetime]]:
    """Gaps of half an hour and more between the first and the last entry, longest first."""
    minutes = sorted({moment.minute for moment in timeline})
    pairs = pairwise(minutes)
    gaps = [(before + timedelta(minutes=1), after) for before, after in pairs if after - before >= _LEAST]
    return sorted(gaps, key=lambda gap: (gap[0] - gap[1], gap[0]))
