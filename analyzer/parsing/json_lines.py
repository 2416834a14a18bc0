"""Read JSON access logs: one object a line, by the column where a whole stretch of lines is sound.

Arrow's JSON reader gives up on a whole block for one bad line, so lines that cannot be objects are left out
first, and a stretch that fails is halved until the bad line stands alone.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as arrow_json

from analyzer.parsing.careful import CarefulLine, Shape
from analyzer.parsing.native import JsonKernel, library
from analyzer.parsing.parsed import MISSING, RAW_TYPES, Entries, Reading
from analyzer.vocabulary import ACCESS_LOG_FIELDS

_SERVICE_TIME = "upstream_service_time"
"""A header, and so a string in JSON."""
_ABSENT = pa.array(sorted(MISSING))
_TEXT = {name for name, wanted in RAW_TYPES.items() if pa.types.is_dictionary(wanted) or pa.types.is_string(wanted)} | {
    _SERVICE_TIME
}
_SCHEMA = pa.schema([(name, pa.string() if name in _TEXT else RAW_TYPES[name]) for name in ACCESS_LOG_FIELDS])
_PROOF = ("response_flags", "response_code", "upstream_cluster", "downstream_local_address")
_FEWEST_KEYS = 4
_EITHER = ("response_flags", "downstream_local_address")
"""One of the two stands in every entry of Istio's format that is read by the column."""
_SPAN = tuple[int, int]


@dataclass(frozen=True)
class JsonFormat:
    """A JSON access log with Istio's keys, in any order, typed or all strings."""

    name: str
    reference: str
    relays: bool = False

    @property
    def fields(self) -> frozenset[str]:
        """The access-log fields that the format can hold."""
        return frozenset(ACCESS_LOG_FIELDS)

    def may_read(self, shape: Shape) -> bool:
        """Whether a line of this shape may be an object with enough keys."""
        return shape.braced and shape.quotes >= 2 * _FEWEST_KEYS

    def read_line(self, line: str) -> CarefulLine | None:
        """Read one object with care; null where the line is none, or no access-log entry."""
        if not line.lstrip().startswith("{"):
            return None
        try:
            content = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(content, dict) or sum(name in content for name in ACCESS_LOG_FIELDS) < _FEWEST_KEYS:
            return None
        if all(content.get(name) is None for name in _PROOF):
            return None
        values = {name: _as_text(content.get(name)) for name in ACCESS_LOG_FIELDS}
        return CarefulLine({name: text for name, text in values.items() if text not in MISSING}, tampered=False)

    def read(self, data: bytes) -> Reading:
        """Read a block of UTF-8 lines."""
        return self.read_by_arrow(data) if self._kernel is None else self._kernel.read(data)

    @cached_property
    def _kernel(self) -> JsonKernel | None:
        functions = library()
        return None if functions is None else JsonKernel(functions, self.name, ACCESS_LOG_FIELDS, _FEWEST_KEYS, _EITHER)

    def read_by_arrow(self, data: bytes) -> Reading:
        """Read a block without the kernel."""
        lines = _Lines(data)
        whole, odd = lines.objects()
        if not len(whole):
            return Reading(None, odd)
        tables: list[pa.Table] = []
        kept = [whole[start:stop] for start, stop in _sound_spans(lines, whole, tables, odd)]
        if not tables:
            return Reading(None, sorted(odd))
        table, numbers = pa.concat_tables(tables).combine_chunks(), np.concatenate(kept)
        good = pc.or_(*(pc.is_valid(table[name]) for name in _EITHER))
        if not pc.all(good).as_py():
            odd += [(line, lines.text(line)) for line in numbers[~np.asarray(good)].tolist()]
            table, numbers = table.filter(good), numbers[np.asarray(good)]
        columns = {name: _present(name, table[name]) for name in table.column_names if name != _SERVICE_TIME}
        columns[_SERVICE_TIME] = _whole_numbers(table[_SERVICE_TIME].combine_chunks())
        return Reading(Entries(self.name, columns, numbers), sorted(odd))


class _Lines:
    """Where the lines of a block begin and end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        letters = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(letters == ord("\n"))
        if not data.endswith(b"\n"):
            ends = np.append(ends, len(data))
        self.ends = ends
        self.starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
        self.letters = letters

    def objects(self) -> tuple[Any, list[tuple[int, bytes]]]:
        """The lines that begin and end as an object does, and the other lines that are not blank."""
        filled = np.flatnonzero(self.ends > self.starts)
        braced = (self.letters[self.starts[filled]] == ord("{")) & (self.letters[self.ends[filled] - 1] == ord("}"))
        return filled[braced], [(line, self.text(line)) for line in filled[~braced].tolist() if self.text(line).strip()]

    def text(self, line: int) -> bytes:
        return self.data[self.starts[line] : self.ends[line]]

    def stretch(self, lines: Any) -> bytes:
        """Some lines as one block; neighbours are copied together."""
        breaks = np.flatnonzero(np.diff(lines) != 1) + 1
        runs = np.split(lines, breaks)
        return b"\n".join(self.data[self.starts[run[0]] : self.ends[run[-1]]] for run in runs)


def _sound_spans(lines: _Lines, whole: Any, tables: list[pa.Table], odd: list[tuple[int, bytes]]) -> list[_SPAN]:
    """Spans of `whole` that Arrow reads in one go, in order; lines it never reads go to `odd`."""
    spans: list[_SPAN] = []
    waiting: list[_SPAN] = [(0, len(whole))]
    while waiting:
        start, stop = waiting.pop()
        table = _read(lines.stretch(whole[start:stop]), stop - start)
        if table is not None:
            tables.append(table)
            spans.append((start, stop))
        elif stop - start == 1:
            odd.append((int(whole[start]), lines.text(int(whole[start]))))
        else:
            middle = (start + stop) // 2
            waiting += [(middle, stop), (start, middle)]
    return spans


def _read(data: bytes, rows: int) -> pa.Table | None:
    try:
        table = arrow_json.read_json(
            pa.BufferReader(data),
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(data) + 1),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=_SCHEMA, newlines_in_values=False, unexpected_field_behavior="ignore"
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return table if table.num_rows == rows else None


def _present(name: str, column: pa.ChunkedArray) -> pa.Array:
    """Dictionary-code what repeats; `-` and the empty string are missing."""
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if not pa.types.is_string(array.type):
        return array
    if not pa.types.is_dictionary(RAW_TYPES[name]):
        absent = pc.is_in(array, _ABSENT)
        return pc.if_else(absent, None, array) if pc.any(absent).as_py() else array
    coded = array.dictionary_encode()
    codes = pc.index_in(coded.dictionary, _ABSENT)
    if codes.null_count == len(codes):
        return coded
    present = pc.if_else(pc.is_valid(codes), None, pa.array(np.arange(len(codes), dtype=np.int32)))
    return pa.DictionaryArray.from_arrays(present.take(coded.indices), coded.dictionary)


def _whole_numbers(texts: pa.Array) -> pa.Array:
    """Milliseconds out of text; a header that an upstream filled with something else is missing."""
    return pc.if_else(pc.match_substring_regex(texts, r"^\d{1,18}$"), texts, None).cast(pa.int64())


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
