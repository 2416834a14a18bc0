"""Arrow's CSV reader, told to trust nothing: no quoting, no type guessing, odd rows handed back with their number."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv

from analyzer.parsing.parsed import MISSING, Entries, Reading


def read_separated(
    data: pa.Buffer | bytes, separator: str, types: Mapping[str, pa.DataType], wanted: Sequence[str] | None = None
) -> tuple[pa.Table, list[tuple[int, str]]]:
    """Cut every line at `separator` into the columns of `types`; `""` and `-` are null.

    Returns the table and the lines with another number of pieces as (line counted from 0, text). A blank line
    becomes a row of nulls. A quote-aware reader would let a line that was cut inside quotes swallow the next
    good one, so quotes mean nothing here. Raises `pa.ArrowInvalid` where a value is not of its column's type.
    """
    odd: list[tuple[int, str]] = []

    def set_aside(row: Any) -> str:
        odd.append((row.number - 1, row.text))
        return "skip"

    table = csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(column_names=list(types), use_threads=False, block_size=len(data) + 1),
        parse_options=csv.ParseOptions(
            delimiter=separator,
            quote_char=False,
            double_quote=False,
            escape_char=False,
            newlines_in_values=False,
            ignore_empty_lines=False,
            invalid_row_handler=set_aside,
        ),
        convert_options=csv.ConvertOptions(
            check_utf8=False,  # blocks that are not UTF-8 are sorted out before they come here
            column_types=dict(types),
            include_columns=list(wanted or types),
            strings_can_be_null=True,
            null_values=sorted(MISSING),
        ),
    )
    return table, odd


def lines_at(data: bytes, lines: np.ndarray[Any, np.dtype[np.int64]]) -> list[tuple[int, bytes]]:
    """The text of a few lines; splitting the whole block for them would cost more than reading it."""
    if not len(lines):
        return []
    ends = np.append(np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")), len(data))
    starts = np.concatenate(([0], ends[:-1] + 1))
    return [(line, data[starts[line] : ends[line]]) for line in lines.tolist()]


def without(reading: Reading, rows: np.ndarray[Any, np.dtype[np.bool_]], data: bytes) -> Reading:
    """A reading whose rows are odd after all where a mask says so."""
    if reading.entries is None or not rows.any():
        return reading
    entries = reading.entries
    odd = sorted(reading.odd + lines_at(data, entries.lines[rows]))
    if rows.all():
        return Reading(None, odd)
    columns = {name: column.filter(pa.array(~rows)) for name, column in entries.columns.items()}
    return Reading(Entries(entries.format, columns, entries.lines[~rows]), odd)
