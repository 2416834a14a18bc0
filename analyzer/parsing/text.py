"""Read Envoy's text formats: honest lines by the column, odd ones with care.

Only a line with exactly the pieces and values that the layout asks for passes the fast road; everything else comes
back for `analyzer.parsing.careful`. The road is the compiled kernel's; where none was built, Arrow's CSV reader cuts
a block at its quotes (quotes as separators, so nothing can swallow a line), then the unquoted pieces at their blanks.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.dictionaries import one_chunk
from analyzer.parsing.careful import CarefulLine, Shape, read_text_line, shape_of
from analyzer.parsing.layout import IGNORED, Layout, compile_layout, parts_of
from analyzer.parsing.native import TextKernel, cuts_of, library
from analyzer.parsing.parsed import RAW_TYPES, Entries, Reading
from analyzer.parsing.tables import lines_at, read_separated
from analyzer.parsing.times import read_bracketed_times

_WHOLE = "segment"


@dataclass(frozen=True)
class TextFormat:
    """A text format of Envoy, declared by its format string. `reference` says where that string stands.

    `host_unchecked` says that only proxies older than Envoy 1.12.2 write it: those take any Host header.
    """

    name: str
    reference: str
    format_string: str
    relays: bool = False
    blind_spot: str = ""
    host_unchecked: bool = False

    @cached_property
    def layout(self) -> Layout:
        """The format string, cut at its quotes."""
        return replace(compile_layout(self.format_string), host_unchecked=self.host_unchecked)

    @cached_property
    def fields(self) -> frozenset[str]:
        """The access-log fields that the format holds."""
        return frozenset(self.layout.fields)

    def may_read(self, shape: Shape) -> bool:
        """Whether a line of this shape may be of the format."""
        return shape.opening != "{" and self.layout.allows(shape.quotes, shape.blanks, ended=shape.ended)

    def read_line(self, line: str) -> CarefulLine | None:
        """Read one line with care; null where it is not of this format."""
        shape = shape_of(line)
        return read_text_line(line, shape.quotes, self.layout) if self.may_read(shape) else None

    def read(self, data: bytes) -> Reading:
        """Read a block of UTF-8 lines; `data` holds no carriage return and no NUL."""
        return self.read_by_arrow(data) if self._kernel is None else self._kernel.read(data)

    @cached_property
    def _kernel(self) -> TextKernel | None:
        return self.gathering()

    def gathering(self) -> TextKernel | None:
        """A kernel of its own, to gather rows in."""
        functions = library()
        if functions is None:
            return None
        return TextKernel(functions, self.name, cuts_of(self.layout, parts_of(self.format_string)))

    def read_by_arrow(self, data: bytes) -> Reading:
        """Read a block without the kernel."""
        if not data.strip():
            return Reading(None)
        pieces, odd = read_separated(data, '"', self._piece_types)
        kept = _kept_lines(pieces.num_rows, odd)
        if pieces.num_rows == 0:
            return Reading(None, _encoded(odd))
        loose = [pieces.column(name).chunk(0) for name in self._loose]
        blank = pc.and_(pc.is_null(loose[0]), pc.and_(pc.is_null(loose[1]), pc.is_null(loose[-1])))
        *others, last = loose
        well_cut = np.ones(pieces.num_rows, bool)
        for name, blanks in self._blanks.items():
            found = pc.count_substring(pc.fill_null(pieces[name], ""), " ")
            well_cut &= np.asarray(pc.equal(found, blanks))
        for name in self._separators:
            well_cut &= np.asarray(pc.fill_null(pc.equal(pieces[name], " "), False))
        well_cut &= ~np.asarray(pc.fill_null(pc.ends_with(last, "\t"), False))
        if not self.layout.segments[-1].fields:
            last = pc.fill_null(last, "")
        # No honest line lacks a loose piece, so a mark in its place makes a misfit of a blank line.
        joined = pc.binary_join_element_wise(*others, last, "\n", "", null_handling="replace", null_replacement="\0")
        try:
            words, misfits = read_separated(_values(joined), " ", self._word_types, self._words_wanted)
            times, timely = read_bracketed_times(one_chunk(words["start_time"]))
        except pa.ArrowInvalid:
            return Reading(None, _all_lines(data))
        good = np.ones(pieces.num_rows, bool)
        good[[number for number, _ in misfits]] = False
        timely &= well_cut[good]
        columns = {name: words[name] for name in words.column_names if name != "start_time"}
        columns["start_time"] = times
        for name, field in self._quoted.items():
            columns[field] = pieces[name] if good.all() else pieces[name].filter(pa.array(good))
        good[good] = timely
        if not timely.all():
            columns = {name: column.filter(pa.array(timely)) for name, column in columns.items()}
        unread = np.flatnonzero(~good & ~np.asarray(blank))
        odd_lines = _encoded(odd) + lines_at(data, kept[unread])
        return Reading(Entries(self.name, columns, kept[good]), sorted(odd_lines))

    @cached_property
    def _loose(self) -> list[str]:
        """Segments that hold several words: the unquoted ones and the request line; the last one even if empty."""
        last = len(self.layout.segments) - 1
        return [
            f"{_WHOLE}{index}"
            for index, segment in enumerate(self.layout.segments)
            if (not segment.quoted and (segment.fields or index == last)) or len(segment.fields) > 1
        ]

    @cached_property
    def _blanks(self) -> dict[str, int]:
        """Blanks in each loose segment: words must not wander from one to the next."""
        last = len(self.layout.segments) - 1
        return {
            name: len(segment.fields) + (0 if index in (0, last) else -1 if segment.quoted else 1)
            for name in self._loose
            for index in [int(name.removeprefix(_WHOLE))]
            for segment in [self.layout.segments[index]]
        }

    @cached_property
    def _separators(self) -> list[str]:
        """Segments that hold one blank and nothing else."""
        last = len(self.layout.segments) - 1
        return [
            f"{_WHOLE}{index}"
            for index, segment in enumerate(self.layout.segments)
            if not segment.quoted and not segment.fields and index < last
        ]

    @cached_property
    def _quoted(self) -> dict[str, str]:
        """Segments that hold one quoted value, and its field."""
        return {
            f"{_WHOLE}{index}": segment.fields[0]
            for index, segment in enumerate(self.layout.segments)
            if segment.quoted and len(segment.fields) == 1 and segment.fields[0] != IGNORED
        }

    @cached_property
    def _piece_types(self) -> dict[str, pa.DataType]:
        names = [f"{_WHOLE}{index}" for index in range(len(self.layout.segments))]
        return {name: RAW_TYPES[self._quoted[name]] if name in self._quoted else pa.string() for name in names}

    @cached_property
    def _word_types(self) -> dict[str, pa.DataType]:
        """The words of all loose segments in a row; two segments that meet leave an empty word between them."""
        types: dict[str, pa.DataType] = {}
        segments = [self.layout.segments[int(name.removeprefix(_WHOLE))] for name in self._loose]
        for number, segment in enumerate(segments):
            # `] "` ends the first segment in a blank, and every later unquoted one begins with a blank.
            if number and not segment.quoted and not segments[number - 1].quoted:
                types[f"gap{number}"] = pa.string()
            for place, field in enumerate(segment.fields):
                types[field or f"ignored{number}_{place}"] = (
                    pa.string() if field == "start_time" else RAW_TYPES.get(field, pa.string())
                )
        return types

    @cached_property
    def _words_wanted(self) -> list[str]:
        return [name for name in self._word_types if name in RAW_TYPES]


def _kept_lines(rows: int, odd: list[tuple[int, str]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Which line of the block each row came from."""
    lines = np.arange(rows + len(odd), dtype=np.int64)
    return np.delete(lines, [number for number, _ in odd]) if odd else lines


def _encoded(odd: list[tuple[int, str]]) -> list[tuple[int, bytes]]:
    return [(number, text.encode()) for number, text in odd]


def _all_lines(data: bytes) -> list[tuple[int, bytes]]:
    return [(number, line) for number, line in enumerate(data.split(b"\n")) if line.strip()]


def _values(joined: pa.Array) -> pa.Buffer:
    """The letters of a string array whose values follow one another, each ending in a newline."""
    array = one_chunk(joined)
    offsets = np.frombuffer(array.buffers()[1], np.int32, len(array) + 1, array.offset * 4)
    return array.buffers()[2].slice(int(offsets[0]), int(offsets[-1] - offsets[0]))
