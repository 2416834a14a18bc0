"""What was refused and what passed, over time."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from analyzer.pipeline import Audit
from analyzer.report.figures import stacked_bars
from analyzer.report.gaps import gaps_in
from analyzer.report.model import Cell, Figure, SectionModel, Table
from analyzer.shapes import moment_as_json
from analyzer.vocabulary import EgressClass

_SHOWN = (EgressClass.BLOCKED, EgressClass.PASSTHROUGH, EgressClass.REGISTERED)
_MOST_BARS = 96
_STEPS = (1, 5, 15, 60, 180, 360, 1440, 10080)
"""Minutes that a bar may stand for: lengths that people think in."""


class Timeline:
    """Bars by class; a mesh that was switched over shows as one colour taking the place of another."""

    name = "timeline"
    title = "Refused and passed over time"
    position = 20

    def build(self, audit: Audit) -> SectionModel:
        """Sum minutes into bars, few enough to see."""
        if not audit.timeline:
            return SectionModel(self.name, self.title, "No entry has a time.")
        first, last = audit.timeline[0].minute, max(moment.minute for moment in audit.timeline)
        step = _step(last - first)
        bars: dict[datetime, dict[EgressClass, int]] = defaultdict(lambda: dict.fromkeys(_SHOWN, 0))
        for moment in audit.timeline:
            if moment.egress_class in _SHOWN:
                bars[_floor(moment.minute, step)][moment.egress_class] += moment.entries
        starts = sorted(bars)
        labels = [start.strftime("%Y-%m-%d %H:%M") for start in starts]
        series = {word.value: [bars[start][word] for start in starts] for word in _SHOWN}
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (label, *(bars[start][word] for word in _SHOWN)) for label, start in zip(labels, starts, strict=True)
        )
        names = tuple(word.value for word in _SHOWN)
        table = Table(("from (UTC)", *names), rows, names, "Entries per period")
        gaps = gaps_in(audit.timeline)
        notes = tuple(
            f"No entry at all from {moment_as_json(start)} to {moment_as_json(end)}: logs may be missing there."
            for start, end in gaps[:5]
        )
        lead = f"From {moment_as_json(first)} to {moment_as_json(last)} (UTC); a bar stands for {_words(step)}."
        figure = Figure("figure-timeline", stacked_bars(labels, series, "entries"), table)
        return SectionModel(self.name, self.title, lead, blocks=(figure,), notes=notes)


def _step(span: timedelta) -> int:
    minutes = span.total_seconds() / 60
    return next((step for step in _STEPS if minutes / step <= _MOST_BARS), _STEPS[-1])


def _floor(moment: datetime, step: int) -> datetime:
    seconds = int(moment.timestamp()) // (step * 60) * step * 60
    return datetime.fromtimestamp(seconds, UTC)


def _words(step: int) -> str:
    if step < 60:
        return "a minute" if step == 1 else f"{step} minutes"
    return {60: "an hour", 1440: "a day", 10080: "a week"}.get(step, f"{step // 60} hours")


SECTION = Timeline()
