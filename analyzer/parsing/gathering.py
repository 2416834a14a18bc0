"""Columns from lines that were read one by one."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from analyzer.parsing.careful import CarefulLine
from analyzer.parsing.parsed import OWN_TYPES, RAW_TYPES, TIMESTAMP, Entries
from analyzer.parsing.times import read_bracketed_times


def as_entries(name: str, lines: Sequence[tuple[int, CarefulLine]]) -> Entries:
    """Lines of one format with their numbers as rows; a value that is no number or no time is missing."""
    given = {field for _, line in lines for field in line.values}
    types = {**RAW_TYPES, **{field: wanted for field, wanted in OWN_TYPES.items() if field in given}}
    columns = {
        field: _column(field, wanted, [line.values.get(field) for _, line in lines]) for field, wanted in types.items()
    }
    tampered = np.array([line.tampered for _, line in lines])
    return Entries(name, columns, np.array([number for number, _ in lines], np.int64), tampered)


def _column(field: str, wanted: pa.DataType, texts: list[str | None]) -> pa.Array:
    if pa.types.is_integer(wanted):
        return pa.array([_number(text, wanted.bit_width) for text in texts], wanted)
    if field == "start_time":
        times, good = read_bracketed_times(pa.array([f"[{text or ''}]" for text in texts], pa.string()))
        return pa.array(
            [time if ok else None for time, ok in zip(times.to_pylist(), good.tolist(), strict=True)], TIMESTAMP
        )
    column = pa.array(texts, pa.string())
    return column.dictionary_encode() if pa.types.is_dictionary(wanted) else column


def _number(text: str | None, bits: int) -> int | None:
    if text is None or not text.isascii() or not text.isdigit():
        return None
    value = int(text) if len(text) < 20 else None
    return value if value is not None and value < 1 << (bits - 1) else None
