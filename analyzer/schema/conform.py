"""Bring what the formats read into the access log's types; what a format does not log is null."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analyzer.parsing.parsed import EXTRA, RAW_TYPES


def conform(columns: Mapping[str, Any], rows: int) -> dict[str, pa.Array]:
    """Give every access-log column and `extra`, in its type and one chunk each; `rows` is the number of rows.

    Cluster names lose the one trailing `;` that Istio 1.23+ puts into `alt_stat_name` (istio/istio
    pilot/pkg/networking/core/cluster_builder.go).
    """
    typed = {name: _typed(columns.get(name), wanted, rows) for name, wanted in RAW_TYPES.items()}
    typed[EXTRA] = columns.get(EXTRA, pa.nulls(rows, pa.string()))
    typed["upstream_cluster"] = _without_delimiter(typed["upstream_cluster"])
    return typed


def _typed(column: Any, wanted: pa.DataType, rows: int) -> pa.Array:
    if column is None:
        return pa.nulls(rows, wanted)
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if column.type == wanted:
        return column
    if pa.types.is_dictionary(wanted) and pa.types.is_string(column.type):
        return column.dictionary_encode()
    return column.cast(wanted)


def _without_delimiter(clusters: pa.DictionaryArray) -> pa.DictionaryArray:
    names = clusters.dictionary
    if not pc.any(pc.ends_with(names, ";")).as_py():
        return clusters
    stripped = pc.replace_substring_regex(names, ";$", "").dictionary_encode()
    # Two names may have become one: go through the codes of the shorter dictionary.
    return pa.DictionaryArray.from_arrays(stripped.indices.take(clusters.indices), stripped.dictionary)
