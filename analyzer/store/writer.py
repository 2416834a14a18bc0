"""Write rows into Parquet files, one open file a partition, and say what was written.

A file is no part of the lake until a transaction names it; until then a reader does not see it and a killed
writer leaves nothing behind but bytes that nobody reads.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analyzer.dictionaries import codes_of, dictionary_of
from analyzer.schema import ENTRY, REJECTED
from analyzer.store.layout import ENTRY_KIND, folder

_ENCODINGS = {
    "start_time": "DELTA_BINARY_PACKED",
    "line_number": "DELTA_BINARY_PACKED",
    "bytes_sent": "DELTA_BINARY_PACKED",
    "request_id": "DELTA_LENGTH_BYTE_ARRAY",
    "downstream_remote_address": "DELTA_BYTE_ARRAY",
}
"""Measured on mesh logs among the encodings that Spark's vectorised reader knows: the smallest, or one that is within a
hundredth of the file and takes half the time."""
_REPEATING_NUMBERS = frozenset(
    ("response_code", "destination_port", "bytes_received", "duration", "upstream_service_time")
)
_STATISTICS = ["start_time", "destination_port", "source_namespace", "line_number"]
"""What a reader may skip row groups by. Every group holds hosts from a to z, and to find that out takes time."""
_PAGE_BYTES = 2 << 20
_PAGE_ROWS = 4 << 20
"""More rows than any page has: Arrow's 20,000 cost 2 % in size and 5 % in time."""
_GROUP_BYTES = 16 << 20
"""Bytes of a column in one row group. A batch is held whole, whatever a page may take, and long texts would add up."""
_BATCH = 1 << 14
"""Rows that are encoded at a time; Arrow's 1,024 take 2 % longer, all at once would make one page of any column."""
_WORTH_ORDERING = 5
"""Values; fewer take as many bits in any order."""
_MOST_OPEN = 64
"""Open files a writer; a file closed early costs one more small file, not an error."""
_ROUNDING = timedelta(milliseconds=1)
"""Delta's statistics hold milliseconds: a maximum that was cut off would hide the last entries."""
_MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True)
class WrittenFile:
    """One finished file, relative to the lake, with what a transaction has to say about it."""

    path: str
    kind: str
    day: date | None
    size: int
    rows: int
    first: datetime | None
    last: datetime | None

    @property
    def statistics(self) -> str:
        """Delta's per-file statistics, so that a reader can skip files by time."""
        content: dict[str, Any] = {"numRecords": self.rows}
        if self.first is not None and self.last is not None:
            content |= {
                "minValues": {"start_time": _delta_time(self.first)},
                "maxValues": {"start_time": _delta_time(self.last + _ROUNDING)},
                "nullCount": {"start_time": 0},
            }
        return json.dumps(content)


