"""Sum up a lake's entries: what each batch kept in sum, or else its files, piece by piece."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

import pyarrow as pa

from analyzer.evidence import NEEDED, merge, summarize
from analyzer.store import Lake, WrittenFile, read_entries
from analyzer.store.layout import ENTRY_KIND

_PIECES_TOGETHER = 16
"""Summaries that wait before they are merged; more would hold memory, fewer would sort the same rows again."""


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
