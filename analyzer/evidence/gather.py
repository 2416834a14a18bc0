"""Turn merged summaries into destinations with their evidence, sorted by key."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pyarrow as pa

from analyzer.classification.names import INVALID_SNI
from analyzer.evidence.destination import Destination, DestinationKey, Fate, Request
from analyzer.evidence.summaries import AGENTS, DAYS, PODS, REQUESTS, readable_place
from analyzer.vocabulary import (
    DESTINATION_KEY,
    ApplicationProtocol,
    EgressClass,
    HostSource,
    Mechanism,
    Result,
)

_FEW = 3
"""Examples and user agents that are shown of a destination; the lake has the rest."""
_ADDRESSES = 16
"""Addresses that are listed of a destination; all of them are counted."""
_LET_THROUGH = frozenset((EgressClass.PASSTHROUGH, EgressClass.REGISTERED))
_NO_FAILURE = frozenset((Result.OK, Result.CLIENT_RESET))
Word = TypeVar("Word", EgressClass, Result, Mechanism)
Row = Mapping[str, Any]


def gather(summaries: Mapping[str, pa.Table]) -> tuple[Destination, ...]:
    """Every destination that the log shows, by key; inbound traffic is none."""
    requests: dict[DestinationKey, list[Row]] = defaultdict(list)
    for row in summaries[REQUESTS.name].to_pylist():
        requests[_key(row)].append(row)
    days = Counter(_key(row) for row in _rows(summaries[DAYS.name]))
    pods = Counter(_key(row) for row in _rows(summaries[PODS.name]))
    agents: dict[DestinationKey, list[str]] = defaultdict(list)
    for row in summaries[AGENTS.name].to_pylist():
        agents[_key(row)].append(row["user_agent"])
    return tuple(
        _destination(key, requests[key], days[key], pods[key], agents[key])
        for key in sorted(requests, key=lambda key: key.order)
    )


def told_apart(destinations: Iterable[Destination], paths: pa.Table) -> Sequence[Destination]:
    """Destinations with the requests of the summary `paths` in place of theirs, where it has any."""
    asked: dict[DestinationKey, list[Row]] = defaultdict(list)
    for row in paths.to_pylist():
        asked[_key(row)].append(row)
    return [
        replace(item, requests=_requests(item.key, asked[item.key])) if item.key in asked else item
        for item in destinations
    ]


def _rows(table: pa.Table) -> list[Row]:
    rows: list[Row] = table.select(list(DESTINATION_KEY)).to_pylist()
    return rows


def _key(row: Row) -> DestinationKey:
    protocol = row["application_protocol"]
    return DestinationKey(
        row["source_namespace"],
        row["source_workload"],
        row["host"],
        row["destination_ip"],
        row["destination_port"],
        None if protocol is None else ApplicationProtocol(protocol),
    )


def _destination(key: DestinationKey, rows: list[Row], days: int, pods: int, agents: list[str]) -> Destination:
    addresses = sorted({row["dialled_ip"] for row in rows if row["dialled_ip"] is not None})
    return Destination(
        key=key,
        entries=_sum(rows, "entries"),
        by_class=_by(rows, "egress_class", EgressClass),
        by_result=_by(rows, "result", Result),
        by_mechanism=_by(rows, "mechanism", Mechanism),
        bytes_received=_sum(rows, "bytes_received"),
        bytes_sent=_sum(rows, "bytes_sent"),
        first_seen=min((row["first_seen"] for row in rows if row["first_seen"] is not None), default=None),
        last_seen=max((row["last_seen"] for row in rows if row["last_seen"] is not None), default=None),
        days_seen=days,
        pods_seen=pods,
        user_agents=tuple(sorted(agents)[:_FEW]),
        examples=_examples(rows),
        host_sources=tuple(source for source in HostSource if any(row["host_source"] == source for row in rows)),
        addresses=tuple(addresses[:_ADDRESSES]),
        addresses_seen=len(addresses),
        failures_when_let_through=sum(
            row["entries"]
            for row in rows
            if row["egress_class"] in _LET_THROUGH and Result(row["result"]) not in _NO_FAILURE
        ),
        tampered_entries=_sum(rows, "tampered"),
        invalid_sni_entries=sum(
            row["entries"] for row in rows if (row["requested_server_name"] or "").startswith(INVALID_SNI)
        ),
        unchecked_entries=_sum(rows, "unchecked"),
        requests=_requests(key, rows),
        fates=_fates(rows),
    )


def _sum(rows: Iterable[Row], name: str) -> int:
    return sum(row[name] or 0 for row in rows)


def _by(rows: Iterable[Row], name: str, words: type[Word]) -> dict[Word, int]:
    """Entries per word, in the order in which the vocabulary lists the words."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row[name]] += row["entries"]
    return {word: counts[word] for word in words if counts[word]}


def _examples(rows: Iterable[Row]) -> tuple[str, ...]:
    """A first line for each different fate, so that the few examples show what there is to see."""
    first: dict[tuple[str, str], str] = {}
    for row in rows:
        fate = (row["mechanism"], row["result"])
        first[fate] = min(first.get(fate, row["example"]), row["example"])
    return tuple(readable_place(place) for place in sorted(first.values())[:_FEW])


def _fates(rows: Iterable[Row]) -> tuple[Fate, ...]:
    """What became of the entries, those with most entries first."""
    found: dict[tuple[str, str], tuple[int, str]] = {}
    for row in rows:
        fate = (row["mechanism"], row["result"])
        entries, example = found.get(fate, (0, row["example"]))
        found[fate] = (entries + row["entries"], min(example, row["example"]))
    ordered = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
    return tuple(
        Fate(Mechanism(mechanism), Result(result), entries, readable_place(example))
        for (mechanism, result), (entries, example) in ordered
    )


def _requests(key: DestinationKey, rows: Iterable[Row]) -> tuple[Request, ...]:
    """The distinct ways of asking, without what came of them."""
    counts: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        asked = (
            row["authority"],
            row["requested_server_name"],
            row["dialled_ip"],
            row["method_is_connect"],
            row["egress_class"],
            row.get("path"),
            row.get("method"),
        )
        sums = counts.setdefault(asked, [0, 0, 0])
        for place, name in enumerate(("entries", "bytes_received", "bytes_sent")):
            sums[place] += row[name] or 0
    return tuple(
        Request(
            key=key,
            authority=authority,
            requested_server_name=server_name,
            destination_ip=address,
            destination_port=key.destination_port,
            application_protocol=key.application_protocol,
            method_is_connect=bool(connect),
            egress_class=EgressClass(egress_class),
            entries=entries,
            bytes_received=received,
            bytes_sent=sent,
            path=path,
            method=method,
        )
        for (authority, server_name, address, connect, egress_class, path, method), (entries, received, sent) in sorted(
            counts.items(), key=lambda item: tuple(str(part or "") for part in item[0])
        )
    )
