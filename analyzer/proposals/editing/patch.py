"""A unified diff of one file, made from the very places that an edit touched."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from analyzer.proposals.editing.splices import Splice, spliced

_CONTEXT = 3
_ODD = re.compile(r'[\x00-\x1f"\\\x7f-\U0010ffff]')


@dataclass(frozen=True)
class _Change:
    """Old lines `first` to `last` (exclusive, from 0) that become `new`."""

    first: int
    last: int
    new: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Differ:
    """Says what edits do to one file under a path; its lines are found once, however many edits there are."""

    path: str
    text: str

    @cached_property
    def _old(self) -> list[str]:
        return _split(self.text)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def unified(self, splices: Iterable[Splice]) -> str:
        """What `git diff` would say, for `git apply` and `patch -p1`."""
        changes = list(_changes(self.text, self._starts, splices))
        head = f"--- {_name(f'a/{self.path}')}\n+++ {_name(f'b/{self.path}')}\n"
        return head + "".join(_hunks(self._old, changes))


def _changes(text: str, starts: Sequence[int], splices: Iterable[Splice]) -> Iterator[_Change]:
    """Splices as whole lines; those that touch one line become one change."""
    for group in _by_line(text, sorted(splices, key=lambda splice: splice.start)):
        first = bisect_right(starts, group[0].start) - 1
        begin = starts[first]
        until = text.find("\n", max(splice.end for splice in group))
        end = len(text) if until < 0 else until + 1
        moved = [Splice(s.start - begin, s.end - begin, s.text) for s in group]
        before, after = _split(text[begin:end]), _split(spliced(text[begin:end], moved))
        same = next(
            (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
        )
        tail = 0
        while tail < min(len(before), len(after)) - same and before[-1 - tail] == after[-1 - tail]:
            tail += 1
        yield _Change(first + same, first + len(before) - tail, tuple(after[same : len(after) - tail]))


def _by_line(text: str, splices: Sequence[Splice]) -> Iterator[list[Splice]]:
    group: list[Splice] = []
    for splice in splices:
        if group and "\n" in text[group[-1].end : splice.start]:
            yield group
            group = []
        group.append(splice)
    if group:
        yield group


def _hunks(old: Sequence[str], changes: Sequence[_Change]) -> Iterator[str]:
    shift = 0
    for group in _near(changes):
        first, last = max(group[0].first - _CONTEXT, 0), min(group[-1].last + _CONTEXT, len(old))
        lines: list[str] = []
        at = first
        for change in group:
            lines += [_line(" ", line) for line in old[at : change.first]]
            lines += [_line("-", line) for line in old[change.first : change.last]]
            lines += [_line("+", line) for line in change.new]
            at = change.last
        lines += [_line(" ", line) for line in old[at:last]]
        before = last - first
        after = before + sum(len(change.new) - (change.last - change.first) for change in group)
        yield f"@@ -{_range(first, before)} +{_range(first + shift, after)} @@\n" + "".join(lines)
        shift += after - before


def _near(changes: Sequence[_Change]) -> Iterator[list[_Change]]:
    """Changes whose context meets, together."""
    group: list[_Change] = []
    for change in changes:
        if group and change.first - group[-1].last > 2 * _CONTEXT:
            yield group
            group = []
        group.append(change)
    if group:
        yield group


def _range(first: int, count: int) -> str:
    start = first + 1 if count else first
    return f"{start}" if count == 1 else f"{start},{count}"


def _line(sign: str, line: str) -> str:
    return f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"


def _split(text: str) -> list[str]:
    """Lines with their ends, cut at line feeds alone, as diff does."""
    lines = text.split("\n")
    return [*(f"{line}\n" for line in lines[:-1]), *([lines[-1]] if lines[-1] else [])]


def _name(path: str) -> str:
    """A file name as git writes it: odd ones in quotes with octal bytes, one with blanks closed by a tab."""
    if _ODD.search(path):
        escaped = "".join(
            chr(b) if 0x20 <= b < 0x7F and b not in b'"\\' else f"\\{b:03o}"
            for b in path.encode("utf-8", "surrogateescape")
        )
        return f'"{escaped}"'
    return f"{path}\t" if " " in path else path
