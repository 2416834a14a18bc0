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

from analyzer.dictionaries import joined, numbered, one_chunk

Measure = Literal["sum", "min", "max"]


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
        keys = [rows[key] for key in self.keys]
        outer = None if self.keep is None else group_codes(keys[:-1])
        group = group_codes(keys if outer is None else [outer, keys[-1]])
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
        folded = pa.table(columns, schema=self.schema)
        if self.keep is None or outer is None:
            return folded
        return self._bounded(folded, outer.take(one_chunk(first)), self.keep)

    def merge(self, summaries: Iterable[pa.Table]) -> pa.Table:
        """Summaries, or what was folded of their pieces, to one summary, sorted by key."""
        return self._sorted(self.fold(pa.concat_tables([self.empty(), *list(summaries)]))).combine_chunks()

    def _bounded(self, folded: pa.Table, outer: pa.Array, keep: int) -> pa.Table:
        """Without what is beyond `keep` rows of a group; only crowded groups are looked at."""
        groups = np.asarray(outer.dictionary_encode().indices)
        crowded = np.flatnonzero(np.bincount(groups)[groups] > keep)
        if not len(crowded):
            return folded
        values = one_chunk(folded[self.keys[-1]].take(crowded)).dictionary_encode()
        names = values.dictionary.to_pylist()
        rank_of = {name: rank for rank, name in enumerate(sorted(names, key=lambda name: (_hash(name), name)))}
        ranks = np.array([rank_of[name] for name in names])[np.asarray(values.indices)]
        order = np.lexsort((ranks, groups[crowded]))
        ordered = groups[crowded][order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        within = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.append(starts, len(ordered))))
        stays = np.ones(folded.num_rows, bool)
        stays[crowded[order[within >= keep]]] = False
        return folded.filter(pa.array(stays))

    def _sorted(self, folded: pa.Table) -> pa.Table:
        order = pc.sort_indices(folded, sort_keys=[(key, "ascending", "at_start") for key in self.keys])
        return folded.take(order)


def group_codes(columns: Iterable[Any]) -> pa.Array:
    """One integer per row, equal where all columns are equal (null equals null)."""
    return pa.array(joined(numbered(one_chunk(column)) for column in columns))


def _plain(column: Any, wanted: pa.DataType) -> Any:
    return column.cast(wanted) if column.type != wanted else column


def _hash(value: Any) -> int:
    return zlib.crc32(str(value).encode("utf-8", "surrogatepass"))
