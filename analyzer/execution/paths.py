"""Read the paths and methods of requests from a lake, where routes of a mesh decide by them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analyzer.evidence import Destination, DestinationKey, Request
from analyzer.mesh.model import Mesh
from analyzer.simulation import RouteKind, RouteKinds
from analyzer.store import Lake, read_entries
from analyzer.vocabulary import DESTINATION_KEY, ApplicationProtocol, Direction, EgressClass

_ASKED = ("authority", "requested_server_name", "method", "path", "egress_class")
_COLUMNS = (*DESTINATION_KEY, *_ASKED, "direction", "bytes_received", "bytes_sent")
_SUMS = (("authority", "count", pc.CountOptions(mode="all")), ("bytes_received", "sum"), ("bytes_sent", "sum"))
_Counts = dict[tuple[Request, RouteKind], tuple[int, int, int]]


def with_paths(
    store: Lake,
    destinations: Sequence[Destination],
    mesh: Mesh,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Sequence[Destination]:
    """The destinations, and of those that routes of the mesh tell apart by path or method, the requests in full.

    Of requests that no route tells apart one stands for all, so that memory grows with the mesh and not with the log.
    """
    kinds = RouteKinds(mesh)
    hosts = {item.key.host for item in destinations if item.key.host is not None and kinds.concern(item.key.host)}
    if not hosts:
        return destinations
    found: dict[DestinationKey, _Counts] = defaultdict(dict)
    for row in _rows(store, hosts, since, until):
        _count(found, row, kinds)
    return [
        replace(item, requests=_requests(found[item.key], kinds)) if item.key in found else item
        for item in destinations
    ]


def _rows(store: Lake, hosts: set[str], since: datetime | None, until: datetime | None) -> Iterator[dict[str, Any]]:
    """Entries that were sent to some hosts by HTTP, equal ones of one batch together."""
    wanted, spoken = pa.array(sorted(hosts)), pa.array([ApplicationProtocol.HTTP.value, ApplicationProtocol.GRPC.value])
    for file in store.entry_files(since, until):
        for batch in read_entries(file, _COLUMNS, since, until):
            table = pa.table({name: _plain(batch.column(name)) for name in batch.schema.names})
            kept = pc.and_(pc.is_in(table["host"], wanted), pc.is_in(table["application_protocol"], spoken))
            kept = pc.and_(kept, pc.not_equal(table["direction"], Direction.INBOUND.value))
            groups = table.filter(kept).group_by([*DESTINATION_KEY, *_ASKED], use_threads=False)
            yield from groups.aggregate(list(_SUMS)).to_pylist()


def _plain(column: pa.Array) -> pa.Array:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _count(found: dict[DestinationKey, _Counts], row: dict[str, Any], kinds: RouteKinds) -> None:
    protocol = ApplicationProtocol(row["application_protocol"])
    key = DestinationKey(
        row["source_namespace"], row["source_workload"], row["host"], None, row["destination_port"], protocol
    )
    request = Request(
        key=key,
        authority=row["authority"],
        requested_server_name=row["requested_server_name"],
        destination_ip=row["destination_ip"],
        destination_port=row["destination_port"],
        application_protocol=protocol,
        method_is_connect=row["method"] == "CONNECT",
        egress_class=EgressClass(row["egress_class"]),
        entries=0,
    )
    asked = (request, kinds.kind_of(row["path"], row["method"]))
    sums = (row["authority_count"], row["bytes_received_sum"] or 0, row["bytes_sent_sum"] or 0)
    known = found[key].get(asked, (0, 0, 0))
    found[key][asked] = (known[0] + sums[0], known[1] + sums[1], known[2] + sums[2])


def _requests(counts: _Counts, kinds: RouteKinds) -> tuple[Request, ...]:
    asked: list[Request] = []
    for (request, kind), (entries, received, sent) in counts.items():
        path, method = kinds.example_of(kind)
        counted = replace(request, entries=entries, bytes_received=received, bytes_sent=sent)
        asked.append(replace(counted, path=path, method=method))
    return tuple(sorted(asked, key=repr))
