"""An audit as one value: everything that the report, the output files and the commands speak of."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from analyzer.evidence.destination import Judged
from analyzer.proposals.proposal import Proposals
from analyzer.settings import Settings
from analyzer.simulation.replay import Replay
from analyzer.store import SourceRecord
from analyzer.vocabulary import EgressClass


@dataclass(frozen=True)
class Tally:
    """What was read; `lines = entries + rejected + duplicates`, always (contract section 3)."""

    sources: int = 0
    sources_skipped: int = 0
    bytes: int = 0
    lines: int = 0
    entries: int = 0
    rejected: int = 0
    duplicates: int = 0
    rejected_by_reason: dict[str, int] = field(default_factory=dict)
    formats: dict[str, int] = field(default_factory=dict)
    envelopes: dict[str, int] = field(default_factory=dict)
    start: datetime | None = None
    end: datetime | None = None


def tally_of(records: Iterable[SourceRecord]) -> Tally:
    """The tally of some sources together."""
    sources = list(records)
    starts = [datetime.fromisoformat(source.start) for source in sources if source.start]
    ends = [datetime.fromisoformat(source.end) for source in sources if source.end]
    return Tally(
        sources=len(sources),
        bytes=sum(source.bytes for source in sources),
        lines=sum(source.lines for source in sources),
        entries=sum(source.entries for source in sources),
        rejected=sum(source.rejected for source in sources),
        duplicates=sum(source.duplicates for source in sources),
        rejected_by_reason=_added(source.rejected_by_reason for source in sources),
        formats=_added(source.formats for source in sources),
        envelopes=_added(source.envelopes for source in sources),
        start=min(starts, default=None),
        end=max(ends, default=None),
    )


def _added(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))


@dataclass(frozen=True)
class RejectedExample:
    """A rejected line for people to look at: where it stands, why, and a bounded excerpt of raw text."""

    origin: str
    line_number: int
    reason: str
    text: str


@dataclass(frozen=True)
class Moment:
    """Entries of one class and result-blind mechanism that started in one minute (UTC)."""

    minute: datetime
    egress_class: EgressClass
    entries: int


@dataclass(frozen=True)
class FieldCoverage:
    """How often a field that the audit needs was present, for `what the log cannot show`."""

    field: str
    present: int
    entries: int


@dataclass(frozen=True)
class Audit:
    """Everything concluded from a lake. Sorted throughout, so that equal logs make equal bytes.

    """

    tally: Tally
    settings: Settings
    istio_version: str
    as_of: datetime | None
    entries_by_class: dict[EgressClass, int]
    judged: tuple[Judged, ...]
    proposals: Proposals
    replay: Replay
    timeline: tuple[Moment, ...] = ()
    rejected_examples: tuple[RejectedExample, ...] = ()
    field_coverage: tuple[FieldCoverage, ...] = ()
    settings_notes: tuple[str, ...] = ()
