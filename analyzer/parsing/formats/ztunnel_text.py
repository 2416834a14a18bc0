"""ztunnel's text access log: a prefix between tabs, then `key=value`; some exports turn the tabs into blanks."""

import re
from functools import cached_property

import pyarrow as pa

from analyzer.parsing.ambient import BLIND_SPOT, FIELDS, LEVELS, MESSAGES, OPENED, REFERENCE, read_fields
from analyzer.parsing.ambient_columns import KEYS, MESSAGE, finished
from analyzer.parsing.by_line import read_by_line
from analyzer.parsing.careful import CarefulLine, Shape
from analyzer.parsing.native import PairsKernel, library
from analyzer.parsing.parsed import Reading

_HEAD = re.compile(
    r"(?:#\s*)?(?:(?P<time>\d{4}-\d\d-\d\dT[0-9:.]+Z)\s+)?"
    rf"(?:{'|'.join(LEVELS)})\s+access\s+(?P<message>{'|'.join((*MESSAGES, OPENED))})\s+"
)
_PAIR = re.compile(r'(?P<key>[a-z_]+(?:\.[a-z_]+)?)=(?P<value>"(?:[^"\\]|\\.)*"|[^\s"]\S*)(?:\s+|$)')
_ESCAPE = re.compile(r"\\(u\{(?P<point>[0-9a-f]{1,6})\}|.)")
_HEADS = [(level, message) for level in LEVELS for message in MESSAGES]
_HEAD_NUMBER = "@head"
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_FEWEST_QUOTES = 2


class ZtunnelText:
    """Rust's own quoting: a quote inside a value is escaped, so a value never ends early."""

    name = "ztunnel_text"
    reference = REFERENCE
    fields = FIELDS
    relays = True
    blind_spot = BLIND_SPOT

    def may_read(self, shape: Shape) -> bool:
        """The direction at least stands in quotes."""
        return not shape.opening and shape.quotes >= _FEWEST_QUOTES

    def read_line(self, line: str) -> CarefulLine | None:
        """Read one connection; null where a piece is no `key=value` or a key stands twice."""
        head = _HEAD.match(line)
        if head is None:
            return None
        fields: dict[str, str] = {}
        place = head.end()
        while place < len(line):
            pair = _PAIR.match(line, place)
            if pair is None or pair["key"] in fields:
                return None
            fields[pair["key"]] = _plain(pair["value"])
            place = pair.end()
        return read_fields(head["time"], head["message"], fields)

    def read(self, data: bytes) -> Reading:
        """Read a block of UTF-8 lines, by the kernel where one was built."""
        if self._kernel is None:
            return read_by_line(self, data)
        reading = self._kernel.read(data)
        if reading.entries is not None:
            columns = reading.entries.columns
            columns[MESSAGE] = pa.array([message for _, message in _HEADS]).take(columns.pop(_HEAD_NUMBER))
        return finished(reading, data)

    @cached_property
    def _kernel(self) -> PairsKernel | None:
        functions = library()
        heads = [f"\t{level}\taccess\t{message}\t" for level, message in _HEADS]
        return None if functions is None else PairsKernel(functions, self.name, heads, KEYS, _HEAD_NUMBER)


def _plain(value: str) -> str:
    """A value without its quotes and without the escapes of Rust's `{:?}`."""
    return _ESCAPE.sub(_unescaped, value[1:-1]) if value.startswith('"') else value


def _unescaped(match: re.Match[str]) -> str:
    if match["point"] is not None:
        point = int(match["point"], 16)
        return chr(point) if point < 0x110000 else "\ufffd"
    return _PLAIN.get(match[1], match[1])


FORMAT = ZtunnelText()
