"""Find lines that two exports of one log share, so that each is counted once.

Exports overlap: a pod's log of ten minutes ago and the same log now, a file that has grown since, a rotated file beside
its successor. A log is a sequence of lines, and an export a stretch of it; so of equal lines the log holds as many as
the export that holds most of them, and what other exports repeat are duplicates. Two equal lines of one export are two
lines of the log.

Lines are equal where the same format read the same of them: every field, and who wrote it. Where no label says which
pod that was, a line must bear what no second pod can have, its client's address and port or a request id beside its
time. Lines without a time, and lines that no format could read, are never held to be duplicates.

Exports are compared only where they may overlap: they speak of a pod in common, at a time in common. Then their entries
are read back from the files of the batch and of the lake: the numbers of all, as hashes, and all columns only of those
that may be equal, so many at once that memory has a bound.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import ceil
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analyzer.aggregates import group_codes
from analyzer.parsing.parsed import EXTRA, TIMESTAMP
from analyzer.schema import ENTRY
from analyzer.store import SourceRecord
from analyzer.store.layout import plain
from analyzer.vocabulary import ACCESS_LOG_FIELDS, SOURCE_FIELDS

ANY_POD = "*"
"""Stands for the pods of a source that speaks of too many to list."""
_NUMBERS = ("start_time", "bytes_received", "bytes_sent", "duration", "origin")
"""Columns of numbers tell most lines apart, and are read in no time."""
_CLIENTS = ("start_time", "downstream_remote_address", "source_pod", "origin")
"""These tell nearly all lines apart that are not the same."""
_EQUAL = (*ACCESS_LOG_FIELDS, EXTRA, *SOURCE_FIELDS, "log_format", "tampered")
_STORED = plain(ENTRY)
_ROWS_AT_ONCE = 300_000
"""Entries that are compared at once; all columns are read only of those that may be equal."""
_ROWS_OF_A_FILE = 64_000
"""Entries of a file of which the numbers are looked at together."""
_HASHES_AT_ONCE = 4_000_000
"""Entries of which hashes and times are held: 24 bytes each, and as much again to sort them."""
_ODD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
"""Odd numbers that mix the bits of others (the golden ratio's, and XXH64's)."""
_OF_THE_LAKE = -1

Lines = dict[str, list[int]]
"""Line numbers by origin."""


class Overlap(NamedTuple):
    """Where exports may repeat one another: from and to (both included), and which, in the batch and in the lake."""

    start: datetime
    end: datetime
    fresh: frozenset[str]
    known: frozenset[str]


@dataclass(frozen=True)
class _Span:
    start: datetime
    end: datetime
    origin: str
    fresh: bool


def find_overlap(fresh: Iterable[SourceRecord], known: Iterable[SourceRecord]) -> Overlap | None:
    """Where sources of a batch may repeat one another or what the lake holds; null where they cannot."""
    by_pod: dict[str, list[_Span]] = defaultdict(list)
    for is_fresh, records in ((True, fresh), (False, known)):
        for record in records:
            if record.start is None or record.end is None:
                continue
            start, end = datetime.fromisoformat(record.start), datetime.fromisoformat(record.end)
            for pod in record.pods or (ANY_POD,):
                by_pod[pod].append(_Span(start, end, record.origin, is_fresh))
    anybody = by_pod.pop(ANY_POD, [])
    shared: list[Overlap] = []
    for spans in [anybody, *([*spans, *anybody] for spans in by_pod.values())]:
        window = _shared_time(spans)
        if window is not None:
            start, end = window
            there = [span for span in spans if span.start <= end and span.end >= start]
            fresh_origins = frozenset(span.origin for span in there if span.fresh)
            shared.append(Overlap(start, end, fresh_origins, frozenset(s.origin for s in there if not s.fresh)))
    if not shared:
        return None
    return Overlap(
        min(one.start for one in shared),
        max(one.end for one in shared),
        frozenset().union(*(one.fresh for one in shared)),
        frozenset().union(*(one.known for one in shared)),
    )


def _shared_time(spans: Iterable[_Span]) -> tuple[datetime, datetime] | None:
    """From where to where a fresh span lies with another over the same time."""
    reach: dict[bool, datetime] = {}
    shared: list[tuple[datetime, datetime]] = []
    for span in sorted(spans, key=lambda span: span.start):
        ends = [end for fresh, end in reach.items() if (fresh or span.fresh) and end >= span.start]
        shared += [(span.start, min(span.end, end)) for end in ends]
        reach[span.fresh] = max(span.end, reach.get(span.fresh, span.end))
    return (min(start for start, _ in shared), max(end for _, end in shared)) if shared else None


def duplicates(overlap: Overlap, fresh_files: Sequence[str], known_files: Sequence[str]) -> Lines:
    """The lines of a batch that repeat a line of the lake or of a source before them by name."""
    ranks = {origin: rank for rank, origin in enumerate(sorted(overlap.fresh))}
    found: Lines = defaultdict(list)
    read = partial(_both, overlap, ranks, fresh_files, known_files)
    for times in _alike_in_numbers(overlap, ranks, fresh_files, known_files):
        alike = pc.field("start_time").isin(times)
        times = _of_one_client(read(alike, _CLIENTS))
        if not len(times):
            continue
        alike = pc.field("start_time").isin(times)
        for origin, line in _repeated(read(alike, (*_EQUAL, "origin", "line_number"))):
            found[origin].append(line)
    return {origin: sorted(lines) for origin, lines in sorted(found.items())}


def _alike_in_numbers(
    overlap: Overlap, ranks: Mapping[str, int], fresh_files: Sequence[str], known_files: Sequence[str]
) -> Iterator[pa.Array]:
    """Times at which more than one export has entries with the same numbers, some at once.

    Where there are more entries than may be held, one part of all hashes is looked for after the other, so that equal
    lines are always in one part; and what is found is handed out in times of so many that all their lines may be held.
    """
    rows = _rows_of([*fresh_files, *known_files])
    parts = max(1, ceil(rows / _HASHES_AT_ONCE))
    known, fresh = dict.fromkeys(overlap.known, 0), {origin: rank + 1 for origin, rank in ranks.items()}
    alike: dict[int, int] = {}
    for part in range(parts):
        seen = _Seen(max(1, len(ranks).bit_length()), part, parts)
        for files, of_origins in ((known_files, known), (fresh_files, fresh)):
            for file in files:
                seen.add(file, overlap, of_origins)
        alike |= seen.times()
    times = np.array(sorted(alike), np.int64)
    reach = np.cumsum([alike[time] for time in times.tolist()]) // _ROWS_AT_ONCE
    for some in np.split(times, np.flatnonzero(np.diff(reach)) + 1):
        if len(some):
            yield pa.array(some).cast(TIMESTAMP)


class _Seen:
    """Hashes of the numbers of entries, with the rank of the export of each in the lowest bits; and their times."""

    def __init__(self, bits: int, part: int, parts: int) -> None:
        self._bits, self._part, self._parts = np.uint64(bits), np.uint64(part), np.uint64(parts)
        self._keys: list[Any] = []
        self._times: list[Any] = []

    def add(self, file: str, overlap: Overlap, ranks: Mapping[str, int]) -> None:
        """Look at the entries of some exports in a file."""
        parquet = pq.ParquetFile(file, read_dictionary=["origin"])
        start, end = (pa.scalar(time, TIMESTAMP).cast(pa.int64()).as_py() for time in (overlap.start, overlap.end))
        for batch in parquet.iter_batches(_ROWS_OF_A_FILE, columns=list(_NUMBERS)):
            rank = _ranks_of(batch["origin"], ranks)
            times = np.asarray(batch["start_time"].cast(pa.int64()).fill_null(start - 1))
            wanted = (rank >= 0) & (times >= start) & (times <= end)
            hashes = times.astype(np.uint64)
            for name, odd in zip(("bytes_received", "bytes_sent", "duration"), _ODD, strict=True):
                hashes = (hashes ^ np.asarray(batch[name].fill_null(-1)).astype(np.uint64)) * np.uint64(odd)
                hashes ^= hashes >> np.uint64(29)
            wanted &= hashes % self._parts == self._part
            self._keys.append((hashes[wanted] >> self._bits << self._bits) | rank[wanted].astype(np.uint64))
            self._times.append(times[wanted])

    def times(self) -> dict[int, int]:
        """The times of entries that another export may have as well, and about how many entries there are of each."""
        if not self._keys:
            return {}
        keys = np.concatenate(self._keys)
        self._keys.clear()
        in_order = np.sort(keys)
        hashes = in_order >> self._bits
        several = (hashes[1:] == hashes[:-1]) & (in_order[1:] != in_order[:-1])
        found = np.unique(hashes[1:][several])
        if not len(found):
            return {}
        keys >>= self._bits
        times = np.concatenate(self._times)
        alike = np.unique(times[_is_among(keys, found)])
        there, counts = np.unique(times[_is_among(times, alike)], return_counts=True)
        return dict(zip(there.tolist(), (counts * int(self._parts)).tolist(), strict=True))


def _is_among(values: Any, some: Any) -> Any:
    """Whether each value is one of some, which are sorted."""
    return some[np.minimum(np.searchsorted(some, values), len(some) - 1)] == values


def _ranks_of(origins: Any, ranks: Mapping[str, int]) -> Any:
    """The rank of each entry's export; -1 where it is none of those that are looked at."""
    coded = origins if pa.types.is_dictionary(origins.type) else origins.dictionary_encode()
    of_values = np.array([ranks.get(origin, -1) for origin in coded.dictionary.to_pylist()] + [-1], np.int64)
    return of_values[np.asarray(coded.indices.fill_null(len(of_values) - 1))]


