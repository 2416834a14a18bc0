"""Requests told apart by path and method: the one fact that is read anew, and only where routes look at it.

A client may ask for as many paths as it likes, so rows are folded by what is told apart of them, not by the paths:
the summary grows with the questions asked, never with the log.
"""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.aggregates import Summary, group_codes
from analyzer.vocabulary import DESTINATION_KEY, ApplicationProtocol, Direction

_TEXT = pa.string()
_COUNT = pa.int64()
_ASKED = ("authority", "requested_server_name", "dialled_ip", "egress_class")
_HTTP = pa.array([ApplicationProtocol.HTTP.value, ApplicationProtocol.GRPC.value])

PATHS = Summary(
    name="paths",
    schema=pa.schema(
        [
            *((key, pa.int32() if key == "destination_port" else _TEXT) for key in DESTINATION_KEY),
            *((key, _TEXT) for key in _ASKED),
            ("method_is_connect", pa.bool_()),
            ("told_apart", _TEXT),
            ("path", _TEXT),
            ("method", _TEXT),
            ("entries", _COUNT),
            ("bytes_received", _COUNT),
            ("bytes_sent", _COUNT),
        ]
    ),
    keys=(*DESTINATION_KEY, *_ASKED, "method_is_connect", "told_apart"),
    measures={"path": "min", "method": "min", "entries": "sum", "bytes_received": "sum", "bytes_sent": "sum"},
)
"""One row per distinct request and answer to what is told apart; path and method are the first that answer so."""

READ_FOR_PATHS = (
    *DESTINATION_KEY,
    "authority",
    "requested_server_name",
    "egress_class",
    "direction",
    "method",
    "path",
    "bytes_received",
    "bytes_sent",
)
"""The columns of an entry that `summarize_paths` reads."""

Telling = Callable[[str, str], str]
"""What is to be told apart at a place of a path, or of a method: equal texts fall together."""


def summarize_paths(entries: pa.Table, places: Collection[str], *, of_path: Telling, of_method: Telling) -> pa.Table:
    """Fold the HTTP entries (columns of `READ_FOR_PATHS`) of some places: hosts or, where nameless, addresses."""
    place = pc.coalesce(entries["host"].cast(_TEXT), entries["destination_ip"].cast(_TEXT))
    wanted = _chosen(entries, place, places)
    chosen, place = entries.filter(wanted), place.filter(wanted).combine_chunks()
    if chosen.num_rows == 0:
        return PATHS.empty()
    path, method = (chosen[name].cast(_TEXT).combine_chunks() for name in ("path", "method"))
    nameless = pc.is_null(chosen["host"])
    columns = {name: chosen[name] for name in (*DESTINATION_KEY, *_ASKED) if name in chosen.column_names}
    dialled = chosen["destination_ip"].cast(_TEXT)
    return PATHS.fold(
        pa.table(
            {
                **columns,
                "dialled_ip": dialled,
                "destination_ip": pc.if_else(nameless, dialled, None),
                "method_is_connect": pc.fill_null(pc.equal(method, "CONNECT"), False),
                "told_apart": pc.binary_join_element_wise(
                    _told(place, path, of_path), _told(place, method, of_method), " "
                ),
                "path": path,
                "method": method,
                "entries": pa.repeat(pa.scalar(1, _COUNT), chosen.num_rows),
                "bytes_received": chosen["bytes_received"],
                "bytes_sent": chosen["bytes_sent"],
            }
        )
    )


def _chosen(entries: pa.Table, place: pa.ChunkedArray, places: Collection[str]) -> Any:
    there = _is_one_of(place, pa.array(sorted(places), _TEXT))
    inbound = _is_one_of(entries["direction"], pa.array([Direction.INBOUND.value]))
    return pc.and_(pc.and_not(there, inbound), _is_one_of(entries["application_protocol"], _HTTP))


def _is_one_of(column: pa.ChunkedArray, values: pa.Array) -> Any:
    return pc.is_in(column.cast(_TEXT), value_set=values)


def _told(place: pa.Array, column: pa.Array, telling: Telling) -> Any:
    """What is told apart of each value, asked once for each distinct one of a place."""
    pairs = group_codes([place, column]).dictionary_encode()
    first = (
        pa.table({"pair": pairs.indices, "row": np.arange(len(column))}).group_by("pair").aggregate([("row", "min")])
    )
    rows = first.sort_by("pair")["row_min"]
    distinct = zip(place.take(rows).to_pylist(), column.take(rows).to_pylist(), strict=True)
    answers = pa.array(["?" if value is None else telling(where, value) for where, value in distinct], _TEXT)
    return answers.take(pairs.indices)
