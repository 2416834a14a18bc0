"""Everything that is concluded from a log and its replays about the switch, as one value."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa

from analyzer.evidence import Destination, DestinationKey, Judged
from analyzer.mesh.model import ServiceEntry
from analyzer.proposals import Proposal
from analyzer.readiness.blocks import Block, blocks_of
from analyzer.readiness.flip import NamespaceReadiness, readiness_of
from analyzer.readiness.ledger import Ledger, ledger_of
from analyzer.readiness.meter import EvidenceMeter, meters_of
from analyzer.readiness.narrowing import Narrowings, narrowings
from analyzer.readiness.side_effects import SideEffect, side_effects_of
from analyzer.readiness.usage import usages_of
from analyzer.settings import Settings
from analyzer.simulation import Simulator


@dataclass(frozen=True)
class Assessment:
    """What stands between the log and REGISTRY_ONLY; `watched` is the meter of the whole lake.

    `side_effects` are those of the entries that exist, `proposed_side_effects` those of what is proposed; `narrowings`
    are the ledger's narrowed entries as manifests.
    """

    watched: EvidenceMeter
    ledger: Ledger
    namespaces: tuple[NamespaceReadiness, ...] = ()
    blocks: tuple[Block, ...] = ()
    side_effects: tuple[SideEffect, ...] = ()
    proposed_side_effects: tuple[SideEffect, ...] = ()
    narrowings: Narrowings = field(default_factory=Narrowings)

    @cached_property
    def causes(self) -> dict[DestinationKey, tuple[Block, ...]]:
        """The causes by destination."""
        found: dict[DestinationKey, list[Block]] = defaultdict(list)
        for block in self.blocks:
            found[block.key].append(block)
        return {key: tuple(blocks) for key, blocks in found.items()}


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
    meters = meters_of(summaries, settings.readiness, as_is.mesh.pods)
    placed = {destination.key: destination for destination in at_home}
    made = tuple(proposals)
    usages = usages_of(at_home, as_is)
    new = [proposal.object for proposal in made if isinstance(proposal.object, ServiceEntry)]
    ledger = ledger_of(
        as_is.mesh,
        at_home,
        usages,
        as_is,
        meters.whole,
        settings.readiness,
        proposed=proposed,
        proposals={proposal.object.reference for proposal in made if isinstance(proposal.object, ServiceEntry)},
    )
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
        side_effects=side_effects_of(as_is.mesh.service_entries, usages),
        proposed_side_effects=side_effects_of(new, usages_of(at_home, proposed)) if new else (),
        ledger=ledger,
        narrowings=narrowings(ledger, at_home, as_is),
    )
