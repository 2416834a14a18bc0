"""The mergeable facts of a log: what was asked for, by whom, when, and with what outcome.

Each summary folds the classified entries of any piece of a lake; pieces merge to the summary of the whole.
Inbound entries are no egress: they count in the timeline only.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.aggregates import Summary, group_codes
from analyzer.evidence.hours import HOURS, hours_of
from analyzer.parsing.parsed import TIMESTAMP
from analyzer.vocabulary import DESTINATION_KEY, Direction

_TEXT = pa.string()
_COUNT = pa.int64()

_REQUEST_KEYS = (
    *DESTINATION_KEY,
    "host_source",
    "authority",
    "requested_server_name",
    "dialled_ip",
    "method_is_connect",
    "egress_class",
    "mechanism",
    "result",
)

REQUESTS = Summary(
    name="requests",
    schema=pa.schema(
        [
            *((key, pa.int32() if key == "destination_port" else _TEXT) for key in DESTINATION_KEY),
            ("host_source", _TEXT),
            ("authority", _TEXT),
            ("requested_server_name", _TEXT),
            ("dialled_ip", _TEXT),
            ("method_is_connect", pa.bool_()),
            ("egress_class", _TEXT),
            ("mechanism", _TEXT),
            ("result", _TEXT),
            ("entries", _COUNT),
            ("bytes_received", _COUNT),
            ("bytes_sent", _COUNT),
            ("tampered", _COUNT),
            ("unchecked", _COUNT),
            ("first_seen", TIMESTAMP),
            ("last_seen", TIMESTAMP),
            ("example", _TEXT),
        ]
    ),
    keys=_REQUEST_KEYS,
    measures={
        "entries": "sum",
        "bytes_received": "sum",
        "bytes_sent": "sum",
        "tampered": "sum",
        "unchecked": "sum",
        "first_seen": "min",
        "last_seen": "max",
        "example": "min",
    },
)
"""One row per distinct way of asking for a destination and what came of it."""


def _facet(name: str, value: str, value_type: pa.DataType, keep: int | None = None) -> Summary:
    return Summary(
        name=name,
        schema=pa.schema(
            [
                *((key, pa.int32() if key == "destination_port" else _TEXT) for key in DESTINATION_KEY),
                (value, value_type),
                ("entries", _COUNT),
            ]
        ),
        keys=(*DESTINATION_KEY, value),
        measures={"entries": "sum"},
        keep=keep,
    )


DAYS = _facet("days", "day", pa.date32())
PODS = _facet("pods", "source_pod", _TEXT)
AGENTS = _facet("agents", "user_agent", _TEXT, keep=5)

TIMELINE = Summary(
    name="timeline",
    schema=pa.schema([("minute", TIMESTAMP), ("egress_class", _TEXT), ("entries", _COUNT)]),
    keys=("minute", "egress_class"),
    measures={"entries": "sum"},
)

COVERAGE = Summary(
    name="coverage",
    schema=pa.schema([("field", _TEXT), ("present", _COUNT), ("entries", _COUNT)]),
    keys=("field",),
    measures={"present": "sum", "entries": "sum"},
)
"""How often a field that the audit leans on was there, among entries that are not inbound."""

SUMMARIES = (REQUESTS, DAYS, PODS, AGENTS, TIMELINE, HOURS, COVERAGE)

_GROUPED = (
    *DESTINATION_KEY,
    "host_source",
    "authority",
    "requested_server_name",
    "method",
    "direction",
    "egress_class",
    "mechanism",
    "result",
    "source_pod",
    "origin",
)
"""The columns that tell one group of entries from another."""

NEEDED = (
    *_GROUPED,
    "bytes_received",
    "bytes_sent",
    "start_time",
    "tampered",
    "response_code",
    "user_agent",
    "line_number",
    "upstream_cluster",
    "upstream_host",
    "response_code_details",
    "downstream_local_address",
)
"""The columns of an entry that the summaries read; nothing else is fetched from the lake."""

COVERED = (
    "start_time",
    "source_namespace",
    "source_workload",
    "upstream_cluster",
    "downstream_local_address",
    "response_code_details",
)
"""Fields whose absence limits what the audit can say."""

_FORGED, _UNCHECKED = 1, 2
_LINE_DIGITS = 15
"""More than any source's line numbers have."""
_MINUTE = 60_000_000
_DAY = 24 * 60 * _MINUTE
_UNTIMED = -(1 << 62)
_NO_MINUTE = -(1 << 40)


