"""What one worker does: blocks in, Parquet files out, and a tally that adds up.

Rows of many blocks are gathered before they are classified and written, so that dictionaries are shared, row
groups are large, and a thousand small sources do not become a thousand small files.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.classification import classify
from analyzer.evidence import NEEDED, merge, summarize
from analyzer.parsing import BlockReader, Entries, LogFormat, ParsedBlock
from analyzer.parsing.alike import alike
from analyzer.parsing.block import all_rejected
from analyzer.parsing.layers import Peeled
from analyzer.parsing.parsed import JUDGED_AS, as_judged
from analyzer.parsing.peeling import read_peeled
from analyzer.schema import ENTRY, REJECTED, conform
from analyzer.sources import Block, workload_of
from analyzer.sources.labels import FOREIGN
from analyzer.store import PartitionWriter, WrittenFile
from analyzer.store.layout import ENTRY_KIND, REJECTED_KIND
from analyzer.text import encodable
from analyzer.vocabulary import SOURCE_FIELDS

_SUMMARIES_TOGETHER = 8
"""Summaries that wait before they are merged into one."""
_ROWS_TOGETHER = 128_000
"""Rows that are classified and written as one row group: large enough to compress, small enough to hold."""
_EXCERPT = 2048
"""Bytes of a rejected line that are kept; its place in the source says where the rest is."""
_POLICY_FIELDS = ("upstream_cluster",)
_DETAIL_FIELDS = ("response_code_details",)


Summaries = dict[str, pa.Table]


@dataclass
class SourceTally:
    """One source's share of the tally, as far as one worker saw it."""

    bytes: int = 0
    entries: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    envelopes: Counter[str] = field(default_factory=Counter)
    took: set[tuple[str, str]] = field(default_factory=set)
    start: datetime | None = None
    end: datetime | None = None
    pods: set[str] = field(default_factory=set)

    def add(self, other: "SourceTally") -> None:
        """Add what another worker saw of the same source."""
        self.bytes += other.bytes
        self.entries += other.entries
        self.rejected += other.rejected
        self.formats += other.formats
        self.envelopes += other.envelopes
        self.took |= other.took
        self.pods |= other.pods
        self.start = min(filter(None, (self.start, other.start)), default=None)
        self.end = max(filter(None, (self.end, other.end)), default=None)


class Worker:
    """Ingests blocks into one set of files; `name` makes the files' names unique in the lake."""

    def __init__(self, lake: str, name: str, formats: Sequence[LogFormat] | None = None) -> None:
        self._reader = BlockReader(formats)
        self._formats = {log_format.name: log_format for log_format in self._reader.formats}
        self._writer = PartitionWriter(lake, name)
        self._gathered: dict[str, list[pa.Table]] = {}
        self._rejected: list[pa.Table] = []
        self._rows = 0
        self._summaries: list[Summaries] = []
        self.tallies: dict[str, SourceTally] = {}

    def ingest(self, block: Block) -> None:
        """Read one block; its rows are written sooner or later."""
        self._read(block)  # apart from the writing, so that a block is forgotten by then
        if self._rows >= _ROWS_TOGETHER:
            self._flush()

    def finish(self) -> tuple[list[WrittenFile], Summaries]:
        """Write what is left, close the files, and say what they hold in sum."""
        self._flush()
        return self._writer.finish(), merge(self._summaries)

    def _read(self, block: Block) -> None:
        data = block.load()
        tally = self.tallies.setdefault(block.origin, SourceTally())
        tally.bytes += len(data)
        if any(key == FOREIGN for key, _ in block.labels):
            self._gather(block, all_rejected(data), None, tally)
            return
        for parsed, peeled in read_peeled(self._reader, data, block.header, first=block.index == 0):
            if peeled is not None:
                tally.envelopes.update(peeled.envelopes)
            self._gather(block, parsed, peeled, tally)

    def _gather(self, block: Block, parsed: ParsedBlock, peeled: Peeled | None, tally: SourceTally) -> None:
        for entries in parsed.entries:
            columns = conform(entries.columns, len(entries))
            judged = {name: entries.columns[name] for name in JUDGED_AS if name in entries.columns}
            relays = self._formats[entries.format].relays
            table = pa.table({**columns, **judged, **_provenance(block, entries, peeled, relays)})
            self._gathered.setdefault(entries.format, []).append(table)
            self._rows += len(entries)
            tally.entries += len(entries)
            tally.formats[entries.format] += len(entries)
            tally.took |= entries.took
            _widen(tally, columns["start_time"])
            tally.pods.update(_pods(table["source_pod"]))
        if parsed.rejected:
            lines = np.array([rejection.line for rejection in parsed.rejected], np.int64)
            reasons = [rejection.reason.value for rejection in parsed.rejected]
            tally.rejected.update(reasons)
            texts = [rejection.text[:_EXCERPT].decode("utf-8", "backslashreplace") for rejection in parsed.rejected]
            columns = {
                "origin": _constant(block.origin, len(lines)),
                "line_number": pa.array(_physical(lines, peeled) + block.first_line),
                "reason": pa.array(reasons, pa.string()).dictionary_encode(),
                "text": pa.array(texts, pa.string()),
                **_labels(block, lines, peeled),
            }
            self._rejected.append(pa.table(columns).select(REJECTED.names))
            self._rows += len(lines)

    def _flush(self) -> None:
        gathered, self._gathered, self._rows = self._gathered, {}, 0
        for name in sorted(gathered):
            table = _together(gathered.pop(name))
            log_format = self._formats[name]
            columns = {column: table[column].chunk(0) for column in table.column_names}
            derived = classify(
                as_judged(columns),
                tampered=np.asarray(columns["tampered"]),
                knows_policy=log_format.fields.issuperset(_POLICY_FIELDS),
                knows_details=log_format.fields.issuperset(_DETAIL_FIELDS),
            )
            entries = pa.table({**columns, **derived}).select(ENTRY.names)
            self._writer.write(ENTRY_KIND, entries)
            self._summaries.append(summarize(entries.select(sorted(NEEDED))))
            if len(self._summaries) >= _SUMMARIES_TOGETHER:
                self._summaries = [merge(self._summaries)]
        if self._rejected:
            self._writer.write(REJECTED_KIND, _together(self._rejected))


