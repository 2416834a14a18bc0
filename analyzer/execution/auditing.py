"""Audit a lake on this machine: summaries of its files, merged, then concluded."""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice

import pyarrow as pa

from analyzer.evidence import NEEDED, merge, summarize
from analyzer.mesh.model import Mesh
from analyzer.pipeline import Audit, RejectedExample, conclude, tally_of
from analyzer.settings import Settings
from analyzer.store import Lake, read_entries

_PIECES_TOGETHER = 16
"""Summaries that wait before they are merged; more would hold memory, fewer would sort the same rows again."""
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
    store = Lake(lake)
    return conclude(
        summaries_of(store, since, until),
        tally=tally_of(store.sources()),
        settings=settings,
        mesh=mesh or Mesh(),
        istio_version=istio_version,
        as_of=as_of,
        rejected_examples=_rejected_examples(store),
    )


def summaries_of(store: Lake, since: datetime | None = None, until: datetime | None = None) -> dict[str, pa.Table]:
    """The merged summaries of a lake's entries."""
    merged = merge([])
    pieces = _pieces(store, since, until)
    while some := list(islice(pieces, _PIECES_TOGETHER)):
        merged = merge([merged, *some])
    return merged


def _pieces(store: Lake, since: datetime | None, until: datetime | None) -> Iterator[dict[str, pa.Table]]:
    for file in store.entry_files(since, until):
        for batch in read_entries(file, NEEDED, since, until):
            yield summarize(pa.Table.from_batches([batch]))


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
