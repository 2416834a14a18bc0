"""How much a log can prove: which hours it watched, which it missed, and when it will have seen enough.

An hour is watched for a namespace where any entry of the lake began in it, between the namespace's own first and
last entry: a quiet namespace is no gap as long as others show that logs were kept. All hours are UTC.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pyarrow as pa

from analyzer.evidence.hours import HOURS
from analyzer.evidence.summaries import PODS
from analyzer.mesh.model import Pod
from analyzer.readiness.words import counted
from analyzer.settings import ReadinessSettings

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_FEW = 5
_FARTHEST = 400
"""Days that are looked ahead; two months of unbroken logs meet every condition, unless settings ask for years."""


@dataclass(frozen=True)
class Gap:
    """A stretch of whole hours without any entry, from `start` up to but not including `end`."""

    start: datetime
    end: datetime

    @property
    def hours(self) -> int:
        """Length in hours."""
        return (self.end - self.start) // _HOUR


@dataclass(frozen=True)
class EvidenceMeter:
    """What the log of a namespace (or of the whole lake) covers.

    `first` is the beginning of the first watched hour, `last` the end of the last one. `hours` counts watched hours,
    `hours_of_week` the distinct ones of a week's 168, `longest_silence` the hours for which the namespace itself said
    nothing, `silent_pods` the pods that `--mesh` lists and no line comes from. `gaps` are the longest few of
    `gap_hours`. `lacks` says what is missing; `decides_on` is the day on which nothing would be, if logs go on without
    a gap.
    """

    first: datetime | None = None
    last: datetime | None = None
    hours: int = 0
    days_seen: int = 0
    hours_of_week: int = 0
    month_ends: int = 0
    longest_silence: int = 0
    gap_hours: int = 0
    gaps: tuple[Gap, ...] = ()
    pods: int = 0
    workloads: int = 0
    silent_pods: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    decides_on: date | None = None

    @property
    def is_enough(self) -> bool:
        """Whether what is not in the log may be taken for what does not happen."""
        return not self.lacks

    @property
    def days(self) -> int:
        """Whole days of watched hours."""
        return self.hours // 24


@dataclass(frozen=True)
class Meters:
    """A meter for each namespace that the log shows (null where it shows none), and one for the whole lake."""

    whole: EvidenceMeter
    by_namespace: Mapping[str | None, EvidenceMeter]


def meters_of(summaries: Mapping[str, pa.Table], settings: ReadinessSettings, listed: Sequence[Pod] = ()) -> Meters:
    """Read the meters off the summaries of a log; `listed` are the pods that are known to run."""
    own: dict[str | None, set[datetime]] = defaultdict(set)
    for row in summaries[HOURS.name].to_pylist():
        own[row["source_namespace"]].add(row["hour"])
    watched = sorted(set().union(*own.values()))
    pods: dict[str | None, set[str]] = defaultdict(set)
    workloads: dict[str | None, set[str]] = defaultdict(set)
    for row in summaries[PODS.name].to_pylist():
        pods[row["source_namespace"]].add(row["source_pod"])
        workloads[row["source_namespace"]].add(row["source_workload"] or row["source_pod"])
    silent = _silent(listed, pods)
    by_namespace = {
        namespace: replace(
            measure([hour for hour in watched if min(hours) <= hour <= max(hours)], hours, settings),
            pods=len(pods[namespace]),
            workloads=len(workloads[namespace]),
            silent_pods=silent.get(namespace, ()),
        )
        for namespace, hours in sorted(own.items(), key=lambda item: (item[0] is not None, item[0] or ""))
    }
    return Meters(
        replace(
            measure(watched, set(watched), settings),
            pods=sum(len(names) for names in pods.values()),
            workloads=sum(len(names) for names in workloads.values()),
        ),
        by_namespace,
    )


def _silent(listed: Sequence[Pod], heard: Mapping[str | None, set[str]]) -> dict[str | None, tuple[str, ...]]:
    """Pods without a line, where lines say which pod they are from; a pod on the host's network has no proxy."""
    found: dict[str | None, list[str]] = defaultdict(list)
    for pod in listed:
        if heard.get(pod.namespace) and not pod.host_network and pod.name not in heard[pod.namespace]:
            found[pod.namespace].append(pod.name)
    return {namespace: tuple(sorted(names)) for namespace, names in found.items()}


