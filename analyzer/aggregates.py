"""One piece of arithmetic: fold rows into one row per key, and such rows into fewer, in any order.

Measures are integers and times under sum, min and max, so that however a log is cut up and shuffled, the merged
summary is the summary of the whole, byte for byte.
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.acero  # or else a first `group_by` imports it, in each worker for itself
import pyarrow.compute as pc

Measure = Literal["sum", "min", "max"]
_ROOM = 1 << 62


@dataclass(frozen=True)
class Summary:
    """How to fold: the key columns, the measures, and how many rows to keep of each group, if not all.

    `keep` bounds a summary that a hostile log could swell: of the rows that agree in all keys but the last, only
    the `keep` with the smallest hash of that last key stay. Keeping the smallest is a merge like any other.
    """

    name: str
    schema: pa.Schema
    keys: tuple[str, ...]
    measures: Mapping[str, Measure]
    keep: int | None = None

    def empty(self) -> pa.Table:
        """The summary of nothing."""
        return self.schema.empty_table()

    def fold(self, rows: pa.Table) -> pa.Table:
        """Rows (any number of chunks, dictionary-coded or not) to one row per key, in any order."""
        if rows.num_rows == 0:
            return self.empty()
        group = group_codes([rows[key] for key in self.keys])
        index = pa.array(np.arange(rows.num_rows, dtype=np.int64))
        table = pa.table({"": group, " ": index, **{name: rows[name] for name in self.measures}})
        grouped = table.group_by("", use_threads=False).aggregate(
            [(" ", "min"), *((name, how) for name, how in self.measures.items())]
        )
        first = grouped[" _min"]
        columns = [
            _plain(rows[field.name].take(first), field.type)
            if field.name in self.keys
            else grouped[f"{field.name}_{self.measures[field.name]}"].cast(field.type)
            for field in self.schema
        ]
        return self._bounded(pa.table(columns, schema=self.schema))

    def merge(self, summaries: Iterable[pa.Table]) -> pa.Table:
        """Summaries, or what was folded of their pieces, to one summary, sorted by key."""
        return self._sorted(self.fold(pa.concat_tables([self.empty(), *list(summaries)]))).combine_chunks()

    def _bounded(self, folded: pa.Table) -> pa.Table:
        if self.keep is None or folded.num_rows == 0:
            return folded
        *others, last = self.keys
        groups = np.asarray(group_codes([folded[key] for key in others]))
        values = folded[last].combine_chunks().dictionary_encode()
        values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        names = values.dictionary.to_pylist()
        rank_of = {name: rank for rank, name in enumerate(sorted(names, key=lambda name: (_hash(name), name)))}
        ranks = np.array([rank_of[name] for name in names], np.int64)[np.asarray(values.indices)]
        order = np.lexsort((ranks, groups))
        ordered = groups[order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        within = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.append(starts, len(ordered))))
        return folded.take(pa.array(np.sort(order[within < self.keep])))

    def _sorted(self, folded: pa.Table) -> pa.Table:
        order = pc.sort_indices(folded, sort_keys=[(key, "ascending", "at_start") for key in self.keys])
        return folded.take(order)


def group_codes(columns: Iterable[Any]) -> pa.Array:
    """One integer per row, equal where all columns are equal (null equals null)."""
    combined: Any = None
    size = 1
    for column in columns:
        codes, count = _codes(column)
        if combined is None:
            combined, size = codes, count
            continue
        if size * count >= _ROOM:
            combined, size = _renumbered(combined)
        combined = combined * count + codes
        size *= count
    return pa.array(combined)


def _codes(column: Any) -> tuple[Any, int]:
    """Codes from 0 of a column and how many there are; null is a value of its own."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_boolean(array.type):
        return np.asarray(array.cast(pa.int8()).fill_null(2)).astype(np.int64), 3
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    indices = array.indices.fill_null(-1) if array.indices.null_count else array.indices
    return np.asarray(indices).astype(np.int64) + 1, len(array.dictionary) + 1


def _renumbered(codes: Any) -> tuple[Any, int]:
    encoded = pa.array(codes).dictionary_encode()
    return np.asarray(encoded.indices).astype(np.int64), len(encoded.dictionary)


def _plain(column: Any, wanted: pa.DataType) -> Any:
    return column.cast(wanted) if column.type != wanted else column


def _hash(value: Any) -> int:
    return zlib.crc32(str(value).encode("utf-8", "surrogatepass"))
