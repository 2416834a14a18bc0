"""May it be switched to REGISTRY_ONLY: namespace by namespace, what would break, and what cannot be said yet."""

from collections.abc import Sequence

from analyzer.pipeline import Audit
from analyzer.readiness import Block, Breaking, NamespaceReadiness
from analyzer.readiness.words import counted, sized
from analyzer.report.model import Cell, Fact, SectionModel, Table
from analyzer.vocabulary import CauseCode, Readiness

_SHOWN = 30
_ROWS = 15
_WORDS = {
    Readiness.NOT_READY: ("not ready", "blocked"),
    Readiness.CANNOT_SAY_YET: ("cannot say yet", "conditional"),
    Readiness.READY_AFTER_PROPOSALS: ("ready after the proposals", "registered"),
    Readiness.READY: ("ready", "allowed"),
}
_OTHER_MATTERS = (CauseCode.UPSTREAM_FAILURE, CauseCode.REGISTERED_SINCE)
_COLUMNS = ("namespace", "status", "would break", "bytes", "workloads", "proposals", "watched", "why")


class ReadinessSection:
    """The worst first; report.json has every namespace and every row."""

    name = "readiness"
    title = "Readiness"
    position = 15

    def build(self, audit: Audit) -> SectionModel:
        """Count the namespaces by status, list them, and list what would break."""
        namespaces = audit.assessment.namespaces
        if not namespaces:
            return SectionModel(self.name, self.title, "No namespace has any entry with a time.")
        facts = tuple(
            Fact(words, sum(item.status is status for item in namespaces), "namespaces", tone)
            for status, (words, tone) in _WORDS.items()
        )
        worst = sorted(namespaces, key=lambda item: (_order(item), -item.breaking.entries, item.namespace or ""))
        tables = [
            Table(
                _COLUMNS,
                tuple(_namespace_row(item) for item in worst[:_SHOWN]),
                ("would break", "bytes", "proposals"),
                _caption("Namespaces, the worst first", len(worst), _SHOWN),
            )
        ]
        if any(item.rows for item in namespaces):
            tables.append(_breaking_table(audit))
        return SectionModel(self.name, self.title, _lead(namespaces), facts, tuple(tables), _notes(audit))


def _order(item: NamespaceReadiness) -> int:
    return list(Readiness).index(item.status)


def _lead(namespaces: Sequence[NamespaceReadiness]) -> str:
    broken = sum(item.breaking.entries for item in namespaces)
    ready = sum(item.status in (Readiness.READY, Readiness.READY_AFTER_PROPOSALS) for item in namespaces)
    lead = f"{ready:,} of {counted(len(namespaces), 'namespace')} can be switched to REGISTRY_ONLY"
    if broken:
        bytes_lost = sized(sum(item.breaking.bytes for item in namespaces))
        return (
            f"{lead}; the switch would break {counted(broken, 'entry', 'entries')} ({bytes_lost}) that get out today."
        )
    return f"{lead}; nothing is known to break that gets out today."


def _namespace_row(item: NamespaceReadiness) -> tuple[Cell, ...]:
    meter, breaking = item.meter, item.breaking
    watched = f"{counted(meter.hours, 'hour')} in {counted(meter.days_seen, 'day')}, {counted(meter.pods, 'pod')}"
    return (
        item.namespace or "unknown",
        _WORDS[item.status][0],
        breaking.entries,
        sized(breaking.bytes) if breaking.entries else "",
        _few(breaking.workloads),
        len(item.proposals) or "",
        watched,
        item.because,
    )


def _breaking_table(audit: Audit) -> Table:
    """What would break, with the cause where it is known, which says more than the rule that decided."""
    assessment = audit.assessment
    repairs = {block.key: block for block in reversed(assessment.blocks) if block.cause.code not in _OTHER_MATTERS}
    rows = sorted(
        (row for item in assessment.namespaces for row in item.rows),
        key=lambda row: (-row.entries, row.key.order, row.decision.rule),
    )
    return Table(
        ("destination", "namespace", "workload", "verdict", "entries", "bytes", "because", "smallest change"),
        tuple(_breaking_row(row, repairs.get(row.key)) for row in rows[:_ROWS]),
        ("entries", "bytes"),
        _caption("What gets out today and would not then", len(rows), _ROWS),
    )


def _breaking_row(row: Breaking, block: Block | None) -> tuple[Cell, ...]:
    return (
        row.key.name,
        row.key.source_namespace or "unknown",
        row.key.source_workload or "unknown",
        row.verdict.value,
        row.entries,
        sized(row.bytes),
        row.decision.because if block is None else block.cause.because,
        "" if block is None else block.cause.repair,
    )


def _notes(audit: Audit) -> tuple[str, ...]:
    """What the counts above leave out, and what the evidence cannot carry."""
    namespaces, watched = audit.assessment.namespaces, audit.assessment.watched
    notes = []
    stopped = sum(item.stopped.entries for item in namespaces)
    if stopped:
        notes.append(
            f"{counted(stopped, 'entry', 'entries')} more would be refused that get out today; they are judged "
            "suspicious or denied, so they count for nobody's readiness."
        )
    if watched.lacks:
        when = f" It could decide on {watched.decides_on} if logs go on without a gap." if watched.decides_on else ""
        notes.append(f"The log as a whole: {', '.join(watched.lacks)}.{when}")
    silent = [f"{item.namespace}/{pod}" for item in namespaces for pod in item.meter.silent_pods]
    if silent:
        notes.append(
            f"{counted(len(silent), 'pod')} of the mesh wrote no line ({_few(silent)}): what they call is not known."
        )
    if watched.gaps:
        longest = watched.gaps[0]
        notes.append(
            f"{counted(watched.gap_hours, 'hour')} inside it have no entry at all, the longest stretch from "
            f"{longest.start:%Y-%m-%d %H:%M} to {longest.end:%Y-%m-%d %H:%M} UTC."
        )
    return tuple(notes)


def _few(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _caption(text: str, count: int, shown: int) -> str:
    return f"{text} ({count:,}, the first {shown} shown)" if count > shown else text


SECTION = ReadinessSection()