def _rows_of(files: Iterable[str]) -> int:
    return sum(pq.read_metadata(file).num_rows for file in files)


def _both(
    overlap: Overlap,
    ranks: Mapping[str, int],
    fresh_files: Sequence[str],
    known_files: Sequence[str],
    wanted: Any,
    columns: Sequence[str],
) -> pa.Table:
    """Entries of the lake and of the batch, with the rank of the export each is from."""
    fresh = _read(fresh_files, columns, wanted & pc.field("origin").isin(sorted(overlap.fresh)))
    known = _read(known_files, columns, wanted & pc.field("origin").isin(sorted(overlap.known)))
    order = pa.array(sorted(ranks), pa.string())
    fresh_ranks = pc.index_in(fresh["origin"], order).cast(pa.int64())
    known_ranks = pa.chunked_array([pa.array(np.full(known.num_rows, _OF_THE_LAKE, np.int64))])
    return pa.concat_tables([known.append_column("rank", known_ranks), fresh.append_column("rank", fresh_ranks)])


def _read(files: Sequence[str], columns: Sequence[str], wanted: Any) -> pa.Table:
    import pyarrow.dataset as ds

    if not files:
        return pa.schema([_STORED.field(name) for name in columns]).empty_table()
    # What is read ahead of the filter is held as well, and there is little behind it.
    return ds.dataset(list(files), schema=_STORED, format="parquet").to_table(
        columns=list(columns), filter=wanted, batch_size=_ROWS_OF_A_FILE, batch_readahead=1, fragment_readahead=1
    )


