"""Bring what the formats read into the access log's types; what a format does not log is null."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.dictionaries import one_chunk
from analyzer.parsing.parsed import EXTRA, RAW_TYPES

_NO_PORT = ":0"


def conform(columns: Mapping[str, Any], rows: int) -> dict[str, pa.Array]:
    """Give every access-log column and `extra`, in its type and one chunk each; `rows` is the number of rows.

    Cluster names lose the one trailing `;` that Istio 1.23+ puts into `alt_stat_name` (istio/istio
    pilot/pkg/networking/core/cluster_builder.go). A client's address with port 0 is taken from a header that the
    client wrote itself (`X-Forwarded-For`, where `use_remote_address` is off, as on Istio's sidecars): the source is
    then unknown.
    """
    typed = {name: _typed(columns.get(name), wanted, rows) for name, wanted in RAW_TYPES.items()}
    typed[EXTRA] = columns.get(EXTRA, pa.nulls(rows, pa.string()))
    typed["upstream_cluster"] = _without_delimiter(typed["upstream_cluster"])
    typed["downstream_remote_address"] = _without_forged(typed["downstream_remote_address"])
    return typed


def _without_forged(addresses: pa.StringArray) -> pa.StringArray:
    """Addresses without those of port 0; the letters are looked at in place, because hardly any block has one."""
    offsets = np.frombuffer(addresses.buffers()[1] or b"", np.int32)[
        addresses.offset : addresses.offset + len(addresses) + 1
    ]
    letters = np.frombuffer(addresses.buffers()[2] or b"", np.uint8)
    ends = offsets[1:][np.diff(offsets) > len(_NO_PORT)]
    ends = ends[letters[ends - 1] == ord("0")]
    if not (letters[ends - 2] == ord(":")).any():
        return addresses
    return pc.if_else(pc.ends_with(addresses, _NO_PORT), None, addresses)


def _typed(column: Any, wanted: pa.DataType, rows: int) -> pa.Array:
    if column is None:
        return pa.nulls(rows, wanted)
    column = one_chunk(column)
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
