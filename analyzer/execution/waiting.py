"""The entries that wait to be classified and written: those that a format gathers, and the tables of the others."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pyarrow as pa

from analyzer.execution.provenance import provenance
from analyzer.execution.tallying import SourceTally
from analyzer.parsing import BlockReader, ParsedBlock
from analyzer.parsing.layers import Peeled
from analyzer.parsing.parsed import JUDGED_AS, Held
from analyzer.schema import conform
from analyzer.sources import Block


class _Part(NamedTuple):
    """Rows that are gathered: where they begin, where they came from, and the tally that they belong to."""

    start: int
    provenance: pa.Table
    tally: SourceTally


class Waiting:
    """Entries by format."""

    def __init__(self, reader: BlockReader) -> None:
        self._reader = reader
        self._relays = {log_format.name: log_format.relays for log_format in reader.formats}
        self._parts: dict[str, list[_Part]] = {}
        self._tables: dict[str, list[pa.Table]] = {}

    def add(self, block: Block, parsed: ParsedBlock, peeled: Peeled | None, tally: SourceTally) -> None:
        """Let the entries of a block wait."""
        for held in parsed.held:
            self._parts.setdefault(held.format, []).append(self._part(block, held, peeled, tally))
        for entries in parsed.entries:
            origins = provenance(block, entries, peeled, relays=self._relays[entries.format])
            table = _table(entries.columns, origins)
            self._tables.setdefault(entries.format, []).append(table)
            tally.took |= entries.took
            tally.widen(table["start_time"])
            tally.count(entries.format, table["source_pod"])

    def take(self) -> Iterator[tuple[str, pa.Table]]:
        """The entries of each format in one table, one chunk a column; they wait no longer."""
        for name in sorted({*self._parts, *self._tables}):
            tables = self._tables.pop(name, [])
            parts = self._parts.pop(name, [])
            if parts:
                tables.insert(0, self._gathered(name, parts))
            yield name, tables[0].combine_chunks() if len(tables) == 1 else together(tables)

    def _part(self, block: Block, held: Held, peeled: Peeled | None, tally: SourceTally) -> _Part:
        origins = pa.table(provenance(block, held, peeled))
        tally.count(held.format, origins["source_pod"])
        return _Part(held.start, origins, tally)

    def _gathered(self, name: str, parts: list[_Part]) -> pa.Table:
        columns = self._reader.gathered[name].take()
        parts.sort(key=lambda part: part.start)
        for part in parts:
            part.tally.widen(columns["start_time"].slice(part.start, part.provenance.num_rows))
        origins = together([part.provenance for part in parts])
        return _table(columns, dict(zip(origins.column_names, origins.columns, strict=True)))


def _table(columns: Mapping[str, pa.Array], origins: Mapping[str, pa.Array | pa.ChunkedArray]) -> pa.Table:
    judged = {name: columns[name] for name in JUDGED_AS if name in columns}
    return pa.table({**conform(columns, len(origins["origin"])), **judged, **origins})


def together(tables: list[pa.Table]) -> pa.Table:
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