def measure(watched: list[datetime], own: set[datetime], settings: ReadinessSettings) -> EvidenceMeter:
    """The meter of some watched hours, in order, of which `own` are those in which the namespace was heard of."""
    if not watched:
        return EvidenceMeter(lacks=("no entry has a time",))
    gaps = [Gap(before + _HOUR, after) for before, after in pairwise(watched) if after - before > _HOUR]
    silences = [(after - before) // _HOUR - 1 for before, after in pairwise(sorted(own))]
    return EvidenceMeter(
        first=watched[0],
        last=watched[-1] + _HOUR,
        hours=len(watched),
        days_seen=len({hour.date() for hour in own}),
        hours_of_week=len({_of_week(hour) for hour in watched}),
        month_ends=len(_month_ends(watched, settings.month_end_hours)),
        longest_silence=max(silences, default=0),
        gap_hours=sum(gap.hours for gap in gaps),
        gaps=tuple(sorted(gaps, key=lambda gap: (-gap.hours, gap.start))[:_FEW]),
        lacks=_lacks(watched, settings),
        decides_on=_decides_on(watched, settings),
    )


def day_of_enough(meter: EvidenceMeter, days: int) -> date | None:
    """The day on which so many days will have been watched if logs go on; null where no entry has a time."""
    if meter.last is None:
        return None
    return (meter.last + max(0, days * 24 - meter.hours) * _HOUR).date()


def _lacks(watched: Iterable[datetime], settings: ReadinessSettings) -> tuple[str, ...]:
    hours = list(watched)
    of_week = len({_of_week(hour) for hour in hours})
    ends = len(_month_ends(hours, settings.month_end_hours))
    lacks = []
    if len(hours) < settings.min_days * 24:
        lacks.append(f"{_length(len(hours))} of {settings.min_days} days watched")
    if of_week < settings.min_hours_of_week:
        lacks.append(f"{of_week} of {settings.min_hours_of_week} hours of the week")
    if ends < settings.min_month_ends:
        lacks.append("no month-end" if not ends else f"{ends} of {settings.min_month_ends} month-ends")
    return tuple(lacks)


def _decides_on(watched: list[datetime], settings: ReadinessSettings) -> date | None:
    """Let the logs go on, hour by hour, until nothing is lacking."""
    if not _lacks(watched, settings):
        return None
    hours, of_week = len(watched), {_of_week(hour) for hour in watched}
    days = Counter(hour.date() for hour in watched)
    hour = watched[-1]
    for _ in range(_FARTHEST * 24):
        hour += _HOUR
        hours += 1
        of_week.add(_of_week(hour))
        days[hour.date()] += 1
        if (
            hours >= settings.min_days * 24
            and len(of_week) >= settings.min_hours_of_week
            and len(_ends_among(days, settings.month_end_hours)) >= settings.min_month_ends
        ):
            return hour.date()
    return None


def _month_ends(watched: Iterable[datetime], enough: int) -> list[date]:
    return _ends_among(Counter(hour.date() for hour in watched), enough)


def _ends_among(days: Mapping[date, int], enough: int) -> list[date]:
    """First days of a month that were watched, and the day before as well."""
    return [day for day, hours in days.items() if day.day == 1 and min(hours, days.get(day - _DAY, 0)) >= enough]


def _of_week(hour: datetime) -> tuple[int, int]:
    return hour.weekday(), hour.hour


def _length(hours: int) -> str:
    return f"{hours // 24}" if hours >= 24 else counted(hours, "hour")
