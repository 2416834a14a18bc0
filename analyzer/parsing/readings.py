"""Every way in which a line fits a format string, reduced to what all of them agree in.

Envoy escapes nothing in text, so a line may fit its format in several ways, of which one is true and the others are
what a client wants us to see. A value is believed where every reading of the line gives the same one: then it does not
matter which reading is true. An honest line has one reading.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from analyzer.parsing.native import OF_CLUSTER
from analyzer.parsing.operators import CLUSTER, FREE, IP, NUMBER, Kind, Operator, kind_of
from analyzer.parsing.start_times import count_in_times

_MOST_STEPS = 400_000
"""Places that are tried on one line; an honest one needs a few hundred, of a hostile one nothing is believed here."""
_MOST_MOVED = 8
"""Separators more than its format has, in a line that is read cell by cell."""
_MISSING = ("-", "")
_WAYS, _EITHER_WAY = {"-": 1, "": 2}, 3
"""The ways in which a line may write what is missing, as bits."""
_BAR, _COLON = "|", ":"
_OF_CLUSTER = ("outbound", "80")
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
        if values is not None:
            return Readings(values, one=True)
        cells = self._cells_of(line)
        if cells is not None and 0 <= len(cells) - len(self.kinds) <= _MOST_MOVED:
            return _read_cells(self.kinds, self.literals[0], cells)
        found = [readings for missing in _MISSING if (readings := _Search(self, line, missing).result()) is not None]
        return _agreed(found) if found else None

    def _cells_of(self, line: str) -> list[str] | None:
        """What stands between the separators of a line; null where the format has several kinds of those."""
        *inner, last = self.literals or ("",)
        if len(set(inner)) != 1 or not inner[0] or not (line.startswith(self.first) and line.endswith(last)):
            return None
        return line[len(self.first) : len(line) - len(last)].split(inner[0])

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
        inner = [literal for place, literal in enumerate(self.literals[1:-1], 1) if not self._leads_to_a_port(place)]
        return None if "" in inner else "".join(sorted({literal[0] for literal in inner}))

    @cached_property
    def shape(self) -> re.Pattern[str] | None:
        """A pattern whose values hold none of the marks, or a time's so many: where it fits, every literal stands where
        it must.

        Null where values could not be kept apart so.
        """
        marks = self.marks
        if marks is None or any(not _SAFE_NEXT_TO_NUMBERS.match(mark) for mark in marks):
            return None
        outside = f"[^{re.escape(marks)}]*" if marks else ".*"
        text = re.escape(self.literals[0])
        for kind, literal in zip(self.kinds, self.literals[1:], strict=True):
            narrow = kind.pattern if _holds(kind, marks) else _narrow(kind, marks)
            text += f"({narrow or outside}){re.escape(literal)}"
        return re.compile(text)

    @cached_property
    def inside(self) -> tuple[tuple[str, int], ...] | None:
        """For each value, as the shape has it, the marks that it cannot hold, and how often it holds the letter that
        ends it; null where these are not certain."""
        marks = self.marks
        if self.shape is None or marks is None:
            return None
        found: list[tuple[str, int]] = []
        for place, (kind, literal) in enumerate(zip(self.kinds, self.literals[1:], strict=True)):
            held = _holds(kind, marks)
            if held is None:
                return None
            if kind is CLUSTER and literal[:1] == _BAR and self._cluster_is_certain(place):
                held = {_BAR: OF_CLUSTER}
            others = _COLON if self._leads_to_a_port(place) else ""
            found.append(("".join(mark for mark in marks if mark not in held) + others, held.get(literal[:1], 0)))
        return tuple(found)

    def _leads_to_a_port(self, place: int) -> bool:
        """Whether an address ends before the literal there, and its port begins behind: that colon is the last one."""
        return (
            0 < place < len(self.kinds)
            and self.literals[place] == _COLON
            and (self.kinds[place - 1], self.kinds[place]) == (IP, NUMBER)
        )

    def _cluster_is_certain(self, place: int) -> bool:
        """Whether `outbound|80||host` at its place cannot be cells of other values, if no other cell is too many.

        Its direction and its port are no clusters, so another reading had two or three cells more in the values on the
        left: then the direction, the port and the subset would be the values just before the cluster.
        """
        before = self.kinds[:place][::-1]
        absorbing = next((n for n, kind in enumerate(before) if kind.written is None and kind.may_hold(_BAR)), None)
        if absorbing is None:
            return True
        direction, port = (
            [n for n, kind in enumerate(before[:absorbing]) if re.fullmatch(kind.pattern, text) is None]
            for text in _OF_CLUSTER
        )
        return (0 in port or 1 in direction) and (1 in port or 2 in direction)


def _holds(kind: Kind, marks: str) -> dict[str, int] | None:
    """The marks that every value of a kind holds, and how often: those of a time. Null where they come and go."""
    if kind.written is None:
        return {}
    counts = {mark: count_in_times(kind.written, mark) for mark in marks}
    return None if None in counts.values() else {mark: count for mark, count in counts.items() if count}


def _narrow(kind: Kind, marks: str) -> str | None:
    """A kind's own pattern where it can hold none of the marks; null where only the marks bound it."""
    if kind is not NUMBER or any(re.match(r"[\d-]", mark) for mark in marks):
        return None
    return kind.pattern


