"""Ingest on this machine: a dispatcher cuts sources into blocks, workers read them, one transaction adds them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from analyzer.errors import LakeError, Place, because
from analyzer.evidence import merge
from analyzer.execution.identity import Identity, Known, identity_of
from analyzer.execution.overlaps import ANY_POD, duplicates, find_overlap
from analyzer.execution.pool import Batch, Progress, read_sources
from analyzer.execution.summing import summaries_of_files
from analyzer.execution.tallying import SourceTally
from analyzer.parsing import LogFormat, formats_for
from analyzer.sources import Source, find_sources, read_blocks
from analyzer.store import (
    Lake,
    SourceConflict,
    SourceRecord,
    Tally,
    WrittenFile,
    tally_of,
    without_lines,
    without_origins,
)
from analyzer.store.layout import ENTRY_KIND
from analyzer.text import encodable

_LISTED_PODS = 1000
"""Pods of one source that are listed by name; an export of more is compared with every other."""


def ingest(
    arguments: Sequence[str],
    lake: str,
    *,
    labels: Mapping[str, str] | None = None,
    log_format: str | None = None,
    mesh_config: Sequence[str] = (),
    workers: int | None = None,
    progress: Progress | None = None,
    apart: Sequence[str] = (),
) -> Tally:
    """Read sources into a lake as one batch and return the batch's tally.

    Where a folder is a source, the lake inside of it is none, and neither are the folders `apart`.

    A source whose content the lake already holds, under whatever name, is skipped and counted, unless names or labels
    say that two pods wrote it. `log_format` is the name of a known format or a format string, where none is to be
    recognised; `mesh_config` are files of a mesh's configuration to take the formats from instead. Raises
    `SourceError` for a source that cannot be opened and `LakeError` where the lake does not take the batch; then, and
    when the process is killed, the lake is as it was.
    """
    formats = _formats_of_mesh(mesh_config) if mesh_config else formats_for(log_format)
    left_out: list[str] = []
    sources = find_sources(arguments, dict(labels or {}), left_out.append, (lake, *apart))
    store = Lake(lake)
    fresh = _not_yet_known(sources, store.sources())
    if not fresh:
        return replace(tally_of([]), sources_skipped=len(sources), notes=tuple(left_out))
    store.make()
    name = uuid4().hex
    try:
        batch = read_sources(fresh, store.path, name, formats, workers or _cores(), progress)
        records = _commit(store, name, batch)
    except BaseException as error:
        store.forget(name)
        if isinstance(error, OSError):
            where = Place(error.filename or lake)
            raise LakeError(
                f"nothing was added: {because(error)}", where, "mend that, and run the ingest again"
            ) from error
        raise
    skipped = len(sources) - len(fresh) + len(batch.read) - len(records)
    tally = tally_of(records)
    return replace(tally, sources_skipped=skipped, notes=(*left_out, *tally.notes))


def _formats_of_mesh(mesh_config: Sequence[str]) -> Sequence[LogFormat]:
    from analyzer.parsing.mesh_config import formats_of_mesh

    return formats_of_mesh(mesh_config)


def _commit(store: Lake, name: str, batch: Batch) -> list[SourceRecord]:
    """Commit what is new of a batch; what another writer brought meanwhile is left out again."""
    records = sorted(_records(batch), key=lambda record: record.origin)
    conflicts: frozenset[str] = frozenset()
    while True:
        kept = _first_of_each(records, Known(store.sources(), conflicts))
        gone = {record.origin for record in records} - {record.origin for record in kept}
        files = without_origins(store.path, batch.files, gone) if gone else batch.files
        if not kept:
            _discard(store, batch.files)
            return []
        once = _once(store, files, kept)
        try:
            summaries = merge(batch.summaries) if once.files is batch.files else summaries_of_files(store, once.files)
            store.commit(name, once.files, once.records, summaries, look=partial(_look_again, store, once))
        except SourceConflict as conflict:
            conflicts |= conflict.digests
            _discard(store, [file for file in {*files, *once.files} if file not in batch.files])
            continue
        _discard(store, [file for file in {*files, *batch.files} if file not in once.files])
        return once.records


class _Once(NamedTuple):
    """A batch without the lines that the lake or another of its sources holds; `lake` are the sources looked at."""

    files: Sequence[WrittenFile]
    records: list[SourceRecord]
    lake: frozenset[str]


def _once(store: Lake, files: Sequence[WrittenFile], records: list[SourceRecord]) -> _Once:
    """Leave out, and count, what overlapping exports repeat."""
    there = store.sources()
    looked_at = frozenset(record.digest for record in there)
    overlap = find_overlap(records, there)
    if overlap is None:
        return _Once(files, records, looked_at)
    fresh = [str(store.path / file.path) for file in files if file.kind == ENTRY_KIND]
    known = store.entry_files(overlap.start, overlap.end) if overlap.known else []
    lines = duplicates(overlap, fresh, known)
    if not lines:
        return _Once(files, records, looked_at)
    counted = [
        replace(record, entries=record.entries - len(lines[record.origin]), duplicates=len(lines[record.origin]))
        if record.origin in lines
        else record
        for record in records
    ]
    return _Once(without_lines(store.path, files, lines), counted, looked_at)


def _look_again(store: Lake, once: _Once) -> None:
    """Raise `SourceConflict` where another writer brought an export that may overlap ours since we looked."""
    new = [record for record in store.sources() if record.digest not in once.lake]
    if new and find_overlap(once.records, new) is not None:
        raise SourceConflict(frozenset(record.digest for record in new))


def _not_yet_known(sources: Sequence[Source], known: Sequence[SourceRecord]) -> list[Source]:
    """Leave out what the lake holds; only a source of the same size as a known one is worth a look inside."""
    there, sizes = Known(known), {record.size for record in known}
    return [
        source for source in sources if source.size is None or source.size not in sizes or not _is_known(source, there)
    ]


def _is_known(source: Source, there: Known) -> bool:
    identity = Identity()
    for _ in read_blocks(source, seen=identity.update):
        pass
    return there.holds(identity_of(identity.text, source), identity.text)


def _records(batch: Batch) -> Iterator[SourceRecord]:
    for source in batch.read:
        tally = batch.tallies.get(source.origin, SourceTally())
        rejected = sum(tally.rejected.values())
        yield SourceRecord(
            origin=encodable(source.origin),
            digest=identity_of(batch.digests[source.origin], source),
            size=source.size,
            bytes=tally.bytes,
            lines=tally.entries + rejected,
            entries=tally.entries,
            rejected=rejected,
            rejected_by_reason=dict(sorted(tally.rejected.items())),
            formats=dict(sorted(tally.formats.items())),
            envelopes=dict(sorted(tally.envelopes.items())),
            notes=(*batch.notes.get(source.origin, ()), *_taken(tally.took)),
            start=tally.start.isoformat() if tally.start else None,
            end=tally.end.isoformat() if tally.end else None,
            pods=tuple(sorted(tally.pods)) if len(tally.pods) <= _LISTED_PODS else (ANY_POD,),
            content=batch.digests[source.origin],
        )


def _taken(took: set[tuple[str, str]]) -> list[str]:
    """What was made of keys that nobody declared, for a person to check."""
    if not took:
        return []
    pairs = ", ".join(f"{key} for {field}" for key, field in sorted(took, key=lambda pair: (pair[1], pair[0])))
    return [f"JSON keys were taken by their names and values: {pairs}"]


def _first_of_each(records: Sequence[SourceRecord], known: Known) -> list[SourceRecord]:
    """Of sources that are the same and not known yet, the first by name, those that say their pod before others."""
    chosen: list[SourceRecord] = []
    for record in sorted(records, key=lambda record: record.digest == record.content):
        if not known.holds(record.digest, record.content):
            known.add(record)
            chosen.append(record)
    return sorted(chosen, key=lambda record: record.origin)


def _discard(store: Lake, files: Sequence[WrittenFile]) -> None:
    for file in files:
        (Path(store.path) / file.path).unlink(missing_ok=True)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
