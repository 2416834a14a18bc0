"""Read JSON access logs: one object a line, by the column where a whole stretch of lines is sound.

Arrow's JSON reader gives up on a whole block for one bad line, so lines that cannot be objects are left out
first, and a stretch that fails is halved until the bad line stands alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as arrow_json

from analyzer.dictionaries import one_chunk
from analyzer.parsing.careful import CarefulLine, Shape
from analyzer.parsing.extras import as_extra
from analyzer.parsing.json_keys import flattened, keys_of, values_of
from analyzer.parsing.native import JsonKernel, library
from analyzer.parsing.objects import object_of
from analyzer.parsing.parsed import EXTRA, MISSING, RAW_TYPES, Entries, Lines, OddLine, Reading
from analyzer.parsing.tables import without
from analyzer.vocabulary import ACCESS_LOG_FIELDS

_SERVICE_TIME = "upstream_service_time"
"""A header, and so a string in JSON."""
_ABSENT = pa.array(sorted(MISSING))
_TEXT = {name for name, wanted in RAW_TYPES.items() if pa.types.is_dictionary(wanted) or pa.types.is_string(wanted)} | {
    _SERVICE_TIME
}
_SCHEMA = pa.schema([(name, pa.string() if name in _TEXT else RAW_TYPES[name]) for name in ACCESS_LOG_FIELDS])
_PROOF = ("response_flags", "response_code", "upstream_cluster", "downstream_local_address")
_FIELDS = frozenset(ACCESS_LOG_FIELDS)
_FEWEST_KEYS = 4
_EITHER = ("response_flags", "downstream_local_address")
"""One of the two stands in every entry of Istio's format that is read by the column."""
_TIME_AS_METHOD = re.compile(r"^\d{4}-\d\d-\d\dT")
_SOME_METHOD = "UNKNOWN"
_FIRST_TIME = pa.scalar(datetime(1, 1, 1, tzinfo=UTC), RAW_TYPES["start_time"])
_SPAN = tuple[int, int]


@dataclass(frozen=True)
class JsonFormat:
    """A JSON access log with Istio's keys, in any order, typed or all strings."""

    name: str
    reference: str
    relays: bool = False
    blind_spot: str = ""

    @property
    def fields(self) -> frozenset[str]:
        """The access-log fields that the format can hold."""
        return _FIELDS

    def may_read(self, shape: Shape) -> bool:
        """Whether a line of this shape may be an object with enough keys."""
        return shape.braced and shape.quotes >= 2 * _FEWEST_KEYS

    def read_line(self, line: str) -> CarefulLine | None:
        """Read one object with care; null where the line is none, no access-log entry, or names its keys otherwise."""
        content = object_of(line)
        if content is None or not has_istios_keys(content):
            return None
        flat = flattened(content)
        keys = keys_of(tuple(flat))
        if keys.renamed:
            return None
        values, rest, _ = values_of(flat, keys)
        extra = as_extra(rest)
        return CarefulLine(of_1_1(values) | ({} if extra is None else {EXTRA: extra}), tampered=False)

    def read(self, data: bytes) -> Reading:
        """Read a block of UTF-8 lines."""
        reading = self.read_by_arrow(data) if self._kernel is None else self._kernel.read(data)
        return reading if reading.entries is None else _finished(reading, reading.entries, data)

    def gathering(self) -> "_Gathering | None":
        """A kernel of its own, to gather rows in."""
        kernel = self._new_kernel()
        return None if kernel is None else _Gathering(kernel)

    @cached_property
    def _kernel(self) -> JsonKernel | None:
        return self._new_kernel()

    def _new_kernel(self) -> JsonKernel | None:
        functions = library()
        keys = {name: name for name in ACCESS_LOG_FIELDS}
        return None if functions is None else JsonKernel(functions, self.name, keys, _FEWEST_KEYS, _EITHER, others=True)

    def read_by_arrow(self, data: bytes) -> Reading:
        """Read a block without the kernel; an object with another key is odd."""
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
        good = pc.and_(good, pc.greater_equal(table["start_time"], _FIRST_TIME).fill_null(True))
        if not pc.all(good).as_py():
            odd += [(line, lines.text(line)) for line in numbers[~np.asarray(good)].tolist()]
            table, numbers = table.filter(good), numbers[np.asarray(good)]
        columns = {name: _present(name, table[name]) for name in table.column_names if name != _SERVICE_TIME}
        columns[_SERVICE_TIME] = _whole_numbers(table[_SERVICE_TIME].combine_chunks())
        return Reading(Entries(self.name, columns, numbers), sorted(odd))