def _agreed(found: Sequence[Readings]) -> Readings:
    """Readings in one: what they agree in."""
    values = tuple(
        value if all(v == value for v in others) else None
        for value, *others in zip(*(r.values for r in found), strict=True)
    )
    return Readings(values, one=all(readings.one for readings in found) and (len(found) == 1 or None not in values))


def _read_cells(kinds: Sequence[Kind], separator: str, cells: Sequence[str]) -> Readings | None:
    """All readings of a line of cells, of which a value may take more than one.

    Forward to what can be reached, backward to what leads to the end. A step says by how many cells the values before
    and behind a value are moved to the right, and in which of the two ways a line may write what is missing.
    """
    most = len(cells) - len(kinds)
    steps: list[list[tuple[int, int, int]]] = []
    reached = {0: _EITHER_WAY}
    for place, kind in enumerate(kinds):
        fits, own, absorbs = _compiled(kind)[0].fullmatch, kind.own, kind.may_hold(separator)
        found: list[tuple[int, int, int]] = []
        behind: dict[int, int] = {}
        for moved, ways in reached.items():
            for after in range(moved, (most if absorbs else moved) + 1):
                possible = ways
                if kind is not FREE:
                    value = separator.join(cells[place + moved : place + after + 1])
                    possible = 0 if fits(value) is None else ways & _WAYS.get(value, _EITHER_WAY) if own else ways
                if possible:
                    found.append((moved, after, possible))
                    behind[after] = behind.get(after, 0) | possible
        reached = behind
        steps.append(found)
    wanted = {most: _EITHER_WAY}
    values: list[str | None] = []
    for place, found in reversed(list(enumerate(steps))):
        kept = [step for step in found if step[2] & wanted.get(step[1], 0)]
        if not kept:
            return None
        before: dict[int, int] = {}
        for moved, after, ways in kept:
            before[moved] = before.get(moved, 0) | (ways & wanted[after])
        wanted = before
        moved, after, _ = kept[0]
        values.append(separator.join(cells[place + moved : place + after + 1]) if len(kept) == 1 else None)
    return Readings(tuple(reversed(values)), one=None not in values)


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

    def __init__(self, pattern: Pattern, line: str, missing: str) -> None:
        self.pattern, self.line, self.missing = pattern, line, missing
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
                if shape.fullmatch(self.line, start, end) and not (kind.own and self._is_missing_otherwise(start, end)):
                    spans.append((start, end))
        return _Places(spans)

    def _is_missing_otherwise(self, start: int, end: int) -> bool:
        return end - start < 2 and (value := self.line[start:end]) in _MISSING and value != self.missing

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
