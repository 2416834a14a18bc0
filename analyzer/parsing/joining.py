"""Join records that stand on many physical lines: JSON documents, and lines that a terminal wrapped.

A line is joined to the next only where that is certain. A document ends where its brackets are closed and must then
be JSON. Wrapped pieces must be as wide as the terminal, all but the last of a line, and the width must show more than
once; or somebody folded the line at its blanks and indented the rest. What comes out must be an entry that no client
tampered with. Everything else stays as the lines it was.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from analyzer.parsing.json_values import dump, load

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_NARROWEST = 40
"""Columns of a terminal; narrower pieces are not taken for wrapped lines."""
_MOST_FAILURES = 64
"""Stretches with closed brackets that are not JSON, before a block is taken for one that holds no documents."""
_LONGEST_WRAPPED = 64 << 10
"""Bytes; what Envoy takes in headers ends before."""
_HEAD = re.compile(rb'\[\d{4}-\d\d-\d\dT|\{"')
_OF_AN_ENTRY = re.compile(rb'"|(?:\d{1,3}(?:\.\d{1,3}){3}|\]):\d{1,5}(?:\s|$)')
"""What every piece of a folded entry holds: a quote, or an address with its port. A stack trace holds neither."""
_OPENING = re.compile(rb"\s*(?:\{|\[(?!\d{4}-\d\d-|pod/|\d+\] ))")

Numbered = tuple[int, bytes]


class Document(NamedTuple):
    """A JSON document of many lines: the first of them, the document on one line, and its text as it was."""

    line: int
    text: bytes
    written: bytes


def opens_document(line: bytes) -> bool:
    """Whether a line begins a JSON document that it does not end."""
    return _OPENING.match(line) is not None and (_depth(line) or 0) > 0


def documents(lines: Sequence[Numbered]) -> tuple[list[Document], list[Numbered]]:
    """The documents among lines that may follow one another, and the lines that belong to none."""
    found: list[Document] = []
    left: list[Numbered] = []
    ends = _ends(lines)
    failures = place = 0
    while place < len(lines):
        end = ends.get(place)
        document = None if end is None or failures > _MOST_FAILURES else _document(lines[place : end + 1])
        failures += end is not None and document is None
        if end is None or document is None:
            left.append(lines[place])
            place += 1
        else:
            found.append(document)
            place = end + 1
    return found, left


def wrapped_lines(
    lines: Sequence[Numbered], is_entry: Callable[[bytes], bool]
) -> tuple[list[Numbered], list[Numbered]]:
    """Lines put together that a terminal wrapped, and the lines that were not."""
    joined: list[Numbered] = []
    left: list[Numbered] = []
    for group in _groups(lines, _is_indented):
        text = b" ".join(line.strip() for _, line in group)
        if len(group) > 1 and is_entry(text):
            joined.append((group[0][0], text))
        else:
            left += group
    groups, left = list(_groups(left, _fills_terminal)), []
    widths = Counter(width for group in groups for width in {_width(group[0][1])} for _ in range(len(group) - 1))
    for group in groups:
        text = b"".join(line.removesuffix(b"\r") for _, line in group)
        if len(group) > 1 and widths[_width(group[0][1])] > 1 and is_entry(text):
            joined.append((group[0][0], text))
        else:
            left += group
    return joined, left


def places(written: bytes, texts: Sequence[bytes]) -> list[int]:
    """The line of a document on which each of its records stands, counted from its first; the first where unknown.

    Records come in the document's order, so each is looked for behind the one before.
    """
    found: list[int] = []
    at, line = 0, 0
    for text in texts:
        wanted = _mark(text)
        place = written.find(wanted, at)
        if place >= 0:
            line += written.count(b"\n", at, place)
            at = place
            end = place + len(wanted)
            line, at = line + written.count(b"\n", at, end), end
        found.append(line if place >= 0 else 0)
    return found


def _mark(text: bytes) -> bytes:
    """What of a record stands in its document as it is: a key of an object, the whole of a text."""
    if not text.startswith(b"{"):
        return dump(text.decode("utf-8", "replace"))[1:-1]
    return b'start_time"' if b'"start_time"' in text else text[1 : text.find(b'"', 2) + 1]


def _ends(lines: Sequence[Numbered]) -> dict[int, int]:
    """Where the brackets are closed that a line opens: places in `lines`, of lines that follow one another.

    One pass, whatever is opened and never closed: nobody's junk may cost more than its length.
    """
    ends: dict[int, int] = {}
    waiting: list[tuple[int, int]] = []
    depth = 0
    for place, (number, line) in enumerate(lines):
        if place and number != lines[place - 1][0] + 1:
            waiting.clear()
        opened = _depth(line)
        if opened is None:
            waiting.clear()
            continue
        before, depth = depth, depth + opened
        while waiting and depth <= waiting[-1][1]:
            ends[waiting.pop()[0]] = place
        if depth > before and _OPENING.match(line):
            waiting.append((place, before))
    return ends


def _document(lines: Sequence[Numbered]) -> Document | None:
    written = b"\n".join(line for _, line in lines)
    value: Any = load(written.rstrip().removesuffix(b","))  # an element of an array that was cut
    return Document(lines[0][0], dump(value), written) if isinstance(value, (dict, list)) else None


def _depth(line: bytes) -> int | None:
    """How many brackets a line opens more than it closes; null where it is cut inside a string, as no document is."""
    if line[:1] == b"{" and line[-1:] == b"}" and load(line) is not None:
        return 0
    bare = _STRING.sub(b"", line)
    if b'"' in bare:
        return None
    return bare.count(b"{") + bare.count(b"[") - bare.count(b"}") - bare.count(b"]")


def _groups(
    lines: Sequence[Numbered], goes_on: Callable[[Sequence[Numbered], bytes], bool]
) -> Iterator[list[Numbered]]:
    """Lines that may be pieces of one: a head, then lines that follow one another and go on with it."""
    group: list[Numbered] = []
    size = 0
    for number, line in lines:
        follows = bool(group) and number == group[-1][0] + 1 and _HEAD.match(group[0][1]) and not _HEAD.match(line)
        if not follows or size + len(line) > _LONGEST_WRAPPED or not goes_on(group, line):
            if group:
                yield group
            group, size = [], 0
        group.append((number, line))
        size += len(line)
    if group:
        yield group


def _is_indented(group: Sequence[Numbered], line: bytes) -> bool:
    return line[:1] in (b" ", b"\t") and _OF_AN_ENTRY.search(line) is not None


def _fills_terminal(group: Sequence[Numbered], line: bytes) -> bool:
    """Whether a group's lines are all as wide as the first, and this one is no wider."""
    width = _width(group[0][1])
    return width >= _NARROWEST and _width(group[-1][1]) == width and 0 < _width(line) <= width


def _width(line: bytes) -> int:
    return len(line.removesuffix(b"\r").decode("utf-8", "replace"))
