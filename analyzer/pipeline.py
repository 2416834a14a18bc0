"""An audit as one value, and the pure road to it: summaries in, verdicts, proposals and their replay out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa

from analyzer.companions import Companions, Situation, make_companions
from analyzer.detection import judge
from analyzer.evidence import Destination, Judged, gather
from analyzer.evidence.summaries import COVERAGE, TIMELINE
from analyzer.mesh.model import Mesh
from analyzer.proposals import Proposals, placed, propose
from analyzer.readiness import Assessment, assess
from analyzer.settings import Settings
from analyzer.simulation import Replay, Simulator
from analyzer.store import Tally
from analyzer.vocabulary import EgressClass, Mode


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
    without them, both under REGISTRY_ONLY; `assessment` is what they say of the switch, `mesh` the mesh as it is.
    `as_of` is the day on which expiry dates were looked at.
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
    assessment: Assessment
    mesh: Mesh = field(default_factory=Mesh)
    timeline: tuple[Moment, ...] = ()
    rejected_examples: tuple[RejectedExample, ...] = ()
    field_coverage: tuple[FieldCoverage, ...] = ()
    settings_notes: tuple[str, ...] = ()
    companions: Companions = field(default_factory=Companions)


def conclude(
    summaries: Mapping[str, pa.Table],
    *,
    tally: Tally,
    settings: Settings,
    mesh: Mesh,
    istio_version: str,
    as_of: date | None = None,
    rejected_examples: Sequence[RejectedExample] = (),
    destinations: Sequence[Destination] | None = None,
) -> Audit:
    """Judge, propose and replay what the summaries of a log hold.

    `destinations` are those of the summaries, where somebody knows more of their requests than the summaries do.
    `as_of` is the day on which expiry dates are looked at; the day of the last entry where it is not given, so that
    the same logs give the same audit on any day.
    """
    destinations = gather(summaries) if destinations is None else destinations
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
    proposed = proposals.mesh
    at_home = [placed(destination, settings) for destination in destinations]
    after, as_is = (
        Simulator(manifests, mode=Mode.REGISTRY_ONLY, istio_version=istio_version)
        for manifests in (mesh.over(proposed), mesh)
    )
    counts: Counter[EgressClass] = Counter()
    for row in minutes:
        counts[EgressClass(row["egress_class"])] += row["entries"]
    coverage = tuple(FieldCoverage(**row) for row in summaries[COVERAGE.name].to_pylist())
    assessment = assess(
        summaries, judged, at_home, as_is=as_is, proposed=after, proposals=proposals.proposed, settings=settings
    )
    situation = Situation(
        judged=judged,
        destinations=at_home,
        proposals=proposals,
        mesh=mesh,
        settings=settings,
        istio_version=istio_version,
        readiness=assessment.namespaces,
        coverage={item.field: (item.present, item.entries) for item in coverage},
    )
    return Audit(
        tally=tally,
        settings=settings,
        istio_version=istio_version,
        as_of=day,
        entries_by_class={egress_class: counts[egress_class] for egress_class in EgressClass},
        judged=judged,
        proposals=proposals,
        replay=after.replay(at_home),
        replay_as_is=as_is.replay(at_home),
        assessment=assessment,
        mesh=mesh,
        timeline=timeline,
        rejected_examples=tuple(rejected_examples),
        field_coverage=coverage,
        settings_notes=notes,
        companions=make_companions(situation),
    )
