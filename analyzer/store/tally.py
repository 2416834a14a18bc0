"""What was read, in sum: the one equation that no line escapes."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from analyzer.store.lake import SourceRecord


@dataclass(frozen=True)
class Tally:
    """What was read; `lines = entries + rejected + duplicates`, always.

    `notes` say of sources that were cut off or damaged what became of them.
    """

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
    notes: tuple[str, ...] = ()


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
        notes=tuple(f"{source.origin}: {note}" for source in sources for note in source.notes),
    )


def _added(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))