def has_istios_keys(content: Mapping[str, Any]) -> bool:
    """Whether an object has enough of Istio's keys, and a value that only an access log has."""
    return len(_FIELDS & content.keys()) >= _FEWEST_KEYS and any(content.get(name) is not None for name in _PROOF)


def of_1_1(values: dict[str, str]) -> dict[str, str]:
    """Istio 1.1 filled `method` with the start time (istio/istio pilot/pkg/networking/core/v1alpha3/listener.go at
    1.1.0, EnvoyJSONLogFormat): there was a method, and nobody knows which."""
    if not _TIME_AS_METHOD.match(values.get("method", "")):
        return values
    known = {name: value for name, value in values.items() if name != "method"}
    # On TCP the bug wrote the time as well; only the protocol tells.
    return known | ({"judged_method": _SOME_METHOD} if "protocol" in values else {})


class _Gathering:
    """Gathers plain objects; a block that holds one with renamed keys is not gathered."""

    def __init__(self, kernel: JsonKernel) -> None:
        self._kernel = kernel
        self._extras: list[tuple[int, pa.Array]] = []
        """The extras of blocks that have any, and the rows at which these begin."""

    @property
    def rows(self) -> int:
        """How many rows were gathered."""
        return self._kernel.rows

    def gather(self, data: bytes) -> tuple[Lines, list[OddLine]] | None:
        """Read a block and keep its rows."""
        start = self._kernel.rows
        found = self._kernel.gather(data)
        rests = _others(self._kernel.last(EXTRA))
        if any(_renames(tuple(rest)) for rest in rests.values()):
            self._kernel.undo()
            return None
        if rests:
            self._extras.append((start, _extras(rests, len(found[0]))))
        return found

    def add(self, values: Mapping[str, str]) -> bool:
        """Keep one row that was read with care."""
        return EXTRA not in values and self._kernel.add(values)

    def take(self) -> dict[str, pa.Array]:
        """The columns of all rows."""
        columns = _with_methods(self._kernel.take())
        rows = len(columns.pop(EXTRA))
        if self._extras:
            parts, done = [], 0
            for start, extras in [*self._extras, (rows, pa.nulls(0, pa.string()))]:
                parts += [pa.nulls(start - done, pa.string()), extras]
                done = start + len(extras)
            columns[EXTRA] = pa.concat_arrays(parts)
            self._extras = []
        return columns


def _finished(reading: Reading, entries: Entries, data: bytes) -> Reading:
    """Columns with the pairs that have no column as extra; objects with renamed keys go back as odd."""
    entries.columns = _with_methods(entries.columns)
    raw = entries.columns.pop(EXTRA, None)
    rests = {} if raw is None else _others(raw)
    if not rests:
        return reading
    back = np.zeros(len(entries), bool)
    back[[row for row, rest in rests.items() if _renames(tuple(rest))]] = True
    entries.columns[EXTRA] = _extras(rests, len(entries))
    return without(reading, back, data)


def _others(raw: pa.Array) -> dict[int, dict[str, Any]]:
    """The rows that have pairs without a column, and these."""
    if raw.null_count == len(raw):
        return {}
    return {row: orjson.loads(text) for row, text in enumerate(raw.to_pylist()) if text is not None}


def _extras(rests: Mapping[int, Mapping[str, Any]], rows: int) -> pa.Array:
    texts: list[str | None] = [None] * rows
    for row, rest in rests.items():
        texts[row] = as_extra(rest)
    return pa.array(texts, pa.string())


@lru_cache(maxsize=256)
def _renames(names: tuple[str, ...]) -> bool:
    """Whether any of these keys may stand for a field; where Istio's own stands beside it, the careful road sees."""
    return keys_of(names).renamed


def _with_methods(columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """Columns in which no time stands for a method."""
    methods = columns["method"]
    written = pc.match_substring_regex(methods.dictionary, _TIME_AS_METHOD.pattern)
    if not pc.any(written).as_py():
        return columns
    wrong = written.take(methods.indices).fill_null(False)
    http = columns["protocol"].is_valid()
    judged = pc.if_else(pc.and_(wrong, http), _SOME_METHOD, None)
    return columns | {
        "method": pc.if_else(wrong, None, methods.cast(pa.string())).dictionary_encode(),
        "judged_method": judged.cast(pa.string()).dictionary_encode(),
    }


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
                explicit_schema=_SCHEMA, newlines_in_values=False, unexpected_field_behavior="error"
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return table if table.num_rows == rows else None


def _present(name: str, column: pa.ChunkedArray) -> pa.Array:
    """Dictionary-code what repeats; `-` and the empty string are missing."""
    array = one_chunk(column)
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
