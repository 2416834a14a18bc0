"""Audit a lake on this machine: summaries of its files, merged, then concluded."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice

import pyarrow as pa

from analyzer.evidence import NEEDED, merge, summarize
from analyzer.mesh.model import Mesh
from analyzer.pipeline import Audit, RejectedExample, conclude, tally_of
from analyzer.settings import Settings
from analyzer.store import Lake, WrittenFile, read_entries
from analyzer.store.layout import ENTRY_KIND

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
    """The merged summaries of a lake's entries.

    Of whole batches they were kept at the ingest, so that an audit of any size reads only them; a stretch of time
    is summed up anew from the entries.
    """
    kept = store.summaries() if since is None and until is None else None
    if kept is not None:
        return merge(kept)
    return _merged(_pieces(store.entry_files(since, until), since, until))


def summaries_of_files(store: Lake, files: Iterable[WrittenFile]) -> dict[str, pa.Table]:
    """The merged summaries of some files of entries, whether they are part of the lake or not."""
    return _merged(_pieces((str(store.path / file.path) for file in files if file.kind == ENTRY_KIND), None, None))


def _merged(pieces: Iterator[dict[str, pa.Table]]) -> dict[str, pa.Table]:
    merged = merge([])
    while some := list(islice(pieces, _PIECES_TOGETHER)):
        merged = merge([merged, *some])
    return merged


def _pieces(files: Iterable[str], since: datetime | None, until: datetime | None) -> Iterator[dict[str, pa.Table]]:
    for file in files:
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
