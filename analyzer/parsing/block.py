"""Read a block: recognise its formats, read most lines by the column, the rest one by one with care."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pyarrow as pa

from analyzer.parsing.careful import CarefulLine, Shape, shape_of, why_rejected
from analyzer.parsing.gathering import as_entries
from analyzer.parsing.log_format import Gathering, Gathers, LogFormat, known_formats
from analyzer.parsing.parsed import Entries, Held, OddLine, Reason, Rejection

_SAMPLED_LINES = 8
_FIRST_SAMPLE = 4
"""Lines that are enough where they are all of one format."""
_WORTH_A_COLUMN = 64
"""Fewer odd lines than this are read faster one by one."""
_LONGEST_LINE = 4 << 20
"""Bytes; Envoy's headers end at 60 KiB, so a longer line is no access log and must not slow a block down."""


@dataclass
class ParsedBlock:
    """Everything a block held: entries per format, and rejected lines.

    `held` are entries too, which the reader gathers.
    """

    entries: list[Entries] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """How many lines that were not blank it holds."""
        return sum(len(entries) for entries in self.entries) + sum(len(held) for held in self.held) + len(self.rejected)


class BlockReader:
    """Reads blocks, each for itself: what a line is read as never depends on the blocks before it."""

    def __init__(self, formats: Sequence[LogFormat] | None = None) -> None:
        known = list(known_formats().values())
        self.formats = known if formats is None else list(formats)
        asked_for = {log_format.name for log_format in self.formats}
        self._not_asked_for = [log_format for log_format in known if log_format.name not in asked_for]
        self._candidates = lru_cache(maxsize=1024)(self._may_read)
        self._sampled: tuple[bytes, Counter[str]] = (b"", Counter())
        self.gathered: dict[str, Gathering] = {}

    def gather(self) -> None:
        """From now on gather what `read_on` reads, where its format can and a line tells of its own writer."""
        makers = {each.name: each for each in self.formats if isinstance(each, Gathers) and not each.relays}
        made = {name: maker.gathering() for name, maker in makers.items()}
        self.gathered = {name: gathering for name, gathering in made.items() if gathering is not None}

    def _may_read(self, shape: Shape) -> list[LogFormat]:
        return [log_format for log_format in self.formats if log_format.may_read(shape)]

    def is_of_one_format(self, data: bytes) -> bool:
        """Whether a few lines spread over a block are all of one format, so that nothing is to be taken off them."""
        return max(self._few_of(data).values(), default=0) == _FIRST_SAMPLE

    def _few_of(self, data: bytes) -> Counter[str]:
        """The formats of very few lines of a block, looked at once for the question above and for the reading."""
        if self._sampled[0] is not data:
            self._sampled = (data, self._seen_in(sample_lines(data, _FIRST_SAMPLE)))
        return self._sampled[1]

    def read(self, data: bytes) -> ParsedBlock:
        """Read every line of a block; lines end in `\\n` and nothing else."""
        return self._read(data, {})

    def read_on(self, data: bytes) -> ParsedBlock:
        """Read every line of a block that is the next part of what is gathered."""
        return self._read(data, self.gathered)

    def _read(self, data: bytes, gathered: Mapping[str, Gathering]) -> ParsedBlock:
        parsed = ParsedBlock()
        clean, unreadable = _set_unreadable_aside(data)
        frequent = self._by_frequency(clean)
        if not frequent:
            return self._finish(parsed, unreadable, list(enumerate(clean.split(b"\n"))), None, gathered)
        keeper = gathered.get(frequent[0])
        start = 0 if keeper is None else keeper.rows
        kept = None if keeper is None else keeper.gather(clean)
        if kept is not None:
            lines, odd = kept
            if len(lines):
                parsed.held.append(Held(frequent[0], start, lines))
            return self._finish(parsed, unreadable, odd, frequent[0], gathered)
        reading = next(log_format for log_format in self.formats if log_format.name == frequent[0]).read(clean)
        if reading.entries is not None and len(reading.entries):
            parsed.entries.append(reading.entries)
        return self._finish(parsed, unreadable, reading.odd, frequent[0], gathered)

    def _by_frequency(self, data: bytes) -> list[str]:
        """The formats of a few lines spread over the block, the most frequent first."""
        seen = self._few_of(data) if self.is_of_one_format(data) else self._seen_in(sample_lines(data))
        self._sampled = (b"", Counter())  # a block is let go of once it is read
        order = {log_format.name: place for place, log_format in enumerate(self.formats)}
        return sorted(seen, key=lambda name: (-seen[name], order[name]))

    def _seen_in(self, lines: Sequence[str]) -> Counter[str]:
        seen: Counter[str] = Counter()
        for text in lines:
            for log_format in self._candidates(shape_of(text)):
                found = log_format.read_line(text)
                if found is not None and not found.tampered:
                    seen[log_format.name] += 1
                    break
        return seen

    def _finish(
        self,
        parsed: ParsedBlock,
        unreadable: list[OddLine],
        odd: list[OddLine],
        done: str | None,
        gathered: Mapping[str, Gathering],
    ) -> ParsedBlock:
        """Read the odd lines: by the column where another format has many of them, else one by one."""
        odd = [(number, line) for number, line in odd if line.strip()]
        if len(odd) >= _WORTH_A_COLUMN:
            for name in self._by_frequency(b"\n".join(line for _, line in odd)):
                log_format = next((f for f in self.formats if f.name == name != done), None)
                if log_format is None or len(odd) < _WORTH_A_COLUMN:
                    continue
                reading = log_format.read(b"\n".join(line for _, line in odd))
                numbers = np.array([number for number, _ in odd], np.int64)
                if reading.entries is not None and len(reading.entries):
                    reading.entries.lines = numbers[reading.entries.lines]
                    parsed.entries.append(reading.entries)
                odd = [(int(numbers[place]), line) for place, line in reading.odd]
        careful: dict[str, list[tuple[int, CarefulLine]]] = {}
        aside = {number for number, _ in unreadable}
        for number, line in sorted([*odd, *(item for item in unreadable if item[1].strip())]):
            found = self._read_unreadable(line) if number in aside else self._read_carefully(line.decode("utf-8"))
            if isinstance(found, Reason):
                parsed.rejected.append(Rejection(number, found, line))
            else:
                careful.setdefault(found[0], []).append((number, found[1]))
        for name, lines in careful.items():
            left = lines if name not in gathered else _held(name, gathered[name], lines, parsed)
            if left:
                parsed.entries.append(as_entries(name, left))
        return parsed

    def _read_unreadable(self, line: bytes) -> tuple[str, CarefulLine] | Reason:
        """A line that no reader by the column may see: only one of bytes that are no UTF-8 may be an entry."""
        if len(line) > _LONGEST_LINE:
            return Reason.TOO_LONG
        if b"\0" in line or b"\r" in line.rstrip(b"\r"):
            return Reason.MALFORMED
        found = self._read_carefully(as_text(line))
        if isinstance(found, Reason) or _is_clean(line.rstrip(b"\r")):
            return found
        name, read = found
        return name, read._replace(values={name: _own_text(value) for name, value in read.values.items()})

    def _read_carefully(self, text: str) -> tuple[str, CarefulLine] | Reason:
        readings: list[tuple[str, CarefulLine]] = []
        for log_format in self._candidates(shape_of(text)):
            found = log_format.read_line(text)
            if found is None:
                continue
            if found.refused is not None:
                return found.refused
            readings.append((log_format.name, found))
            if not found.tampered:
                break
        if not readings and text[:1] in (" ", "\t"):
            return self._read_carefully(text.lstrip(" \t"))  # somebody indented it; a format of one's own may begin so
        return _agreed(readings) if readings else self._why_rejected(text)

    def _why_rejected(self, text: str) -> Reason:
        """Why a line is no entry; where only some formats were asked for, it may be an entry of another."""
        shape = shape_of(text)
        for log_format in self._not_asked_for:
            found = log_format.read_line(text) if log_format.may_read(shape) else None
            if found is not None and found.refused is None and not found.tampered:
                return Reason.OTHER_FORMAT
        return why_rejected(text)


