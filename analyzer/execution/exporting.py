"""Write the entries of a lake out again, by source and line, whatever order the workers stored them in."""

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analyzer.drafts import written
from analyzer.errors import TRY_WRITING, AnalyzerError, Place, because
from analyzer.schema import ENTRY
from analyzer.store import Lake, read_entries, sound
from analyzer.store.layout import plain
from analyzer.text import spreadsheet_cell

_ROW = plain(ENTRY)
_LAST_LINE = 1 << 62
_ROWS_A_GROUP = 1 << 17


def export(lake: str, kind: str, out: str | None, since: datetime | None = None, until: datetime | None = None) -> None:
    """Write entries as `parquet`, `csv`, `jsonl` or `json` to a file or to standard output.

    Raises `LakeError` where there is no lake and `AnalyzerError` where the file cannot be written.
    """
    tables = sorted_entries(Lake(lake), since, until)
    write = {"parquet": _parquet, "csv": _csv, "jsonl": _jsonl, "json": _json}[kind]
    with _target(out) as file:
        write(tables, file)


def sorted_entries(store: Lake, since: datetime | None = None, until: datetime | None = None) -> Iterator[pa.Table]:
    """Entries by origin and line, one table at a time.

    Row groups of one source overlap only as far as several workers wrote at once, so a sweep over them in order of
    their first line holds few of them.
    """
    spans = _spans(store.entry_files(since, until))
    for origin in sorted({span[0] for span in spans}):
        waiting: pa.Table | None = None
        mine = sorted(span for span in spans if span[0] == origin)
        for place, (_, _, file, group) in enumerate(mine):
            rows = _rows(file, group, origin, since, until)
            waiting = rows if waiting is None else pa.concat_tables([waiting, rows])
            following = mine[place + 1][1] if place + 1 < len(mine) else _LAST_LINE
            ready = pc.less(waiting["line_number"], following)
            if pc.any(ready).as_py():
                yield waiting.filter(ready).sort_by("line_number")
                waiting = waiting.filter(pc.invert(ready))


def _spans(files: Iterable[str]) -> list[tuple[str, int, str, int]]:
    """(origin, its first line there, file, row group) for every row group that holds lines of an origin."""
    spans: list[tuple[str, int, str, int]] = []
    for file in files:
        with sound(file):
            reader = pq.ParquetFile(file, read_dictionary=["origin"])
            for group in range(reader.num_row_groups):
                places = reader.read_row_group(group, columns=["origin", "line_number"]).combine_chunks()
                first = places.group_by("origin").aggregate([("line_number", "min")])
                spans += [(row["origin"], row["line_number_min"], file, group) for row in first.to_pylist()]
    return spans


def _rows(file: str, group: int, origin: str, since: datetime | None, until: datetime | None) -> pa.Table:
    batches = list(read_entries(file, None, since, until, groups=[group]))
    table = pa.Table.from_batches(batches).cast(_ROW) if batches else _ROW.empty_table()
    return table.filter(pc.equal(table["origin"], origin))


def _parquet(tables: Iterable[pa.Table], file: IO[bytes]) -> None:
    """Row groups of one size, so that the bytes do not depend on how the rows came to be stored."""
    with pq.ParquetWriter(file, _ROW, compression="zstd") as writer:
        waiting = _ROW.empty_table()
        for table in tables:
            waiting = pa.concat_tables([waiting, table])
            whole = len(waiting) - len(waiting) % _ROWS_A_GROUP
            if whole:
                writer.write_table(waiting.slice(0, whole).combine_chunks(), row_group_size=_ROWS_A_GROUP)
                waiting = waiting.slice(whole).combine_chunks()
        if len(waiting):
            writer.write_table(waiting.combine_chunks(), row_group_size=_ROWS_A_GROUP)


def _jsonl(tables: Iterable[pa.Table], file: IO[bytes]) -> None:
    for line in _objects(tables):
        file.write(line + b"\n")


def _json(tables: Iterable[pa.Table], file: IO[bytes]) -> None:
    """One document, an array with an entry a line."""
    before = b"[\n"
    for line in _objects(tables):
        file.write(before + line)
        before = b",\n"
    file.write(b"[]\n" if before == b"[\n" else b"\n]\n")


def _objects(tables: Iterable[pa.Table]) -> Iterator[bytes]:
    for table in tables:
        for row in table.to_pylist():
            row["start_time"] = _time(row["start_time"])
            yield json.dumps(row, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def _csv(tables: Iterable[pa.Table], file: IO[bytes]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_ROW.names)
    for table in tables:
        for row in table.to_pylist():
            row["start_time"] = _time(row["start_time"])
            writer.writerow([_cell(row[name]) for name in _ROW.names])
    text.flush()
    text.detach()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return spreadsheet_cell(value) if isinstance(value, str) else value


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@contextmanager
def _target(out: str | None) -> Iterator[IO[bytes]]:
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with written(Path(out)) as file:
            yield file
    except OSError as error:
        raise AnalyzerError(f"cannot be written: {because(error)}", Place(out), TRY_WRITING) from error
