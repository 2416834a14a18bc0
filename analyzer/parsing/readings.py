"""Every way in which a line fits a format string, reduced to what all of them agree in.

Envoy escapes nothing in text, so a line may fit its format in several ways, of which one is true and the others are
what a client wants us to see. A value is believed where every reading of the line gives the same one: then it does not
matter which reading is true. An honest line has one reading.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from analyzer.parsing.operators import FREE, NUMBER, Kind, Operator, kind_of

_MOST_STEPS = 400_000
"""Places that are tried on one line; an honest one needs a few hundred, of a hostile one nothing is believed here."""
_SAFE_NEXT_TO_NUMBERS = re.compile(r"[^-\w]")


@dataclass(frozen=True)
class Readings:
    """Values by the place of their operator, null where readings differ; `one` says that there was but one reading."""

    values: tuple[str | None, ...]
    one: bool


@dataclass(frozen=True)
class Pattern:
    """A format string as literals and the kinds of the values between them."""

    first: str
    kinds: tuple[Kind, ...]
    literals: tuple[str, ...]

    def read(self, line: str) -> Readings | None:
        """All readings of a line in one; null where it has none."""
        values = self._plainly(line)
        return Readings(values, one=True) if values is not None else _Search(self, line).result()

    @cached_property
    def pieces(self) -> tuple["Piece", ...]:
        """The pattern, cut at its own quotes."""
        pieces: list[tuple[list[str], list[int]]] = [([""], [])]
        for place, literal in enumerate((self.first, *self.literals)):
            if place:
                pieces[-1][1].append(place - 1)
                pieces[-1][0].append("")
            head, *rest = literal.split('"')
            pieces[-1][0][-1] += head
            pieces += [([text], []) for text in rest]
        return tuple(Piece(tuple(texts), tuple(self.kinds[place] for place in places)) for texts, places in pieces)

    def _plainly(self, line: str) -> tuple[str, ...] | None:
        """The one reading of a line that holds no more separators than its format: nothing in it can be moved."""
        pieces = line.split('"')
        if len(pieces) != len(self.pieces):
            return None
        values: list[str] = []
        for text, piece in zip(pieces, self.pieces, strict=True):
            if piece.shape is None:
                return None
            match = piece.shape.fullmatch(text)
            if match is None:
                return None
            values += match.groups()
        return tuple(values)


@dataclass(frozen=True)
class Piece:
    """What stands between two quotes of a format: literals round the kinds of some values."""

    literals: tuple[str, ...]
    kinds: tuple[Kind, ...]

    @cached_property
    def marks(self) -> str | None:
        """The letters that begin the literals between two values; null where two values have none between them."""
        inner = self.literals[1:-1]
        return None if "" in inner else "".join(sorted({literal[0] for literal in inner}))

    @cached_property
    def shape(self) -> re.Pattern[str] | None:
        """A pattern whose values hold none of the marks: where it fits, every literal stands where it must.

        Null where values could not be kept apart so.
        """
        marks = self.marks
        if marks is None or any(not _SAFE_NEXT_TO_NUMBERS.match(mark) for mark in marks):
            return None
        outside = f"[^{re.escape(marks)}]*" if marks else ".*"
        text = re.escape(self.literals[0])
        for kind, literal in zip(self.kinds, self.literals[1:], strict=True):
            text += f"({_narrow(kind, marks) or outside}){re.escape(literal)}"
        return re.compile(text)


def _narrow(kind: Kind, marks: str) -> str | None:
    """A kind's own pattern where it can hold none of the marks; null where only the marks bound it."""
    if kind is not NUMBER or any(re.match(r"[\d-]", mark) for mark in marks):
        return None
    return kind.pattern


class _Places:
    """Where the value of one operator may begin and where it may end, over all readings."""

    def __init__(self, spans: list[tuple[int, int]]) -> None:
        self.spans = spans

    def ends(self) -> set[int]:
        return {end for _, end in self.spans}

    def keep(self, ends: set[int]) -> None:
        """Forget what does not end where the rest of the line can begin."""
        self.spans = [span for span in self.spans if span[1] in ends]

    def starts(self) -> set[int]:
        return {start for start, _ in self.spans}

    def only(self) -> tuple[int, int] | None:
        return self.spans[0] if len(self.spans) == 1 else None


