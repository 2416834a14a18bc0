"""Everything that is concluded from a log and its replays about the switch, as one value."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from analyzer.evidence import Destination, Judged
from analyzer.proposals import Proposal
from analyzer.readiness.blocks import Block, blocks_of
from analyzer.readiness.flip import NamespaceReadiness, readiness_of
from analyzer.readiness.meter import EvidenceMeter, meters_of
from analyzer.settings import Settings
from analyzer.simulation import Simulator


@dataclass(frozen=True)
class Assessment:
    """What stands between the log and REGISTRY_ONLY; `watched` is the meter of the whole lake."""

    watched: EvidenceMeter
    namespaces: tuple[NamespaceReadiness, ...] = ()
    blocks: tuple[Block, ...] = ()


def assess(
    summaries: Mapping[str, pa.Table],
    judged: Sequence[Judged],
    at_home: Sequence[Destination],
    *,
    as_is: Simulator,
    proposed: Simulator,
    proposals: Iterable[Proposal],
    settings: Settings,
) -> Assessment:
    """Assess the switch; `as_is` and `proposed` replay under REGISTRY_ONLY, `at_home` are the replayed destinations."""
    meters = meters_of(summaries, settings.readiness)
    placed = {destination.key: destination for destination in at_home}
    made = tuple(proposals)
    return Assessment(
        watched=meters.whole,
        namespaces=readiness_of(
            judged,
            placed,
            as_is=as_is,
            proposed=proposed,
            proposals=made,
            meters=meters,
            settings=settings.readiness,
        ),
        blocks=blocks_of(judged, placed, as_is=as_is, proposed=proposed, proposals=made, settings=settings),
    )
