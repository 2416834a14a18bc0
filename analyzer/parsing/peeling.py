"""Take envelopes off lines, in any nesting: what a container runtime, kubectl or a log store put round them.

No format reads a line that is still in an envelope. Where most of a block is wrapped, every line is peeled first;
elsewhere only the lines that no format could read are looked at. Each layer turns lines into records: one a line as a
rule, many where a line is a document of entries, one of several lines where a runtime cut a long line into parts. A
record keeps the number of the physical line on which it began.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analyzer.parsing.block import BlockReader, ParsedBlock, sample_lines
from analyzer.parsing.claims import CONTAINER, PROXY_CONTAINER, merged
from analyzer.parsing.envelopes import NOTHING, Claims, Envelope, Inner, Part, WholeBlocks, known_envelopes
from analyzer.parsing.joining import Document, documents, opens_document, places, wrapped_lines
from analyzer.parsing.parsed import Reason, Rejection
from analyzer.parsing.prefixes import Prefix
from analyzer.parsing.tabular import rows

_SAMPLED_LINES = 5
TABLE = "csv_export"
"""The envelope of rows."""
_DEEPEST = 6
"""Envelopes round one line: kubectl round CRI round a shipper's record and then some."""
_LONGEST_JOINED = 8 << 20
"""Bytes of one line out of parts; no proxy writes such a line, so what is longer stays in parts."""
_MOST_CLAIMS = 1 << 12
_HEAD = re.compile(rb"\[?\d{4}-\d\d-\d\dT|\{")
"""How an access-log line begins."""