def summarize(entries: pa.Table) -> dict[str, pa.Table]:
    """Fold one piece of the lake (columns of `NEEDED`) into every summary, by name.

    The rows are grouped once, on integers; everything else works on the few groups.
    """
    if entries.num_rows == 0:
        return {summary.name: summary.empty() for summary in SUMMARIES}
    entries = entries.combine_chunks()
    times = np.asarray(entries["start_time"].cast(pa.int64()).fill_null(_UNTIMED))
    doubts = _doubts(entries)
    days = pa.array(np.where(times == _UNTIMED, -1, times // _DAY)).dictionary_encode()
    group = pa.array(group_codes([*(entries[name] for name in _GROUPED), days, doubts])).dictionary_encode()
    groups = _grouped(entries, group.indices, days, doubts)
    return {
        REQUESTS.name: REQUESTS.fold(groups),
        DAYS.name: DAYS.fold(groups.filter(pc.is_valid(groups["day"]))),
        PODS.name: PODS.fold(groups.filter(pc.is_valid(groups["source_pod"]))),
        AGENTS.name: _agents(entries["user_agent"], group.indices, groups),
        TIMELINE.name: _timeline(times, entries["egress_class"]),
        HOURS.name: hours_of(times, _coded(entries["source_namespace"]), _UNTIMED),
        COVERAGE.name: _coverage(entries),
    }


def merge(pieces: Iterable[Mapping[str, pa.Table]]) -> dict[str, pa.Table]:
    """Merge the summaries of several pieces."""
    every = list(pieces)
    return {summary.name: summary.merge(piece[summary.name] for piece in every) for summary in SUMMARIES}


def readable_place(text: str) -> str:
    """`origin:line` for people."""
    origin, _, line = text.rpartition("\0")
    return f"{origin}:{int(line)}"


def _places(origins: pa.ChunkedArray, lines: pa.ChunkedArray) -> pa.ChunkedArray:
    """Places as text that sorts as (origin, line) does: NUL comes before anything a file name may hold."""
    return pc.binary_join_element_wise(
        pc.fill_null(origins, ""), pc.utf8_lpad(lines.cast(_TEXT), _LINE_DIGITS, "0"), "\0"
    )


def _doubts(entries: pa.Table) -> pa.Array:
    """What is to be doubted of each entry, in bits: an outcome that was forged, a name that is tied to no address."""
    forged = pc.and_(entries["tampered"], pc.is_null(entries["response_code"])).cast(pa.int8())
    clusters = _coded(entries["upstream_cluster"])
    wildcards = pc.match_substring(clusters.dictionary, "|*")
    if not pc.any(wildcards).as_py():
        return forged
    same = pc.equal(_plain(entries["upstream_host"]), _plain(entries["downstream_local_address"]))
    unchecked = pc.and_(wildcards.take(clusters.indices), same).fill_null(False)
    return pc.add(forged, pc.multiply(unchecked.cast(pa.int8()), _UNCHECKED))


def _grouped(entries: pa.Table, group: pa.Array, days: pa.DictionaryArray, doubts: pa.Array) -> pa.Table:
    """One row for each group that is not inbound, with the columns that the summaries fold and its number."""
    table = pa.table(
        {
            "group": group,
            "row": np.arange(entries.num_rows, dtype=np.int64),
            "bytes_received": entries["bytes_received"],
            "bytes_sent": entries["bytes_sent"],
            "time": entries["start_time"],
            "line": entries["line_number"],
        }
    )
    sums = table.group_by("group", use_threads=False).aggregate(
        [
            ("row", "min"),
            ("row", "count"),
            ("bytes_received", "sum"),
            ("bytes_sent", "sum"),
            ("time", "min"),
            ("time", "max"),
            ("line", "min"),
        ]
    )
    directions = _coded(entries["direction"])
    inbound = pc.equal(directions.dictionary, Direction.INBOUND.value)
    sums = sums.filter(pc.invert(inbound.take(directions.indices.take(sums["row_min"].combine_chunks()))))
    sums = sums.take(pc.sort_indices(sums["group"]))
    first = sums["row_min"].combine_chunks()
    keys = {name: _plain(entries[name].take(first)) for name in _GROUPED}
    nameless = pc.is_null(keys["host"])
    count, doubt = sums["row_count"], doubts.take(first).cast(_COUNT)
    day_numbers = days.dictionary.take(days.indices.take(first))
    return pa.table(
        {
            **{name: column for name, column in keys.items() if name not in ("destination_ip", "method", "origin")},
            "dialled_ip": keys["destination_ip"],
            "destination_ip": pc.if_else(nameless, keys["destination_ip"], None),
            "method_is_connect": pc.fill_null(pc.equal(keys["method"], "CONNECT"), False),
            "day": pc.if_else(pc.less(day_numbers, 0), None, day_numbers).cast(pa.int32()).cast(pa.date32()),
            "entries": count,
            "bytes_received": sums["bytes_received_sum"],
            "bytes_sent": sums["bytes_sent_sum"],
            "tampered": pc.multiply(count, pc.bit_wise_and(doubt, _FORGED)),
            "unchecked": pc.multiply(count, pc.shift_right(doubt, 1)),
            "first_seen": sums["time_min"],
            "last_seen": sums["time_max"],
            "example": _places(keys["origin"], sums["line_min"]),
            "group": sums["group"],
        }
    )


def _agents(agents: pa.ChunkedArray, group: pa.Array, groups: pa.Table) -> pa.Table:
    """User agents per destination: pairs of group and agent are counted on integers first."""
    coded = _coded(agents)
    size = len(coded.dictionary) + 1
    places = np.full(len(group) + 1, -1, np.int64)
    places[np.asarray(groups["group"])] = np.arange(groups.num_rows)
    rows, agent = places[np.asarray(group)], np.asarray(coded.indices.fill_null(-1))
    pairs = rows * size + agent
    distinct, counts = _counted(pairs[(rows >= 0) & (agent >= 0)])
    table = groups.select(list(DESTINATION_KEY)).take(pa.array(distinct // size))
    table = table.append_column("user_agent", coded.dictionary.take(pa.array(distinct % size)))
    return AGENTS.fold(table.append_column("entries", pa.array(counts, _COUNT)))


def _timeline(times: Any, classes: pa.ChunkedArray) -> pa.Table:
    """Entries per minute and class; those without a time stand under no minute, so that nothing is lost."""
    coded = _coded(classes)
    size = len(coded.dictionary)
    minutes = np.where(times == _UNTIMED, _NO_MINUTE, times // _MINUTE)
    distinct, counts = _counted(minutes * size + np.asarray(coded.indices))
    minute = distinct // size
    table = pa.table(
        {
            "minute": pa.array(minute * _MINUTE, mask=minute == _NO_MINUTE).cast(TIMESTAMP),
            "egress_class": coded.dictionary.take(pa.array(distinct % size)),
            "entries": pa.array(counts, _COUNT),
        }
    )
    return TIMELINE.fold(table)


def _coverage(entries: pa.Table) -> pa.Table:
    inbound = pc.equal(_coded(entries["direction"]).dictionary, Direction.INBOUND.value)
    outward = np.asarray(pc.invert(inbound).take(_coded(entries["direction"]).indices))
    present = [int((np.asarray(pc.is_valid(entries[name])) & outward).sum()) for name in COVERED]
    total = [int(outward.sum())] * len(COVERED)
    return COVERAGE.fold(pa.table([list(COVERED), present, total], schema=COVERAGE.schema))


def _counted(numbers: Any) -> tuple[Any, Any]:
    """The distinct numbers and how often each stands there; hashing is quicker than sorting them all."""
    encoded = pa.array(numbers).dictionary_encode()
    distinct = np.asarray(encoded.dictionary)
    return distinct, np.bincount(np.asarray(encoded.indices), minlength=len(distinct))


def _coded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return array if pa.types.is_dictionary(array.type) else array.dictionary_encode()


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(_TEXT) if pa.types.is_dictionary(column.type) else column
