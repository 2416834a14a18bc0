"""RITA's scores, held to its own figures and to patterns of a day in a mesh."""

import random

import numpy as np
import pytest

from analyzer.evidence.rhythm import quartiles, rhythm_of, size_score, time_score

DAY = 86_400


def _gaps(stamps: list[float]) -> np.ndarray:
    return np.sort(np.diff(np.sort(np.array(stamps))))


def test_quartiles_are_those_of_rita() -> None:
    assert quartiles([1, 2, 25, 42, 90, 299, 500, 1500, 4975]) == (13.5, 90, 1000)


@pytest.mark.parametrize(("every", "count"), [(60, 1440), (3600, 24)])
def test_a_clock_scores_one_and_so_does_one_size(every: int, count: int) -> None:
    assert time_score(_gaps([every * number for number in range(count)])) == 1
    assert size_score([512] * count) == 1


def test_what_was_refused_sent_nothing_and_its_sizes_say_nothing() -> None:
    assert size_score([0] * 1440) == 0.5


def test_jitter_of_thirty_percent_still_scores_high() -> None:
    dice = random.Random(7)
    stamps = list(np.cumsum([60 * dice.uniform(0.7, 1.3) for _ in range(1452)]))

    assert time_score(_gaps(stamps)) == pytest.approx(0.897, abs=0.04)


def test_calls_by_chance_score_low() -> None:
    dice = random.Random(7)
    stamps = list(np.cumsum([dice.expovariate(1 / 120) for _ in range(749)]))
    sizes = np.sort([int(dice.lognormvariate(7, 1)) for _ in range(749)])

    assert time_score(_gaps(stamps)) == pytest.approx(0.465, abs=0.08)
    assert size_score(sizes) < 0.6


def test_replicas_are_scored_one_by_one() -> None:
    dice = random.Random(7)
    sizes = np.full(1440, 512)
    pods = [
        (np.array([int((60 * n + start) * 1e6) for n in range(1440)]), sizes) for start in dice.sample(range(60), 8)
    ]
    merged = (np.concatenate([times for times, _ in pods]), np.concatenate([sizes for _, sizes in pods]))

    alone, together = rhythm_of(pods), rhythm_of([merged])

    assert alone is not None
    assert (alone.calls, alone.gap, alone.times, alone.sizes) == (1440, 60, 1, 1)
    assert together is None or together.times < 0.85


def test_retries_are_one_call() -> None:
    tries = [start + step for start in range(0, DAY, 600) for step in (0, 1, 3, 7, 15)]
    rhythm = rhythm_of([(np.array(tries) * 1_000_000, np.zeros(len(tries)))])

    assert rhythm is not None
    assert (rhythm.calls, rhythm.gap, rhythm.times) == (144, 600, 1)


def test_too_few_calls_have_no_rhythm() -> None:
    assert rhythm_of([(np.array([0, 60, 120]) * 1_000_000, np.zeros(3))]) is None
    assert rhythm_of([]) is None
