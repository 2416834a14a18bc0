"""Where each row came from: its source and line, its format, and who sent what it tells of."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from analyzer.dictionaries import dictionary_of
from analyzer.parsing import Entries
from analyzer.parsing.alike import alike
from analyzer.parsing.layers import Peeled
from analyzer.parsing.parsed import Held
from analyzer.sources import Block, workload_of
from analyzer.text import encodable
from analyzer.vocabulary import SOURCE_FIELDS


def provenance(
    block: Block, entries: Entries | Held, peeled: Peeled | None, *, relays: bool = False
) -> dict[str, pa.Array]:
    """The columns of an entry that tell of its provenance. With `relays`, who wrote a line is not whom it tells of."""
    rows = len(entries)
    tampered = np.zeros(rows, bool) if entries.tampered is None else entries.tampered
    return {
        **_sources(block, entries, peeled, relays),
        "origin": constant(block.origin, rows),
        "line_number": pa.array(physical(entries.lines, peeled) + block.first_line),
        "log_format": constant(entries.format, rows),
        "tampered": pa.array(tampered),
    }


def _sources(block: Block, entries: Entries | Held, peeled: Peeled | None, relays: bool) -> dict[str, pa.Array]:
    """Who sent what each line tells of: the line itself knows best, then the source's labels and the envelope."""
    labels = labels_of(block, entries.lines, peeled)
    columns = {} if isinstance(entries, Held) else entries.columns
    own = {name: columns[name] for name in SOURCE_FIELDS if name in columns}
    if not own and not relays:
        return labels
    firsts, kinds = alike([*own.values(), *labels.values()])
    rows = [_joined(mine, known, relays) for mine, known in zip(_rows(own, firsts), _rows(labels, firsts), strict=True)]
    return {
        name: pa.array([row.get(name) for row in rows], pa.string()).dictionary_encode().take(pa.array(kinds))
        for name in SOURCE_FIELDS
    }


def _rows(columns: Mapping[str, pa.Array], places: Any) -> list[dict[str, str]]:
    """Some rows, what is missing left out."""
    texts = [(name, column.take(pa.array(places)).to_pylist()) for name, column in columns.items()]
    return [{name: column[row] for name, column in texts if column[row] is not None} for row in range(len(places))]


def _joined(own: dict[str, str], known: dict[str, str], relays: bool) -> Mapping[str, str]:
    """Labels that name a pod name the writer's: of no use where another wrote, or where the line names its own."""
    if relays and "source_pod" in known:
        known = {name: value for name, value in known.items() if name == "source_cluster"}
    elif own.keys() & {"source_pod", "source_workload"}:
        known = {name: value for name, value in known.items() if name in ("source_cluster", "source_namespace")}
    return _with_workload(known | own)


def physical(lines: Any, peeled: Peeled | None) -> Any:
    """The lines of the block on which records begin; without envelopes a record is a line."""
    return lines if peeled is None else peeled.lines[lines]


def labels_of(block: Block, lines: Any, peeled: Peeled | None) -> dict[str, pa.Array]:
    """Who wrote each line: what the source's labels say, else what the line's own envelope says."""
    fixed = dict(block.labels)
    if peeled is None:
        return {name: constant(fixed.get(name), len(lines)) for name in SOURCE_FIELDS}
    codes = pa.array(peeled.codes[lines], pa.int32())
    known = [_with_workload({**labels, **fixed}) for labels in peeled.labels]
    return {
        name: pa.array([labels.get(name) for labels in known], pa.string()).take(codes).dictionary_encode()
        for name in SOURCE_FIELDS
    }


def _with_workload(labels: dict[str, str]) -> Mapping[str, str]:
    if "source_workload" not in labels and "source_pod" in labels:
        workload = workload_of(labels["source_pod"])
        if workload is not None:
            return {**labels, "source_workload": workload}
    return labels


def constant(value: str | None, rows: int) -> pa.DictionaryArray:
    """One value so many times."""
    values = pa.array([] if value is None else [encodable(value)], pa.string())
    return dictionary_of(np.full(rows, len(values) - 1, np.int32), values)
