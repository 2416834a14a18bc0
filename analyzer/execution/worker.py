"""What one worker does: blocks in, Parquet files out, and a tally that adds up.

Rows of many blocks are gathered before they are classified and written, so that dictionaries are shared, row
groups are large, and a thousand small sources do not become a thousand small files.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from analyzer.classification import classify
from analyzer.evidence import NEEDED, merge, summarize
from analyzer.execution.provenance import constant, labels_of, physical
from analyzer.execution.tallying import SourceTally
from analyzer.execution.waiting import Waiting, together
from analyzer.parsing import BlockReader, LogFormat, Rejection
from analyzer.parsing.block import all_rejected
from analyzer.parsing.layers import Peeled
from analyzer.parsing.parsed import as_judged
from analyzer.parsing.peeling import read_peeled
from analyzer.schema import ENTRY, REJECTED
from analyzer.sources import Block
from analyzer.sources.labels import FOREIGN
from analyzer.store import PartitionWriter, WrittenFile
from analyzer.store.layout import ENTRY_KIND, REJECTED_KIND

_SUMMARIES_TOGETHER = 8
"""Summaries that wait before they are merged into one."""
_ROWS_TOGETHER = 128_000
"""Rows that are classified and written as one row group: large enough to compress, small enough to hold."""
_BYTES_TOGETHER = 96 << 20
"""Bytes of log after which the rows are written all the same: long lines would fill the memory. Plain JSON takes about
as much for as many rows as are wanted."""
_EXCERPT = 2048
"""Bytes of a rejected line that are kept; its place in the source says where the rest is."""
_POLICY_FIELDS = ("upstream_cluster",)
_DETAIL_FIELDS = ("response_code_details",)


Summaries = dict[str, pa.Table]


class Worker:
    """Ingests blocks into one set of files; `name` makes the files' names unique in the lake."""

    def __init__(self, lake: str, name: str, formats: Sequence[LogFormat] | None = None) -> None:
        self._reader = BlockReader(formats)
        self._reader.gather()
        self._formats = {log_format.name: log_format for log_format in self._reader.formats}
        self._writer = PartitionWriter(lake, name)
        self._waiting = Waiting(self._reader)
        self._rejected: list[pa.Table] = []
        self._rows = self._bytes = 0
        self._summaries: list[Summaries] = []
        self.tallies: dict[str, SourceTally] = {}

    def ingest(self, block: Block) -> None:
        """Read one block; its rows are written sooner or later."""
        self._read(block)  # apart from the writing, so that a block is forgotten by then
        if self._rows >= _ROWS_TOGETHER or self._bytes >= _BYTES_TOGETHER:
            self._flush()

    def finish(self) -> tuple[list[WrittenFile], Summaries]:
        """Write what is left, close the files, and say what they hold in sum."""
        self._flush()
        return self._writer.finish(), merge(self._summaries)

    def _read(self, block: Block) -> None:
        data = block.load()
        tally = self.tallies.setdefault(block.origin, SourceTally())
        tally.bytes += len(data)
        self._bytes += len(data)
        if any(key == FOREIGN for key, _ in block.labels):
            self._reject(block, all_rejected(data).rejected, None, tally)
            return
        for parsed, peeled in read_peeled(self._reader, data, block.header, first=block.index == 0):
            if peeled is not None:
                tally.envelopes.update(peeled.envelopes)
            self._waiting.add(block, parsed, peeled, tally)
            self._reject(block, parsed.rejected, peeled, tally)
            self._rows += parsed.lines

    def _reject(self, block: Block, rejected: Sequence[Rejection], peeled: Peeled | None, tally: SourceTally) -> None:
        if not rejected:
            return
        lines = np.array([rejection.line for rejection in rejected], np.int64)
        reasons = [rejection.reason.value for rejection in rejected]
        tally.rejected.update(reasons)
        texts = [rejection.text[:_EXCERPT].decode("utf-8", "backslashreplace") for rejection in rejected]
        columns = {
            "origin": constant(block.origin, len(lines)),
            "line_number": pa.array(physical(lines, peeled) + block.first_line),
            "reason": pa.array(reasons, pa.string()).dictionary_encode(),
            "text": pa.array(texts, pa.string()),
            **labels_of(block, lines, peeled),
        }
        self._rejected.append(pa.table(columns).select(REJECTED.names))

    def _flush(self) -> None:
        self._rows = self._bytes = 0
        for name, table in self._waiting.take():
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
            self._writer.write(REJECTED_KIND, together(self._rejected))
