"""Change a text at a few places and leave every other character as it is."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What YAML and its readers count as the end of a line."""


@dataclass(frozen=True, order=True)
class Splice:
    """Put `text` where characters `start` to `end` (exclusive, from 0) stand."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, eq=False)
class Lines:
    """A text with the places where its lines begin; the same only as itself, so that what is found out is kept."""

    text: str

    @cached_property
    def starts(self) -> list[int]:
        """Where each line begins; the first at 0."""
        return [0, *(match.end() for match in _BREAK.finditer(self.text))]

    @cached_property
    def ending(self) -> str:
        """How the text ends its lines, after its first line."""
        first = _BREAK.search(self.text)
        return "\r\n" if first and first[0] == "\r\n" else "\n"

    def number(self, index: int) -> int:
        """The line, from 1, in which a character stands."""
        return bisect_right(self.starts, index)

    def start_of(self, index: int) -> int:
        """Where the line of a character begins."""
        return self.starts[self.number(index) - 1]

    def after(self, index: int) -> int:
        """Where the line after that of a character begins, or the end of the text."""
        number = self.number(index)
        return self.starts[number] if number < len(self.starts) else len(self.text)


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """The text with every splice made; what is put at the same place stays in order."""
    parts: list[str] = []
    at = 0
    for splice in sorted(splices, key=lambda splice: splice.start):
        parts += [text[at : splice.start], splice.text]
        at = splice.end
    return "".join([*parts, text[at:]])