def _together(tables: list[pa.Table]) -> pa.Table:
    """Tables as one, one chunk a column, one dictionary a column; the list is emptied.

    Column by column, and what was joined is forgotten at once: both at a time would be the most that a worker holds.
    """
    if not all(table.schema.equals(tables[0].schema) for table in tables):
        joined = pa.concat_tables(tables, promote_options="default").unify_dictionaries()
        tables.clear()
        return joined.combine_chunks()
    schema = tables[0].schema
    waiting = [
        pa.chunked_array([chunk for part in parts for chunk in part.chunks]) for parts in zip(*tables, strict=True)
    ]
    tables.clear()
    columns: list[pa.Array] = []
    while waiting:
        columns.append(waiting.pop(0).unify_dictionaries().combine_chunks())
    return pa.table(columns, schema=schema)


def _provenance(block: Block, entries: Entries, peeled: Peeled | None, relays: bool) -> dict[str, Any]:
    rows = len(entries)
    tampered = np.zeros(rows, bool) if entries.tampered is None else entries.tampered
    return {
        **_sources(block, entries, peeled, relays),
        "origin": _constant(block.origin, rows),
        "line_number": pa.array(_physical(entries.lines, peeled) + block.first_line),
        "log_format": _constant(entries.format, rows),
        "tampered": pa.array(tampered),
    }


def _sources(block: Block, entries: Entries, peeled: Peeled | None, relays: bool) -> dict[str, pa.Array]:
    """Who sent what each line tells of: the line itself knows best, then the source's labels and the envelope."""
    labels = _labels(block, entries.lines, peeled)
    own = {name: entries.columns[name] for name in SOURCE_FIELDS if name in entries.columns}
    if not own and not relays:
        return labels
    firsts, kinds = alike([*own.values(), *labels.values()])
    rows = [_joined(mine, known, relays) for mine, known in zip(_rows(own, firsts), _rows(labels, firsts), strict=True)]
    return {
        name: pa.array([row.get(name) for row in rows], pa.string()).dictionary_encode().take(pa.array(kinds))
        for name in SOURCE_FIELDS
    }


def _rows(columns: Mapping[str, pa.Array], places: Any) -> list[dict[str, str]]:
    """Some rows, what is missing left out."""
    texts = [(name, column.take(pa.array(places)).to_pylist()) for name, column in columns.items()]
    return [{name: column[row] for name, column in texts if column[row] is not None} for row in range(len(places))]


def _joined(own: dict[str, str], known: dict[str, str], relays: bool) -> Mapping[str, str]:
    """Labels that name a pod name the writer's: of no use where another wrote, or where the line names its own."""
    if relays and "source_pod" in known:
        known = {name: value for name, value in known.items() if name == "source_cluster"}
    elif own.keys() & {"source_pod", "source_workload"}:
        known = {name: value for name, value in known.items() if name in ("source_cluster", "source_namespace")}
    return _with_workload(known | own)


def _physical(lines: Any, peeled: Peeled | None) -> Any:
    """The lines of the block on which records begin; without envelopes a record is a line."""
    return lines if peeled is None else peeled.lines[lines]


def _labels(block: Block, lines: Any, peeled: Peeled | None) -> dict[str, pa.Array]:
    """Who wrote each line: what the source's labels say, else what the line's own envelope says."""
    fixed = dict(block.labels)
    if peeled is None:
        return {name: _constant(fixed.get(name), len(lines)) for name in SOURCE_FIELDS}
    codes = pa.array(peeled.codes[lines], pa.int32())
    known = [_with_workload({**labels, **fixed}) for labels in peeled.labels]
    return {
        name: pa.array([labels.get(name) for labels in known], pa.string()).take(codes).dictionary_encode()
        for name in SOURCE_FIELDS
    }


def _with_workload(labels: dict[str, str]) -> Mapping[str, str]:
    if "source_workload" not in labels and "source_pod" in labels:
        workload = workload_of(labels["source_pod"])
        if workload is not None:
            return {**labels, "source_workload": workload}
    return labels


def _constant(value: str | None, rows: int) -> pa.DictionaryArray:
    values = pa.array([] if value is None else [encodable(value)], pa.string())
    codes = pa.nulls(rows, pa.int32()) if value is None else pa.array(np.zeros(rows, np.int32))
    return pa.DictionaryArray.from_arrays(codes, values)


def _pods(column: pa.ChunkedArray) -> Iterator[str]:
    """The pods of a column, and the empty name where a row has none."""
    for chunk in column.chunks:
        yield from chunk.dictionary.to_pylist()
    if column.null_count:
        yield ""


def _widen(tally: SourceTally, times: pa.Array) -> None:
    bounds = pc.min_max(times).as_py()
    tally.start = min(filter(None, (tally.start, bounds["min"])), default=None)
    tally.end = max(filter(None, (tally.end, bounds["max"])), default=None)
