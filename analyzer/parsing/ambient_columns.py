"""What the kernel reads of ztunnel's lines as columns of an entry.

Lines that tell of the same service by the same pod differ in their times, counts and ports only, so each kind of line
goes through the careful reader once and the rest is arithmetic over columns.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.parsing.alike import alike
from analyzer.parsing.ambient import EARLIEST, MESSAGES, read_fields, time_spent
from analyzer.parsing.careful import CarefulLine
from analyzer.parsing.gathering import as_entries, column_of
from analyzer.parsing.objects import as_text
from analyzer.parsing.parsed import EXTRA, TIMESTAMP, Entries, Reading
from analyzer.parsing.tables import without

MESSAGE = "@message"
KEYS = {
    "src.addr": "downstream_remote_address",
    "src.workload": "source_pod",
    "src.namespace": "source_namespace",
    "src.cluster": "source_cluster",
    "dst.addr": "@dst.addr",
    "dst.service": "@dst.service",
    "direction": "@direction",
    "bytes_sent": "bytes_sent",
    "bytes_recv": "bytes_received",
    "duration": "@duration",
    "error": "@error",
}
"""The keys that the kernel looks for and their columns; those that are no entry's begin with `@`."""
_AS_THEY_ARE = ("downstream_remote_address", "source_pod", "source_namespace", "source_cluster")
_TELLING = {"dst.addr": "@dst.addr", "dst.service": "@dst.service", "direction": "@direction", "error": "@error"}
_CAME = "@came"
"""Whether anything came back."""


def finished(reading: Reading, data: bytes) -> Reading:
    """Entries out of a kernel's columns; lines that tell of no connection's end go back as odd."""
    if reading.entries is None:
        return reading
    raw, lines = reading.entries.columns, reading.entries.lines
    raw[_CAME] = pc.greater(raw["bytes_received"], 0).fill_null(False)
    telling = pa.table({name: raw[name] for name in (MESSAGE, *_TELLING.values(), EXTRA, _CAME)})
    firsts, kinds = alike([column.combine_chunks() for column in telling.columns])
    read = [_read(row) for row in telling.take(firsts).to_pylist()]
    known = as_entries(reading.entries.format, [(0, line or CarefulLine({}, tampered=False)) for line in read])
    columns = {name: column.take(pa.array(kinds)) for name, column in known.columns.items()} | _measured(raw)
    good = np.array([line is not None for line in read])[kinds]
    return without(Reading(Entries(reading.entries.format, columns, lines), reading.odd), ~good, data)


def _read(row: Mapping[str, Any]) -> CarefulLine | None:
    """What is the same in all lines of a kind; null where that is no connection's end."""
    fields = {key: row[column] for key, column in _TELLING.items() if row[column] is not None}
    others = {} if row[EXTRA] is None else orjson.loads(row[EXTRA])
    fields |= {key: text for key, value in others.items() if (text := as_text(value)) is not None}
    fields["bytes_recv"] = str(int(row[_CAME]))
    return read_fields(None, row[MESSAGE], fields) if row[MESSAGE] in MESSAGES else None


def _measured(raw: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    """What may differ from line to line."""
    written = raw["@duration"].dictionary_encode()
    texts = [text.removesuffix("ms") for text in written.dictionary.to_pylist()]
    outbound = pc.equal(raw["@direction"], "outbound")
    sent, received = raw["bytes_sent"], raw["bytes_received"]
    return {
        **{name: raw[name] for name in _AS_THEY_ARE},
        "start_time": _began(raw["start_time"], pa.array(map(time_spent, texts), pa.int64()).take(written.indices)),
        "duration": column_of("duration", texts).take(written.indices),
        "bytes_received": pc.if_else(outbound, sent, received),
        "bytes_sent": pc.if_else(outbound, received, sent),
    }


def _began(ends: pa.Array, spent: pa.Array) -> pa.Array:
    """When connections began that ended then and took so many milliseconds."""
    starts = pc.subtract(ends.cast(pa.int64()), pc.multiply(spent.fill_null(0), 1000)).cast(TIMESTAMP)
    return pc.if_else(pc.greater_equal(starts, pa.scalar(EARLIEST, TIMESTAMP)), starts, None)
