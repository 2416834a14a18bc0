"""An audit as one value, and the pure road to it: summaries in, verdicts, proposals and their replay out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa

from analyzer.detection import judge
from analyzer.evidence import Judged, gather
from analyzer.evidence.summaries import COVERAGE, TIMELINE
from analyzer.mesh.model import Mesh
from analyzer.proposals import Proposals, placed, propose
from analyzer.settings import Settings
from analyzer.simulation import Replay, Simulator
from analyzer.store import SourceRecord
from analyzer.vocabulary import EgressClass, Mode


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


@dataclass(frozen=True)
class RejectedExample:
    """A rejected line for people to look at: where it stands, why, and a bounded excerpt of raw text."""

    origin: str
    line_number: int
    reason: str
    text: str


@dataclass(frozen=True)
class Moment:
    """Entries of one class that began in one minute (UTC)."""

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

    `entries_by_class` counts all entries, inbound ones too; `replay` is with the proposals applied, `replay_as_is`
    without them, both under REGISTRY_ONLY. `as_of` is the day on which expiry dates were looked at.
    """

    tally: Tally
    settings: Settings
    istio_version: str
    as_of: date | None
    entries_by_class: dict[EgressClass, int]
    judged: tuple[Judged, ...]
    proposals: Proposals
    replay: Replay
    replay_as_is: Replay
    timeline: tuple[Moment, ...] = ()
    rejected_examples: tuple[RejectedExample, ...] = ()
    field_coverage: tuple[FieldCoverage, ...] = ()
    settings_notes: tuple[str, ...] = ()


def conclude(
    summaries: Mapping[str, pa.Table],
    *,
    tally: Tally,
    settings: Settings,
    mesh: Mesh,
    istio_version: str,
    as_of: date | None = None,
    rejected_examples: Sequence[RejectedExample] = (),
) -> Audit:
    """Judge, propose and replay what the summaries of a log hold.

    `as_of` is the day on which expiry dates are looked at; the day of the last entry where it is not given, so that
    the same logs give the same audit on any day.
    """
    destinations = gather(summaries)
    minutes = summaries[TIMELINE.name].to_pylist()
    timeline = tuple(
        Moment(row["minute"], EgressClass(row["egress_class"]), row["entries"])
        for row in minutes
        if row["minute"] is not None
    )
    newest = max((moment.minute for moment in timeline), default=None)
    day = as_of or (newest.date() if newest else None)
    judged, notes = judge(destinations, settings, day)
    proposals = propose(judged, mesh, settings, istio_version=istio_version)
    proposed = Mesh(tuple(proposal.service_entry for proposal in proposals.proposed))
    at_home = [placed(destination, settings) for destination in destinations]
    replays = [
        Simulator(manifests, mode=Mode.REGISTRY_ONLY, istio_version=istio_version).replay(at_home)
        for manifests in (mesh.over(proposed), mesh)
    ]
    counts: Counter[EgressClass] = Counter()
    for row in minutes:
        counts[EgressClass(row["egress_class"])] += row["entries"]
    return Audit(
        tally=tally,
        settings=settings,
        istio_version=istio_version,
        as_of=day,
        entries_by_class={egress_class: counts[egress_class] for egress_class in EgressClass},
        judged=judged,
        proposals=proposals,
        replay=replays[0],
        replay_as_is=replays[1],
        timeline=timeline,
        rejected_examples=tuple(rejected_examples),
        field_coverage=tuple(FieldCoverage(**row) for row in summaries[COVERAGE.name].to_pylist()),
        settings_notes=notes,
    )
