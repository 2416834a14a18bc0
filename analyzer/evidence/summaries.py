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
from analyzer.dictionaries import codes_of, counted, dictionary_of, one_chunk
from analyzer.evidence.hours import HOURS, UNTIMED, hours_of
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
    "egress_class",
    "mechanism",
    "result",
    "host_source",
    *reversed(DESTINATION_KEY),
    "authority",
    "requested_server_name",
    "source_pod",
    "origin",
)
"""The columns that tell one group of entries from another, as they stand; those of few values first: small numbers."""

NEEDED = (
    *_GROUPED,
    "method",
    "direction",
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


def summarize(entries: pa.Table) -> dict[str, pa.Table]:
    """Fold one piece of the lake (columns of `NEEDED`) into every summary, by name.

    The rows are grouped once, on integers; everything else works on the few groups.
    """
    if entries.num_rows == 0:
        return {summary.name: summary.empty() for summary in SUMMARIES}
    entries = entries.combine_chunks()
    times = np.asarray(entries["start_time"].cast(pa.int64()).fill_null(UNTIMED))
    directions = _coded(entries["direction"])
    outward = _told(directions, pc.not_equal(directions.dictionary, Direction.INBOUND.value))
    group, every = _grouped(entries, times // _DAY, outward)
    groups = every.filter(every["outward"])
    return {
        REQUESTS.name: REQUESTS.fold(groups),
        DAYS.name: DAYS.fold(groups.filter(pc.is_valid(groups["day"]))),
        PODS.name: PODS.fold(groups.filter(pc.is_valid(groups["source_pod"]))),
        AGENTS.name: _agents(_coded(entries["user_agent"]), group, every),
        TIMELINE.name: _timeline(times // _MINUTE, entries["egress_class"]),
        HOURS.name: hours_of(times, _coded(entries["source_namespace"])),
        COVERAGE.name: _coverage(entries, outward),
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


def _told(column: pa.DictionaryArray, answers: pa.BooleanArray) -> Any:
    """What is said of each row's value, false where it has none."""
    return np.append(np.asarray(answers), False)[codes_of(column)]


def _doubts(entries: pa.Table) -> Any:
    """What is to be doubted of each entry, in bits: an outcome that was forged, a name that is tied to no address."""
    doubts = np.asarray(pc.and_(entries["tampered"], pc.is_null(entries["response_code"])).cast(pa.int8())) * _FORGED
    clusters = _coded(entries["upstream_cluster"])
    wildcards = pc.match_substring(clusters.dictionary, "|*")
    if not pc.any(wildcards).as_py():
        return doubts
    rows = np.flatnonzero(_told(clusters, wildcards))
    upstream, dialled = (_plain(entries[name].take(rows)) for name in ("upstream_host", "downstream_local_address"))
    doubts[rows[np.asarray(pc.equal(upstream, dialled).fill_null(False))]] |= _UNCHECKED
    return doubts


def _grouped(entries: pa.Table, days: Any, outward: Any) -> tuple[Any, pa.Table]:
    """The number of each entry's group, and a row for each group with the columns that the summaries fold.

    All that is inbound is one group.
    """
    doubts, methods = _doubts(entries), _coded(entries["method"])
    connect = _told(methods, pc.equal(methods.dictionary, "CONNECT"))
    derived = [pa.array(column) for column in (connect.view(np.int8), days, doubts)]
    alike = np.asarray(group_codes([*(entries[name] for name in _GROUPED), *derived]))
    group = pa.array(np.where(outward, alike, -1)).dictionary_encode().indices
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
    sums = sums.take(pc.sort_indices(sums["group"]))
    first = np.asarray(sums["row_min"])
    keys = {name: entries[name].take(first) for name in _GROUPED}
    count, day, doubt = sums["row_count"], days[first], pa.array(doubts[first].astype(np.int64))
    addresses = _coded(keys["destination_ip"])
    nameless = np.where(codes_of(_coded(keys["host"])) < 0, codes_of(addresses), -1)
    groups = pa.table(
        {
            **keys,
            "outward": outward[first],
            "dialled_ip": addresses,
            "destination_ip": dictionary_of(nameless, addresses.dictionary),
            "method_is_connect": connect[first],
            "day": pa.array(day.astype(np.int32), pa.int32(), mask=day < 0).cast(pa.date32()),
            "entries": count,
            "bytes_received": sums["bytes_received_sum"],
            "bytes_sent": sums["bytes_sent_sum"],
            "tampered": pc.multiply(count, pc.bit_wise_and(doubt, _FORGED)),
            "unchecked": pc.multiply(count, pc.shift_right(doubt, 1)),
            "first_seen": sums["time_min"],
            "last_seen": sums["time_max"],
            "example": _places(_plain(keys["origin"]), sums["line_min"]),
        }
    )
    return np.asarray(group), groups


def _agents(agents: pa.DictionaryArray, group: Any, groups: pa.Table) -> pa.Table:
    """User agents per destination: pairs of group and agent are counted first."""
    size = len(agents.dictionary) + 1
    pairs, counts = counted(group.astype(np.int64) * size + codes_of(agents) + 1)
    known = np.asarray(groups["outward"])[pairs // size] & (pairs % size > 0)
    pairs, counts = pairs[known], counts[known]
    table = groups.select([*DESTINATION_KEY]).take(pairs // size)
    table = table.append_column("user_agent", agents.dictionary.take(pa.array(pairs % size - 1)))
    return AGENTS.fold(table.append_column("entries", pa.array(counts, _COUNT)))


def _timeline(minutes: Any, classes: pa.ChunkedArray) -> pa.Table:
    """Entries per minute and class; those without a time stand under no minute, so that nothing is lost."""
    coded = _coded(classes)
    size = len(coded.dictionary)
    distinct, counts = counted(minutes * size + codes_of(coded))
    minute = distinct // size
    columns = [
        pa.array(minute * _MINUTE, mask=minute == UNTIMED // _MINUTE).cast(TIMESTAMP),
        coded.dictionary.take(pa.array(distinct % size)),
        counts,
    ]
    return pa.table(columns, schema=TIMELINE.schema)


def _coverage(entries: pa.Table, outward: Any) -> pa.Table:
    asked = pa.array(outward)
    present = [pc.sum(pc.and_(pc.is_valid(entries[name]), asked)).as_py() for name in COVERED]
    return pa.table([list(COVERED), present, [int(outward.sum())] * len(COVERED)], schema=COVERAGE.schema)


def _coded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    array = one_chunk(column)
    return array if pa.types.is_dictionary(array.type) else array.dictionary_encode()


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(_TEXT) if pa.types.is_dictionary(column.type) else column
