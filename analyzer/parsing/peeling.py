"""Take envelopes off lines, in any nesting: what a container runtime, kubectl or a log store put round them.

No format reads a line that is still in an envelope. Where most of a block is wrapped, every line is peeled first;
elsewhere only the lines that no format could read are looked at. Each layer turns lines into records: one a line as a
rule, many where a line is a document of entries, one of several lines where a runtime cut a long line into parts. A
record keeps the number of the physical line on which it began.
"""

from collections.abc import Sequence

import numpy as np

from analyzer.parsing.block import BlockReader, ParsedBlock, sample_lines
from analyzer.parsing.envelopes import NOTHING
from analyzer.parsing.glances import may_be_wrapped, unwrap
from analyzer.parsing.joining import Document, documents, opens_document, places, wrapped_lines
from analyzer.parsing.layers import SAMPLED_LINES, Layer, Peeled, peel_block, peel_lines
from analyzer.parsing.tabular import rows

TABLE = "csv_export"
"""The envelope of rows."""
_DEEPEST = 6
"""Envelopes round one line: kubectl round CRI round a shipper's record and then some."""


def read_peeled(
    reader: BlockReader, data: bytes, header: bytes = b"", *, first: bool = True
) -> list[tuple[ParsedBlock, Peeled | None]]:
    """Read a block whose lines may be wrapped: what was bare, and what came out of envelopes, layer by layer.

    `header` is the first line of the source where it heads a table, which the `first` block begins with.
    Lines of a parsed block count lines of the block where no `Peeled` stands beside it, else records of that. Every
    record of the block is in exactly one of the parts.
    """
    if header:
        return _read_table(reader, data, header, first)
    opening = data[: data.find(b"\n") + 1]
    if not opens_document(opening):
        return _read(reader, data, None, 0)
    found, left = documents(list(enumerate(data.split(b"\n"))))
    if not found:
        return _read(reader, data, None, 0)
    return [*_read_documents(reader, found), *_read_lines(reader, left)]


def _read_table(
    reader: BlockReader, data: bytes, header: bytes, first: bool
) -> list[tuple[ParsedBlock, Peeled | None]]:
    """Read the rows of a table; its header frames them and is no line of its own."""
    layer = Layer(True, None)
    start = data.find(b"\n") + 1 or len(data) if first else 0
    for row in rows(header, data[start:]):
        layer.line = row.text
        layer.add_records(row.line + (1 if first else 0), row.records, TABLE)
    return _inside(reader, layer.finish(), None, 0)


def _read_documents(reader: BlockReader, found: Sequence[Document]) -> list[tuple[ParsedBlock, Peeled | None]]:
    """Read documents of many lines, each record at the line on which it stands."""
    parts: list[tuple[ParsedBlock, Peeled | None]] = []
    for document in found:
        layer = peel_lines([document.text], None, None).finish()
        texts = layer.data.split(b"\n")
        if len(texts) > 1 or layer.envelopes:
            layer.lines = np.array(places(document.written, texts), np.int64)
        layer.lines += document.line
        parts += _inside(reader, layer, None, 0)
    return parts


def _read_lines(reader: BlockReader, lines: Sequence[tuple[int, bytes]]) -> list[tuple[ParsedBlock, Peeled | None]]:
    """Read lines that do not all follow one another."""
    if not any(line.strip() for _, line in lines):
        return []
    numbers = np.array([number for number, _ in lines], np.int64)
    whole = Peeled(b"", numbers, [NOTHING], np.zeros(len(lines), np.int64))
    return _read(reader, b"\n".join(line for _, line in lines), whole, 0)


def _read_joined(reader: BlockReader, bare: ParsedBlock) -> tuple[ParsedBlock, list[tuple[ParsedBlock, Peeled | None]]]:
    """Join what a block rejected, where that makes entries; what it could not join is still rejected."""
    refused = {rejection.line: rejection.text for rejection in bare.rejected}
    neighbours = [line for line in sorted(refused) if line - 1 in refused or line + 1 in refused]
    found, left = documents([(line, refused[line]) for line in neighbours])
    lines, left = wrapped_lines(left, lambda text: _is_entry(reader, text))
    joined = set(neighbours) - {number for number, _ in left}
    bare.rejected = [rejection for rejection in bare.rejected if rejection.line not in joined]
    return bare, [*_read_documents(reader, found), *_read_lines(reader, lines)]


def _is_entry(reader: BlockReader, text: bytes) -> bool:
    """Whether a text is one entry that no client tampered with."""
    entries = reader.read(text).entries
    return (
        len(entries) == 1
        and len(entries[0]) == 1
        and not (entries[0].tampered is not None and any(entries[0].tampered))
    )


def _read(
    reader: BlockReader, data: bytes, around: Peeled | None, depth: int
) -> list[tuple[ParsedBlock, Peeled | None]]:
    if depth < _DEEPEST and not reader.is_of_one_format(data) and mostly_wrapped(data, reader):
        return _inside(reader, peel_block(data, around), around, depth)
    bare = reader.read_on(data)
    joined: list[tuple[ParsedBlock, Peeled | None]] = []
    if around is None and len(bare.rejected) > 1:
        bare, joined = _read_joined(reader, bare)
    wrapped = [] if depth == _DEEPEST else [rejection for rejection in bare.rejected if may_be_wrapped(rejection.text)]
    if not wrapped:
        return [(bare, around), *joined]
    layer = peel_lines([rejection.text for rejection in wrapped], [rejection.line for rejection in wrapped], around)
    left = {rejection.line for rejection in wrapped} - set(layer.bare)
    bare.rejected = [rejection for rejection in bare.rejected if rejection.line not in left]
    inside = _inside(reader, layer.finish(), around, depth) if left else []
    return [(bare, around), *joined, *inside]


def _inside(
    reader: BlockReader, layer: Peeled, around: Peeled | None, depth: int
) -> list[tuple[ParsedBlock, Peeled | None]]:
    peeled = layer.within(around)
    known = Peeled(b"", peeled.lines, peeled.labels, peeled.codes, peeled.envelopes)
    parts: list[tuple[ParsedBlock, Peeled | None]] = []
    if peeled.rejected or peeled.envelopes:
        parts.append((ParsedBlock(rejected=peeled.rejected), known))
    inner = Peeled(b"", peeled.lines, peeled.labels, peeled.codes)
    return parts + _read(reader, peeled.data, inner, depth + 1)


def mostly_wrapped(data: bytes, reader: BlockReader | None = None) -> bool:
    """Whether at least half of some lines spread over a block are in an envelope, and not readable as they are."""
    samples = [text.encode("utf-8", "surrogateescape") for text in sample_lines(data, SAMPLED_LINES)]
    wrapped = sum(_is_wrapped(line) and not (reader and _is_bare(reader, line)) for line in samples)
    return wrapped * 2 >= max(1, len(samples))


def _is_bare(reader: BlockReader, line: bytes) -> bool:
    """Whether a line of text is of a format as it stands: a custom one may begin as an envelope does."""
    return line[:1] not in (b"{", b"[") and bool(reader.read(line).entries)


def _is_wrapped(line: bytes) -> bool:
    return unwrap(line) is not None