def _of_one_client(seen: pa.Table) -> pa.Array:
    """Times at which one client of one pod has entries in more than one export."""
    places = seen.group_by(["start_time", "downstream_remote_address", "source_pod"], use_threads=False).aggregate(
        [("rank", "min"), ("rank", "max")]
    )
    return pc.unique(places.filter(pc.less(places["rank_min"], places["rank_max"]))["start_time"])


def _repeated(rows: pa.Table) -> Iterator[tuple[str, int]]:
    """Origin and line of every entry that an export before it holds as well, each as often as that one does."""
    certain = pc.or_(
        pc.is_valid(rows["source_pod"]),
        pc.or_(pc.is_valid(rows["downstream_remote_address"]), pc.is_valid(rows["request_id"])),
    )
    rows = rows.filter(certain)
    if not rows.num_rows:
        return
    content = np.asarray(group_codes([rows[name] for name in _EQUAL]))
    rank, line = (np.asarray(rows[name]) for name in ("rank", "line_number"))
    order = np.lexsort((line, rank, content))
    content, rank = content[order], rank[order]
    # Runs of equal lines of one export; in each, as many are repeated as any export before it holds.
    starts = np.flatnonzero(np.diff(content, prepend=-1).astype(bool) | np.diff(rank, prepend=-2).astype(bool))
    lengths = np.diff(np.append(starts, len(order)))
    before = _most_before(content[starts], lengths)
    place = np.arange(len(order)) - np.repeat(starts, lengths)
    repeated = order[(place < np.repeat(before, lengths)) & (rank != _OF_THE_LAKE)]
    chosen = rows.select(["origin", "line_number"]).take(pa.array(repeated))
    yield from zip(chosen["origin"].to_pylist(), chosen["line_number"].to_pylist(), strict=True)


def _most_before(content: Any, lengths: Any) -> Any:
    """For each run the length of the longest run of the same content before it."""
    number = np.cumsum(np.diff(content, prepend=content[0]).astype(bool)).astype(np.int64)
    room = int(lengths.max()) + 1
    longest = np.maximum.accumulate(lengths + number * room) - number * room
    before = np.concatenate(([0], longest[:-1]))
    before[np.diff(number, prepend=-1).astype(bool)] = 0
    return before