Numbers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass
class Peeled:
    """Records out of envelopes, one a line of `data`.

    `lines` is where each record begins, counted from 0 in the block; `labels[codes[n]]` is what the envelopes of
    record `n` know of its writer. A record that was rejected already is a blank line of `data`.
    """

    data: bytes
    lines: Numbers
    labels: Sequence[Claims]
    codes: Numbers
    envelopes: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejection] = field(default_factory=list)

    def within(self, outer: "Peeled | None") -> "Peeled":
        """The same records, numbered and labelled by what they were taken out of."""
        if outer is None:
            return self
        parents = self.lines
        pairs, codes = np.unique(outer.codes[parents] * len(self.labels) + self.codes, return_inverse=True)
        labels = [
            merged(outer.labels[pair // len(self.labels)], self.labels[pair % len(self.labels)])
            for pair in pairs.tolist()
        ]
        return Peeled(self.data, outer.lines[parents], labels, codes, self.envelopes, self.rejected)


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
    layer = _Layer(True, None)
    start = data.find(b"\n") + 1 or len(data) if first else 0
    for row in rows(header, data[start:]):
        layer.line = row.text
        layer.add_records(row.line + (1 if first else 0), row.records, TABLE)
    return _inside(reader, layer.finish(), None, 0)


def _read_documents(reader: BlockReader, found: Sequence[Document]) -> list[tuple[ParsedBlock, Peeled | None]]:
    """Read documents of many lines, each record at the line on which it stands."""
    parts: list[tuple[ParsedBlock, Peeled | None]] = []
    for document in found:
        layer = _peel_lines([document.text], None, None).finish()
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
    if depth < _DEEPEST and mostly_wrapped(data, reader):
        return _inside(reader, _peel_block(data, around), around, depth)
    bare = reader.read(data)
    joined: list[tuple[ParsedBlock, Peeled | None]] = []
    if around is None and len(bare.rejected) > 1:
        bare, joined = _read_joined(reader, bare)
    wrapped = [] if depth == _DEEPEST else [rejection for rejection in bare.rejected if _may_be_wrapped(rejection.text)]
    if not wrapped:
        return [(bare, around), *joined]
    layer = _peel_lines([rejection.text for rejection in wrapped], [rejection.line for rejection in wrapped], around)
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
    samples = [text.encode("utf-8", "surrogateescape") for text in sample_lines(data, _SAMPLED_LINES)]
    wrapped = sum(_is_wrapped(line) and not (reader and _is_bare(reader, line)) for line in samples)
    return wrapped * 2 >= max(1, len(samples))


def _is_bare(reader: BlockReader, line: bytes) -> bool:
    """Whether a line of text is of a format as it stands: a custom one may begin as an envelope does."""
    return line[:1] not in (b"{", b"[") and bool(reader.read(line).entries)


def _may_be_wrapped(line: bytes) -> bool:
    for envelope in known_envelopes().values():  # noqa: SIM110 - a generator costs as much as a look
        if envelope.recognizes(line):
            return True
    return False


def _is_wrapped(line: bytes) -> bool:
    return _unwrap(line, list(known_envelopes().values())) is not None


def _unwrap(line: bytes, envelopes: Sequence[Envelope]) -> tuple[str, Sequence[Inner]] | None:
    for envelope in envelopes:
        records = envelope.peel(line) if envelope.recognizes(line) else None
        if records is not None:
            return envelope.name, records
    return None


def peel(data: bytes) -> Peeled:
    """Take one envelope off every line of a block that has one; a line without stays as it is."""
    return _peel_block(data, None)


def _peel_block(data: bytes, around: Peeled | None) -> Peeled:
    lines = data.split(b"\n")
    usual = _usual_envelope(lines)
    whole = usual.peel_block(data) if isinstance(usual, WholeBlocks) else None
    if usual is None or whole is None:
        return _peel_lines(lines, None, around).finish()
    count = whole.count(b"\n")
    numbers = np.arange(count, dtype=np.int64)
    return Peeled(whole, numbers, [NOTHING], np.zeros(count, np.int64), Counter({usual.name: count}))


def _peel_lines(lines: Sequence[bytes], numbers: Sequence[int] | None, around: Peeled | None) -> "_Layer":
    """Peel all lines of a block, or those with some numbers, of which bare ones are then left out."""
    layer = _Layer(numbers is None, around)
    usual = _usual_envelope(lines)
    layer.envelopes.sort(key=lambda envelope: envelope is not usual)
    numbered = enumerate(lines) if numbers is None else zip(numbers, lines, strict=True)
    if isinstance(usual, Prefix):
        layer.add_prefixed(numbered, usual)
    else:
        for number, line in numbered:
            layer.add_line(number, line)
    return layer


def _usual_envelope(lines: Sequence[bytes]) -> Envelope | None:
    """The envelope of most of a few lines."""
    found: Counter[str] = Counter()
    for line in lines[:: max(1, len(lines) // _SAMPLED_LINES)]:
        unwrapped = _unwrap(line, list(known_envelopes().values()))
        if unwrapped is not None:
            found[unwrapped[0]] += 1
    return known_envelopes()[max(sorted(found), key=found.__getitem__)] if found else None


@dataclass
class _Waiting:
    """The parts of a line so far."""

    number: int
    texts: list[bytes]
    claims: Claims
    envelope: str
    unfinished: bool


class _Layer:
    """The records of one layer, as they come out."""

    def __init__(self, keeps_bare: bool, around: Peeled | None) -> None:
        self.bare: list[int] = []
        self.waiting: dict[tuple[str, int, int], _Waiting] = {}
        self._keeps_bare, self._around = keeps_bare, around
        self.envelopes = list(known_envelopes().values())
        """In the order in which they are tried."""
        self._texts: list[bytes] = []
        self._lines: list[int] = []
        self._codes: list[int] = []
        self._labels: list[Claims] = [NOTHING]
        self._code_of: dict[tuple[tuple[str, str], ...], int] = {(): 0}
        self._code_by_id: dict[int, tuple[Claims, int]] = {}
        self._refused: set[int] = set()
        self._counts: Counter[str] = Counter()
        self._rejected: list[Rejection] = []
        self.line = b""
        """The line that is being peeled."""

    def add_prefixed(self, numbered: Iterable[tuple[int, bytes]], prefix: Prefix) -> None:
        """Many lines, most of them behind a plain prefix whose claims are looked up once for each writer."""
        match, whole, waiting = prefix.shape.match, not prefix.has_stream, self.waiting
        known: dict[bytes, int] = {b"": 0}
        texts, places, codes, count = self._texts.append, self._lines.append, self._codes.append, 0
        for number, line in numbered:
            found = match(line)
            if found is None or waiting or not (whole or found["part"] is None):
                self.add_line(number, line)
                continue
            text = line[found.end() :]
            who = found["who"] or b"" if prefix.has_writer else b""
            code = known.get(who, -1)
            if code < 0:
                code = known[who] = self._code(prefix.claims(found))
            if code in self._refused or not text.strip():
                self.line = line
                self._append(number, text, code, prefix.name)
                continue
            texts(text)
            places(number)
            codes(code)
            count += 1
        self._counts[prefix.name] += count

    def add_line(self, number: int, line: bytes) -> None:
        """Any line."""
        self.line = line
        found = _unwrap(line, self.envelopes) if line.strip() else None
        if found is None:
            self.bare.append(number)
            if self._keeps_bare:
                self._append(number, line, 0, "")
            return
        self.add_records(number, found[1], found[0])

    def add_records(self, number: int, records: Sequence[Inner], name: str) -> None:
        """The records of a line; one that holds none is refused."""
        if not records:
            self._reject(number, Reason.NOT_AN_ACCESS_LOG, self.line, 0, name)
        for record in records:
            self._add_record(number, record, name)

    def finish(self) -> Peeled:
        """All records; parts whose end never came are rejected."""
        for waiting in sorted(self.waiting.values(), key=lambda waiting: waiting.number):
            self._end(waiting)
        return Peeled(
            b"\n".join(self._texts),
            np.array(self._lines, np.int64),
            self._labels,
            np.array(self._codes, np.int64),
            self._counts,
            self._rejected,
        )

    def _add_record(self, number: int, record: Inner, name: str) -> None:
        if not record.stream:
            self._append(number, record.text, self._code(record.claims), name)
            return
        writer = 0 if self._around is None else int(self._around.codes[number])
        key = (record.stream, self._code(record.claims), writer)
        before = self.waiting.pop(key, None)
        if before is not None and not before.unfinished and _HEAD.match(record.text) and _HEAD.match(before.texts[0]):
            self._end(before)  # two lines that somebody wrote down without their line ends
            before = None
        if before is None:
            if record.part is Part.WHOLE:
                self._append(number, record.text, self._code(record.claims), name)
                return
            before = _Waiting(number, [], record.claims, name, unfinished=False)
        before.texts.append(record.text)
        before.unfinished |= record.part is Part.GOES_ON
        too_long = sum(map(len, before.texts)) > _LONGEST_JOINED
        if record.part is Part.WHOLE or too_long:
            before.unfinished = too_long
            self._end(before)
        else:
            self.waiting[key] = before

    def _end(self, waiting: _Waiting) -> None:
        """Parts that are complete, or that may be, become a record; half a line proves nothing."""
        code, text = self._code(waiting.claims), b"".join(waiting.texts)
        if waiting.unfinished:
            self._reject(waiting.number, Reason.PARTIAL, text, code, waiting.envelope)
        else:
            self._append(waiting.number, text, code, waiting.envelope)

    def _append(self, number: int, text: bytes, code: int, name: str) -> None:
        if name and (code in self._refused or not text.strip()):
            self._reject(number, Reason.NOT_AN_ACCESS_LOG, text if text.strip() else self.line, code, name)
            return
        self._texts.append(text)
        self._lines.append(number)
        self._codes.append(code)
        if name:
            self._counts[name] += 1

    def _reject(self, number: int, reason: Reason, text: bytes, code: int, name: str) -> None:
        self._rejected.append(Rejection(len(self._texts), reason, text))
        self._append(number, b"", code, "")
        self._counts[name] += 1

    def _code(self, claimed: Claims) -> int:
        """The number of a set of claims; parts that say the same often hand out the same object."""
        if not claimed:
            return 0
        known = self._code_by_id.get(id(claimed))
        if known is not None:
            return known[1]
        code = self._code_of.setdefault(tuple(sorted(claimed.items())), len(self._labels))
        if code == len(self._labels):
            self._labels.append(claimed)
            if claimed.get(CONTAINER, PROXY_CONTAINER) != PROXY_CONTAINER:
                self._refused.add(code)
        if len(self._code_by_id) < _MOST_CLAIMS:
            self._code_by_id[id(claimed)] = (claimed, code)
        return code
