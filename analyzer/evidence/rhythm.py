"""How regularly a destination was called, in the terms of RITA's beacon score (activecm/rita analysis/beacons.go).

Of its four parts only the two stand here that say something of services: around the clock is where they all run, so
its histogram and its duration are full for any of them.
"""

from collections.abc import Sequence
from statistics import median, median_low
from typing import Any, NamedTuple

import numpy as np

_SECOND = 1_000_000
_RETRY = 10 * _SECOND
"""Microseconds after a call within which the next is taken for a retry of it: those of a failing client are regular."""
_FEWEST_GAPS = 3
_NARROW = 10
"""Seconds, or bytes: quartiles closer together than this have no skew worth the name."""


class Rhythm(NamedTuple):
    """The median pod's calls, retries taken together: how many, the gap between two in seconds, and two scores.

    Scores go from 0 (by chance) to 1 (a clock, one size); `sizes` is of the bytes that were sent out.
    """

    calls: int
    gap: float
    times: float
    sizes: float


def rhythm_of(pods: Sequence[tuple[Any, Any]]) -> Rhythm | None:
    """The rhythm of pods, each with the times of its calls (microseconds) and their bytes; null where they are too few.

    Each pod is scored by itself: replicas of one poller, merged, look like chance.
    """
    scored = [found for times, sizes in pods if (found := _of_pod(np.sort(times), np.sort(sizes))) is not None]
    if not scored:
        return None
    return Rhythm(*(median_low(column) for column in zip(*scored, strict=True)))


def _of_pod(times: Any, sizes: Any) -> Rhythm | None:
    calls = times[np.concatenate(([True], np.diff(times) > _RETRY))] if len(times) else times
    gaps = np.sort(np.diff(calls) / _SECOND)
    if len(gaps) < _FEWEST_GAPS:
        return None
    return Rhythm(len(calls), float(np.median(gaps)), time_score(gaps), size_score(sizes))


def time_score(gaps: Any) -> float:
    """How alike sorted gaps are, in seconds."""
    return _score(gaps, when_small=1.0)


def size_score(sizes: Any) -> float:
    """How alike sorted sizes are, in bytes; what was refused sent none and says nothing."""
    return _score(sizes, when_small=0.0)


def _score(values: Any, when_small: float) -> float:
    low, middle, high = quartiles([float(value) for value in values])
    flat = high - low < _NARROW or middle in (low, high)
    skew = 0.0 if flat else (low + high - 2 * middle) / (high - low)
    spread = median(abs(float(value) - middle) for value in values)
    regular = max((middle - spread) / middle, 0.0) if middle >= 1 else when_small
    return round((1 - abs(skew) + regular) / 2, 3)


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The medians of the lower half, of all, and of the upper half of sorted values; a middle value is in no half."""
    half = len(values) // 2
    return median(values[:half] or values), median(values), median(values[-half:] or values)