class _FreePlaces(_Places):
    """The same of text that may hold anything: any beginning goes with any end behind it."""

    def __init__(self, starts: set[int], ends: set[int]) -> None:
        first = min(starts)
        self._starts, self._ends = starts, {end for end in ends if end >= first}

    def ends(self) -> set[int]:
        return self._ends

    def keep(self, ends: set[int]) -> None:
        self._ends = self._ends & ends
        last = max(self._ends, default=-1)
        self._starts = {start for start in self._starts if start <= last}

    def starts(self) -> set[int]:
        return self._starts

    def only(self) -> tuple[int, int] | None:
        if len(self._starts) == 1 and len(self._ends) == 1:
            return next(iter(self._starts)), next(iter(self._ends))
        return None


class _Search:
    """Goes through a line from both ends: forward to what can be reached, backward to what leads to its end."""

    def __init__(self, pattern: Pattern, line: str) -> None:
        self.pattern, self.line = pattern, line
        self.steps = 0

    def result(self) -> Readings | None:
        line, literals = self.line, self.pattern.literals
        if not line.startswith(self.pattern.first):
            return None
        if not literals:
            return Readings((), one=True) if line == self.pattern.first else None
        starts = {len(self.pattern.first)}
        places: list[_Places] = []
        for number, literal in enumerate(literals):
            found = self._places(number, starts)
            if self.steps > _MOST_STEPS:
                return Readings((None,) * len(literals), one=False)
            starts = {end + len(literal) for end in found.ends()} if found is not None else set()
            if found is None or not starts:
                return None
            places.append(found)
        wanted = {len(line)}
        for found, literal in zip(reversed(places), reversed(literals), strict=True):
            found.keep({place - len(literal) for place in wanted})
            wanted = found.starts()
            if not wanted:
                return None
        spans = [found.only() for found in places]
        values = tuple(None if span is None else line[span[0] : span[1]] for span in spans)
        return Readings(values, one=None not in values)

    def _places(self, number: int, starts: set[int]) -> _Places:
        """Where the value of an operator may stand, given where it may begin."""
        kind, literal = self.pattern.kinds[number], self.pattern.literals[number]
        last = number == len(self.pattern.kinds) - 1
        if kind is FREE:
            ends = self._ends(literal, min(starts), len(self.line), last)
            self.steps += len(ends)
            return _FreePlaces(starts, set(ends))
        shape, reach = _compiled(kind)
        spans: list[tuple[int, int]] = []
        for start in starts:
            longest = reach.match(self.line, start)
            for end in self._ends(literal, start, longest.end() if longest else start, last):
                self.steps += 1
                if self.steps > _MOST_STEPS:
                    return _Places(spans)
                if shape.fullmatch(self.line, start, end):
                    spans.append((start, end))
        return _Places(spans)

    def _ends(self, literal: str, start: int, furthest: int, last: bool) -> Sequence[int]:
        line = self.line
        if last:
            end = len(line) - len(literal)
            return [end] if start <= end <= furthest and line.endswith(literal) else []
        if not literal:
            return range(start, furthest + 1)
        ends: list[int] = []
        end = line.find(literal, start, furthest + len(literal))
        while end >= 0 and len(ends) <= _MOST_STEPS:
            ends.append(end)
            end = line.find(literal, end + 1, furthest + len(literal))
        return ends


@lru_cache(maxsize=64)
def _compiled(kind: Kind) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(kind.pattern), re.compile(f"{kind.reach}*")


def pattern_of(first: str, parts: Sequence[tuple[Operator, str]]) -> Pattern:
    """The pattern of a format string that was taken apart."""
    return Pattern(first, tuple(kind_of(operator) for operator, _ in parts), tuple(literal for _, literal in parts))
