"""Read the paths and methods of requests from a lake, where routes of a mesh decide by them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pyarrow as pa

from analyzer.evidence import PATHS, READ_FOR_PATHS, Destination, summarize_paths, told_apart
from analyzer.mesh.model import Mesh
from analyzer.simulation import Looks, looks_at
from analyzer.store import Lake


def with_paths(
    store: Lake,
    destinations: Sequence[Destination],
    mesh: Mesh,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Sequence[Destination]:
    """The destinations, and of those that routes of the mesh tell apart by path or method, the requests in full.

    Of requests that no route tells apart one stands for all, so that memory grows with the mesh and not with the log.
    Where there are no such destinations, nothing is read.
    """
    looks = looks_at(mesh, destinations)
    if not looks:
        return destinations
    folded = PATHS.empty()
    for batch in store.entries(READ_FOR_PATHS, since, until):
        folded = PATHS.merge([folded, _folded(batch, looks)])
    return told_apart(destinations, folded)


def _folded(batch: pa.RecordBatch, looks: Mapping[str, Looks]) -> pa.Table:
    return summarize_paths(
        pa.Table.from_batches([batch]),
        looks,
        of_path=lambda place, path: looks[place].of_path(path),
        of_method=lambda place, method: looks[place].of_method(method),
    )
