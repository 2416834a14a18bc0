"""Where a source may be cut into blocks so that no record is cut with it, and the header that every block needs.

A record of many lines must be read in one go, whatever the size of blocks: the parts of a line that a runtime cut, a
JSON document, a wrapped line, a cell of a table. Only the end of a block is looked at, and an ordinary end costs a
glance.
"""

import re
from mmap import mmap

from analyzer.parsing.envelopes import Part, known_envelopes
from analyzer.parsing.joining import opens_document
from analyzer.parsing.tabular import header_of

Buffer = bytes | bytearray | mmap

_LOOK_BACK_LINES = 256
"""Lines in which parts of a line must have ended; runtimes write the parts of one line close together."""
_LOOK_BACK = 128 << 10
"""Bytes in which a wrapped line must have begun."""
_HEAD = re.compile(rb"\n(?=\[\d{4}-\d\d-\d\dT)")
_MOST_LAYERS = 3


class Framing:
    """The record boundaries of one source; `header` is the first line where that names the columns of a table."""

    def __init__(self) -> None:
        self.header = b""

    def begin(self, first: bytes) -> None:
        """Look at the beginning of the source."""
        self.header = header_of(first)

    def cut(self, data: Buffer, length: int) -> int:
        """How much of `data[:length]`, which are whole lines, is whole records; 0 where it must grow."""
        start = data.rfind(b"\n", 0, length - 1) + 1
        last = bytes(data[start : min(length, start + _LOOK_BACK)]).rstrip()
        if self.header:
            return _even_quotes(data, length)
        if last[:1] == b"{" and last[-1:] == b"}" and not last.startswith(b'{"log":'):
            return length
        if last[:3] == b"[20":
            return start  # it may be wrapped and go on
        if _stream_of(last) is not None:
            return _whole_parts(data, length)
        return _whole_document(data, length)


def _even_quotes(data: Buffer, length: int) -> int:
    """The last line end at which no cell is open: a quote inside of a cell is written twice."""
    quotes = data[:length].count(b'"')
    end = length
    while quotes % 2 and end:
        start = data.rfind(b"\n", 0, end - 1) + 1
        quotes -= data[start:end].count(b'"')
        end = start
    return end


def _whole_parts(data: Buffer, length: int) -> int:
    """The last line end at which no line is in parts."""
    starts = [length]
    while starts[-1] and len(starts) <= _LOOK_BACK_LINES:
        starts.append(data.rfind(b"\n", 0, starts[-1] - 1) + 1)
    waiting: set[str] = set()
    best = 0
    for start, end in zip(reversed(starts[1:]), reversed(starts[:-1]), strict=True):
        found = _stream_of(bytes(data[start:end]).rstrip(b"\r\n"))
        if found is not None and found[1] is Part.WHOLE:
            waiting.discard(found[0])
        elif found is not None:
            waiting.add(found[0])
        if not waiting:
            best = end
    return best


def _stream_of(line: bytes) -> tuple[str, Part] | None:
    """The stream of a line that came in parts or might have, and whether it goes on; null where it has none."""
    writer = ""
    for _ in range(_MOST_LAYERS):
        for envelope in known_envelopes().values():
            records = envelope.peel(line) if envelope.recognizes(line) else None
            if records is not None:
                break
        else:
            return None
        if len(records) != 1:
            return None
        (record,) = records
        if record.stream:
            return f"{writer}/{record.stream}", record.part
        line, writer = record.text, writer + str(sorted(record.claims.items()))
    return None


def _whole_document(data: Buffer, length: int) -> int:
    """The end of the lines, unless they end inside of a document or a wrapped line."""
    opening = max(data.rfind(b"\n{", 0, length), data.rfind(b"\n[", 0, length)) + 1
    end = data.find(b"\n", opening, length)
    if opens_document(bytes(data[opening : length if end < 0 else end])):
        closing = max(data.rfind(b"\n}", opening, length), data.rfind(b"\n]", opening, length))
        return length if closing >= 0 else opening
    near = max(0, length - _LOOK_BACK)
    heads = [match.end() for match in _HEAD.finditer(bytes(data[near:length]))]
    return near + heads[-1] if heads else length