def _held(
    name: str, gathering: Gathering, lines: Sequence[tuple[int, CarefulLine]], parsed: ParsedBlock
) -> list[tuple[int, CarefulLine]]:
    """Gather lines that were read with care; those that cannot be are given back."""
    start, left, held = gathering.rows, [], []
    for number, line in lines:
        if line.took or not gathering.add(line.values):
            left.append((number, line))
        else:
            held.append((number, line.tampered))
    if held:
        numbers, tampered = zip(*held, strict=True)
        parsed.held.append(Held(name, start, np.array(numbers, np.int64), np.array(tampered)))
    return left


def _agreed(readings: Sequence[tuple[str, CarefulLine]]) -> tuple[str, CarefulLine]:
    """One reading of a line. A client can forge the middle of another version's format into its own line, so of
    several readings only that is believed in which they agree; an untampered one needs no witness."""
    name, last = readings[-1]
    if not last.tampered or len(readings) == 1:
        return name, last
    name, first = readings[0]
    agreed = {
        field_name: value
        for field_name, value in first.values.items()
        if all(other.values.get(field_name) == value for _, other in readings[1:])
    }
    return name, CarefulLine(agreed, tampered=True)


def all_rejected(data: bytes) -> ParsedBlock:
    """A block of another container than the proxy's: no line of it is an access log's, whatever it looks like."""
    lines = [(number, line) for number, line in enumerate(data.split(b"\n")) if line.strip()]
    rejected = [Rejection(number, Reason.NOT_AN_ACCESS_LOG, line) for number, line in lines]
    return ParsedBlock(rejected=rejected)


