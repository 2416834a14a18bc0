"""Audit a lake on this machine: summaries of its files, merged, then concluded."""

from datetime import date, datetime

from analyzer.evidence import gather
from analyzer.execution.paths import with_paths
from analyzer.execution.rhythms import with_rhythms
from analyzer.execution.summing import summaries_of
from analyzer.mesh.model import Mesh
from analyzer.pipeline import Audit, RejectedExample, conclude
from analyzer.settings import Settings
from analyzer.store import Lake, tally_of

_EXAMPLES_A_REASON = 5
_EXAMPLE_LENGTH = 400


def audit(
    lake: str,
    *,
    settings: Settings,
    mesh: Mesh | None = None,
    istio_version: str,
    since: datetime | None = None,
    until: datetime | None = None,
    as_of: date | None = None,
) -> Audit:
    """Everything that the entries of a lake say, between two moments if any are given.

    Raises `LakeError` where there is no lake.
    """
    store, mesh = Lake(lake), mesh or Mesh()
    summaries = summaries_of(store, since, until)
    return conclude(
        summaries,
        destinations=with_rhythms(
            store, with_paths(store, gather(summaries), mesh, since, until), settings, since, until
        ),
        tally=tally_of(store.sources()),
        settings=settings,
        mesh=mesh,
        istio_version=istio_version,
        as_of=as_of,
        rejected_examples=_rejected_examples(store),
    )


def _rejected_examples(store: Lake) -> list[RejectedExample]:
    """The first few rejected lines of each reason, by place."""
    found: dict[str, list[RejectedExample]] = {}
    for batch in store.rejected():
        for row in batch.select(["origin", "line_number", "reason", "text"]).to_pylist():
            example = RejectedExample(row["origin"], row["line_number"], row["reason"], row["text"][:_EXAMPLE_LENGTH])
            few = found.setdefault(example.reason, [])
            few.append(example)
            if len(few) > 50 * _EXAMPLES_A_REASON:
                found[example.reason] = _first(few)
    return [example for reason in sorted(found) for example in _first(found[reason])]


def _first(examples: list[RejectedExample]) -> list[RejectedExample]:
    return sorted(examples, key=lambda example: (example.origin, example.line_number))[:_EXAMPLES_A_REASON]
