from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from analyzer.evidence import merge
from analyzer.evidence.hours import HOURS
from analyzer.evidence.summaries import PODS
from analyzer.mesh.model import Pod
from analyzer.readiness.meter import day_of_enough, measure, meters_of
from analyzer.settings import ReadinessSettings

START = datetime(2026, 3, 2, tzinfo=UTC)
USUAL = ReadinessSettings()


def hours(first: int, last: int) -> list[datetime]:
    """Hours after the start of Monday, 2 March 2026; the last is left out."""
    return [START + timedelta(hours=number) for number in range(first, last)]


def meter(watched: list[datetime], **settings: int):
    return measure(watched, set(watched), ReadinessSettings(**settings))


def test_a_month_with_its_end_is_enough() -> None:
    month = meter(hours(0, 31 * 24))

    assert (month.lacks, month.is_enough, month.decides_on) == ((), True, None)
    assert (month.days, month.hours_of_week, month.month_ends) == (31, 168, 1)


def test_a_few_hours_say_what_they_lack_and_when_they_would_not() -> None:
    morning = meter(hours(9, 15))

    assert morning.lacks == ("6 hours of 14 days watched", "6 of 160 hours of the week", "no month-end")
    # The first of April has been watched for twelve hours when its hour of eleven is over.
    assert morning.decides_on == date(2026, 4, 1)


def test_the_day_named_is_the_first_on_which_nothing_lacks() -> None:
    """Whatever the log is, the one that goes on until the named day decides, and an hour less does not."""
    for length in (1, 30, 200, 400):
        watched = hours(0, length)
        named = meter(watched).decides_on
        assert named is not None
        going_on = next(n for n in range(length, 2000) if meter(hours(0, n)).is_enough)
        assert (START + timedelta(hours=going_on - 1)).date() == named


def test_nights_that_were_never_watched_are_missing_from_the_week() -> None:
    days = [hour for hour in hours(0, 60 * 24) if 8 <= hour.hour < 20]

    assert meter(days).lacks == ("84 of 160 hours of the week",)


def test_a_month_end_needs_both_of_its_days() -> None:
    without_first = [hour for hour in hours(0, 40 * 24) if hour.date() != date(2026, 4, 1)]

    assert (meter(without_first).month_ends, meter(hours(0, 40 * 24)).month_ends) == (0, 1)


def test_gaps_are_whole_hours_without_any_entry() -> None:
    found = meter([*hours(0, 4), *hours(10, 12), *hours(13, 14)])

    assert [(gap.start.hour, gap.end.hour, gap.hours) for gap in found.gaps] == [(4, 10, 6), (12, 13, 1)]
    assert found.gap_hours == 7


def test_a_namespace_that_is_quiet_while_others_speak_has_no_gap() -> None:
    rows = [{"source_namespace": "busy", "hour": hour, "entries": 1} for hour in hours(0, 48)]
    rows += [{"source_namespace": "quiet", "hour": hour, "entries": 1} for hour in (hours(3, 4) + hours(40, 41))]
    summaries = merge([]) | {"hours": pa.Table.from_pylist(rows, HOURS.schema)}

    quiet = meters_of(summaries, USUAL).by_namespace["quiet"]

    assert (quiet.hours, quiet.gaps, quiet.longest_silence, quiet.days_seen) == (38, (), 36, 2)


def test_a_log_without_times_proves_nothing() -> None:
    nothing = meters_of(merge([]), USUAL).whole

    assert (nothing.is_enough, nothing.decides_on) == (False, None)


@pytest.mark.parametrize(("watched", "day"), [(24, date(2026, 3, 5)), (24 * 5, date(2026, 3, 7))])
def test_a_longer_window_is_named_by_its_day_too(watched: int, day: date) -> None:
    assert day_of_enough(meter(hours(0, watched)), 3) == day


def test_pods_that_run_and_wrote_no_line_are_named() -> None:
    rows = [{"source_namespace": "shop", "hour": hour, "entries": 1} for hour in hours(0, 2)]
    heard = [dict.fromkeys(PODS.schema.names) | {"source_namespace": "shop", "source_pod": "web-0", "entries": 1}]
    summaries = merge([]) | {
        "hours": pa.Table.from_pylist(rows, HOURS.schema),
        "pods": pa.Table.from_pylist(heard, PODS.schema),
    }
    running = [Pod(namespace="shop", name=name) for name in ("web-1", "web-0")]

    assert meters_of(summaries, USUAL, running).by_namespace["shop"].silent_pods == ("web-1",)