def sample_lines(data: bytes, count: int = _SAMPLED_LINES) -> list[str]:
    """A few lines spread over a block, without copying the block."""
    if not data:
        return []
    texts: list[str] = []
    for part in range(count):
        start = data.rfind(b"\n", 0, len(data) * part // count) + 1
        end = data.find(b"\n", start)
        line = data[start : len(data) if end < 0 else end]
        if line.strip() and len(line) < _LONGEST_LINE:
            texts.append(as_text(line))
    return texts


def as_text(line: bytes) -> str:
    """A line as text. One that is not UTF-8 is read byte by byte, as Envoy itself does in JSON (measured)."""
    line = line.removesuffix(b"\r")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _own_text(value: str) -> str:
    """A value of a line that was read byte by byte: Envoy's JSON decides for each value whether it is UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _is_clean(line: bytes) -> bool:
    if b"\0" in line or b"\r" in line:
        return False
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _set_unreadable_aside(data: bytes) -> tuple[bytes, list[OddLine]]:
    """Take out the lines that Arrow's readers would stumble over, leaving a blank line where each one stood.

    These are lines with a carriage return inside (Arrow ends a line there), a NUL byte, bytes that are not
    UTF-8, and lines far longer than any header Envoy accepts.
    """
    returns = b"\r" in data
    if returns:
        data = data.replace(b"\r\n", b"\n")
        returns = b"\r" in data
    if not (returns or b"\0" in data or (len(data) > _LONGEST_LINE and _has_long_line(data))) and _is_utf8(data):
        return data, []
    lines = data.split(b"\n")
    odd = [(number, line) for number, line in enumerate(lines) if len(line) > _LONGEST_LINE or not _is_clean(line)]
    for number, _ in odd:
        lines[number] = b""
    return b"\n".join(lines), odd


def _is_utf8(data: bytes) -> bool:
    """Whether a block is UTF-8; Arrow looks without making a text of it, which could be four times as long."""
    if data.isascii():
        return True
    bounds = pa.array([0, len(data)], pa.int32()).buffers()[1]
    try:
        pa.Array.from_buffers(pa.string(), 1, [None, bounds, pa.py_buffer(data)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _has_long_line(data: bytes) -> bool:
    """Whether a line may exceed the bound: some stretch of that length holds no line end."""
    step = _LONGEST_LINE // 2
    return any(data.find(b"\n", start, start + step) < 0 for start in range(0, len(data) - step, step))
