"""Read from a lake when a destination was called, where its rhythm may matter."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.detection.beacons import may_beacon
from analyzer.evidence import Destination
from analyzer.evidence.rhythm import rhythm_of
from analyzer.settings import Settings
from analyzer.store import Lake
from analyzer.vocabulary import DESTINATION_KEY

_BY = (*DESTINATION_KEY, "source_pod")
_READ = (*_BY, "start_time", "bytes_received")


def with_rhythms(
    store: Lake,
    destinations: Sequence[Destination],
    settings: Settings,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Sequence[Destination]:
    """The destinations, and of those that may be beacons the rhythm; where there are none, nothing is read."""
    wanted = may_beacon(destinations, settings)
    if not wanted:
        return destinations
    addresses = pa.array(sorted({key.destination_ip or "" for key in wanted}))
    found: dict[tuple[Any, ...], dict[str | None, list[tuple[Any, Any]]]] = defaultdict(lambda: defaultdict(list))
    for batch in store.entries(_READ, since, until):
        for row in _calls(batch, addresses).to_pylist():
            key = tuple(row[name] for name in DESTINATION_KEY)
            if key in wanted:
                calls = (np.array(row["start_time_list"]), np.array(row["bytes_received_list"]))
                found[key][row["source_pod"]].append(calls)
    rhythms = {
        key: rhythm_of(
            [(np.concatenate(times), np.concatenate(sizes)) for times, sizes in map(_unzipped, pods.values())]
        )
        for key, pods in found.items()
    }
    return [replace(item, rhythm=rhythms[item.key]) if item.key in rhythms else item for item in destinations]


def _unzipped(parts: list[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    return [times for times, _ in parts], [sizes for _, sizes in parts]


def _calls(batch: pa.RecordBatch, addresses: pa.Array) -> pa.Table:
    """Times and sizes of the calls to some addresses, a row for each key and pod."""
    table = pa.Table.from_batches([batch]).select(_READ)
    here = pc.and_(pc.is_in(table["destination_ip"].cast(pa.string()), addresses), pc.is_null(table["host"]))
    rows = table.filter(pc.and_(here, pc.is_valid(table["start_time"])))
    plain = {name: rows[name].cast(pa.string()) if name != "destination_port" else rows[name] for name in _BY}
    plain |= {"start_time": rows["start_time"].cast(pa.int64()), "bytes_received": rows["bytes_received"].fill_null(0)}
    return pa.table(plain).group_by(list(_BY)).aggregate([("start_time", "list"), ("bytes_received", "list")])