class _OpenFile:
    def __init__(self, lake: Path, path: str, kind: str, day: date | None, schema: pa.Schema) -> None:
        self.lake, self.path, self.kind, self.day = lake, path, kind, day
        target = lake / path
        target.parent.mkdir(parents=True, exist_ok=True)
        self.rows = 0
        self.first: datetime | None = None
        self.last: datetime | None = None
        repeating = [
            field.name for field in schema if pa.types.is_dictionary(field.type) or field.name in _REPEATING_NUMBERS
        ]
        self.writer = pq.ParquetWriter(
            target,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=repeating,
            column_encoding={name: encoding for name, encoding in _ENCODINGS.items() if name in schema.names},
            write_statistics=[name for name in _STATISTICS if name in schema.names],
            store_schema=False,
            write_page_index=False,
            data_page_size=_PAGE_BYTES,
            max_rows_per_page=_PAGE_ROWS,
            write_batch_size=_BATCH,
        )

    def write(self, table: pa.Table) -> None:
        columns = [_frequent_first(column) for column in table.columns]
        largest = max(column.nbytes for column in table.columns)
        groups = -(-largest // _GROUP_BYTES) or 1
        self.writer.write_table(pa.table(columns, schema=table.schema), row_group_size=-(-table.num_rows // groups))
        self.rows += table.num_rows
        if "start_time" in table.schema.names and self.day is not None:
            bounds = pc.min_max(table["start_time"]).as_py()
            self.first = min(filter(None, (self.first, bounds["min"])), default=None)
            self.last = max(filter(None, (self.last, bounds["max"])), default=None)

    def finish(self) -> WrittenFile:
        self.writer.close()
        size = (self.lake / self.path).stat().st_size
        return WrittenFile(self.path, self.kind, self.day, size, self.rows, self.first, self.last)


def _frequent_first(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.DictionaryArray:
    """The same values, the frequent ones with the small codes, which packs up to a tenth smaller; unused ones go."""
    if not pa.types.is_dictionary(column.type) or column.num_chunks != 1:
        return column
    coded = column.chunk(0)
    if len(coded.dictionary) < _WORTH_ORDERING:
        return column
    codes = codes_of(coded)
    counts = np.bincount(codes + 1, minlength=len(coded.dictionary) + 1)[1:]
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)].astype(np.int32)
    ranks = np.full(len(counts) + 1, -1, np.int32)  # -1, for null, picks the last
    ranks[order] = np.arange(len(order), dtype=np.int32)
    return dictionary_of(ranks[codes], coded.dictionary.take(pa.array(order)))


class PartitionWriter:
    """Writes tables of one kind of row into the partitions they belong to; `name` must be unique in the lake."""

    def __init__(self, lake: str | Path, name: str) -> None:
        self._lake, self._name = Path(lake), name
        self._open: dict[tuple[str, date | None], _OpenFile] = {}
        self._finished: list[WrittenFile] = []
        self._count = 0

    def write(self, kind: str, table: pa.Table) -> None:
        """Write rows, each to the day it began on (UTC); every call makes one row group a partition."""
        if table.num_rows == 0:
            return
        if kind != ENTRY_KIND:
            self._file(kind, None, table.schema).write(table)
            return
        for day, part in _by_day(table):
            self._file(kind, day, part.schema).write(part)

    def finish(self) -> list[WrittenFile]:
        """Close every file and say what was written."""
        self._finished += [opened.finish() for opened in self._open.values()]
        self._open = {}
        return self._finished

    def _file(self, kind: str, day: date | None, schema: pa.Schema) -> _OpenFile:
        key = (kind, day)
        if key not in self._open:
            if len(self._open) >= _MOST_OPEN:
                oldest = next(iter(self._open))
                self._finished.append(self._open.pop(oldest).finish())
            path = f"{folder(kind, day)}/{self._name}-{self._count:05d}.parquet"
            self._count += 1
            self._open[key] = _OpenFile(self._lake, path, kind, day, schema)
        return self._open[key]


def _by_day(table: pa.Table) -> list[tuple[date | None, pa.Table]]:
    """Rows of one day together, days in order; a table of one day is handed on as it is."""
    times = table["start_time"]
    bounds = pc.min_max(times).as_py()
    if bounds["min"] is None:
        return [(None, table)]
    if times.null_count == 0 and bounds["min"].date() == bounds["max"].date():
        return [(bounds["min"].date(), table)]
    micros = np.asarray(times.combine_chunks().cast(pa.int64()).fill_null(np.iinfo(np.int64).min))
    days = micros // _MICROSECONDS_A_DAY
    parts: list[tuple[date | None, pa.Table]] = []
    for number in np.unique(days).tolist():
        part = table.filter(pa.array(days == number))
        start = part["start_time"][0].as_py()
        parts.append((start.date() if start is not None else None, part))
    return parts


def _delta_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def without_origins(lake: Path, files: Sequence[WrittenFile], origins: Collection[str]) -> list[WrittenFile]:
    """The same rows in new files, without those of some sources (brought by another writer meanwhile)."""
    kept = PartitionWriter(lake, f"{Path(files[0].path).stem}-kept" if files else "kept")
    for file in files:
        schema = ENTRY if file.kind == ENTRY_KIND else REJECTED
        text = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        coded = pq.ParquetFile(lake / file.path, read_dictionary=text)
        for group in range(coded.num_row_groups):
            table = coded.read_row_group(group)
            foreign = pc.is_in(table["origin"].cast(pa.string()), pa.array(sorted(origins)))
            kept.write(file.kind, table.filter(pc.invert(foreign)).unify_dictionaries().combine_chunks())
    return kept.finish()


def without_lines(lake: Path, files: Sequence[WrittenFile], lines: Mapping[str, Sequence[int]]) -> list[WrittenFile]:
    """The same entries without some lines, by origin; files that hold none of them stay as they are."""
    gone = {origin: pa.array(numbers, pa.int64()) for origin, numbers in lines.items()}
    kept = PartitionWriter(lake, f"{Path(files[0].path).stem}-once" if files else "once")
    untouched: list[WrittenFile] = []
    text = [field.name for field in ENTRY if pa.types.is_dictionary(field.type)]
    for file in files:
        reader = None if file.kind != ENTRY_KIND else pq.ParquetFile(lake / file.path, read_dictionary=text)
        if reader is None or not any(_repeats(table, gone).any() for table in _places(reader)):
            untouched.append(file)
            continue
        for group in range(reader.num_row_groups):
            table = reader.read_row_group(group)
            kept.write(file.kind, table.filter(pa.array(~_repeats(table, gone))).unify_dictionaries().combine_chunks())
    return [*untouched, *kept.finish()]


def _places(reader: Any) -> Iterator[pa.Table]:
    for group in range(reader.num_row_groups):
        yield reader.read_row_group(group, columns=["origin", "line_number"])


def _repeats(table: pa.Table, gone: Mapping[str, pa.Array]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows are lines that go."""
    found = np.zeros(table.num_rows, bool)
    origins = table["origin"].cast(pa.string())
    for origin in set(pc.unique(origins).to_pylist()) & gone.keys():
        mine = pc.and_(pc.equal(origins, origin), pc.is_in(table["line_number"], gone[origin]))
        found |= np.asarray(mine.fill_null(False))
    return found
