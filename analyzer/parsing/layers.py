"""One layer of envelopes taken off lines: records come out, with their places and what is claimed of their writers."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analyzer.parsing.claims import CONTAINER, PROXY_CONTAINER, merged
from analyzer.parsing.envelopes import NOTHING, Claims, Envelope, Inner, Part, WholeBlocks, known_envelopes
from analyzer.parsing.glances import unwrap
from analyzer.parsing.parsed import Reason, Rejection
from analyzer.parsing.prefixes import Prefix

SAMPLED_LINES = 5
"""Lines that are enough to tell what most lines of a block are."""
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


def peel(data: bytes) -> Peeled:
    """Take one envelope off every line of a block that has one; a line without stays as it is."""
    return peel_block(data, None)


def peel_block(data: bytes, around: Peeled | None) -> Peeled:
    """Take one envelope off every line of a block; `around` is what the block itself came out of."""
    lines = data.split(b"\n")
    usual = _usual_envelope(lines)
    whole = usual.peel_block(data) if isinstance(usual, WholeBlocks) else None
    if usual is None or whole is None:
        return peel_lines(lines, None, around).finish()
    count = whole.count(b"\n")
    numbers = np.arange(count, dtype=np.int64)
    # Without the last line end, behind which the layer below would see one more record, of no line.
    records = whole.removesuffix(b"\n")
    return Peeled(records, numbers, [NOTHING], np.zeros(count, np.int64), Counter({usual.name: count}))


def peel_lines(lines: Sequence[bytes], numbers: Sequence[int] | None, around: Peeled | None) -> "Layer":
    """Peel all lines of a block, or those with some numbers, of which bare ones are then left out."""
    layer = Layer(numbers is None, around)
    usual = layer.usual = _usual_envelope(lines)
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
    for line in lines[:: max(1, len(lines) // SAMPLED_LINES)]:
        unwrapped = unwrap(line)
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


class Layer:
    """The records of one layer, as they come out."""

    def __init__(self, keeps_bare: bool, around: Peeled | None) -> None:
        self.bare: list[int] = []
        self.waiting: dict[tuple[str, int, int], _Waiting] = {}
        self._keeps_bare, self._around = keeps_bare, around
        self.usual: Envelope | None = None
        """The envelope that is tried first."""
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
        found = unwrap(line, self.usual) if line.strip() else None
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
