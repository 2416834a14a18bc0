"""Columns from lines that were read one by one."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.parsing.careful import CarefulLine
from analyzer.parsing.parsed import OWN_TYPES, RAW_TYPES, TIMESTAMP, Entries
from analyzer.parsing.times import read_bracketed_times
from analyzer.text import encodable

_TYPES = {**RAW_TYPES, **OWN_TYPES}


def as_entries(name: str, lines: Sequence[tuple[int, CarefulLine]]) -> Entries:
    """Lines of one format with their numbers as rows; a value that is no number or no time is missing."""
    given = {field for _, line in lines for field in line.values}
    fields = (*RAW_TYPES, *(field for field in OWN_TYPES if field in given))
    values = [line.values for _, line in lines]
    columns = {
        field: column_of(field, [known.get(field) for known in values])
        if field in given
        else pa.nulls(len(values), _TYPES[field])
        for field in fields
    }
    tampered = np.array([line.tampered for _, line in lines])
    took = frozenset(pair for _, line in lines for pair in line.took)
    return Entries(name, columns, np.array([number for number, _ in lines], np.int64), tampered, took)


def column_of(field: str, texts: Sequence[str | None]) -> pa.Array:
    """Texts as the column of a field."""
    wanted = _TYPES[field]
    if pa.types.is_integer(wanted):
        return _numbers(texts, wanted)
    if field == "start_time":
        return _times(texts)
    column = _strings(texts)
    return column.dictionary_encode() if pa.types.is_dictionary(wanted) else column


def _strings(texts: Sequence[str | None]) -> pa.Array:
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:  # half a surrogate pair
        return pa.array([None if text is None else encodable(text) for text in texts], pa.string())


def times_of(written: pa.Array, read: Callable[[str], str | None] | None) -> pa.Array:
    """Times that an operator wrote in a form of its own, by what reads one."""
    texts: list[str | None] = written.to_pylist()
    return _times(texts if read is None else [None if text is None else read(text) for text in texts])


def _times(texts: Sequence[str | None]) -> pa.Array:
    times, good = read_bracketed_times(pa.array([f"[{encodable(text or '')}]" for text in texts], pa.string()))
    return pc.if_else(pa.array(good), times, pa.scalar(None, TIMESTAMP))


def _numbers(texts: Sequence[str | None], wanted: pa.DataType) -> pa.Array:
    written = _strings(texts)
    if wanted == pa.int64() and pc.all(pc.match_substring_regex(written, r"^\d{1,18}$")).as_py() is not False:
        return written.cast(wanted)
    return pa.array([_number(text, wanted.bit_width) for text in texts], wanted)


def _number(text: str | None, bits: int) -> int | None:
    if text is None or not text.isascii() or not text.isdigit():
        return None
    value = int(text) if len(text) < 20 else None
    return value if value is not None and value < 1 << (bits - 1) else None
