"""Blocks of any size give the same records: nothing of many lines is cut."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.parsing import BlockReader
from analyzer.parsing.envelopes import known_envelopes
from analyzer.parsing.framing import Framing
from analyzer.parsing.peeling import read_peeled
from analyzer.parsing.tabular import header_of
from analyzer.sources import find_sources, read_blocks
from tests.lines import HTTP, as_json, text
from tests.parsing.test_envelopes import ECS, LINE, POD, SAMPLES, WRITER, as_line, cri, docker
from tests.parsing.test_joining import WIDE, wrapped


def table(columns: list[str], *rows: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([columns, *rows])
    return written.getvalue()


TABLES = {
    "kibana": table(["@timestamp", "message", "kubernetes.pod.name", "kubernetes.namespace"], *[["Mar 2, 2026 @ 10:00:01.123", LINE, POD, "shop"]] * 9),
    "kibana, line ends in cells": table(["@timestamp", "log", "kubernetes.pod_name", "kubernetes.namespace_name"], *[["-", LINE + "\n", POD, "shop"]] * 9),
    "kibana, documents": table(["_id", "_source"], *[["1", json.dumps({"message": LINE, **ECS})]] * 9),
    "insights": table(["@timestamp", "@message", "@logStream"], *[["2026-03-02", LINE, f"node-var.log.containers.{POD}_shop_istio-proxy-{'0a' * 32}.log"]] * 9),
    "splunk": table(["_time", "_raw", "pod", "namespace"], *[["2026-03-02", LINE, POD, "shop"]] * 9),
}  # fmt: skip
ENTRY = json.dumps(json.loads(as_json(HTTP, authority="api.example.com")), indent=2)
SOURCES = {
    **TABLES,
    "parts": "\n".join([cri(LINE[:50], "P"), cri(LINE[:9], "P", "stderr"), cri(LINE[50:]), cri(LINE[9:], "F", "stderr")] * 9),
    "parts of pods": "\n".join(f"[pod/{pod}/istio-proxy] {part}" for part in (cri(LINE[:50], "P"), cri(LINE[50:])) * 9 for pod in ("a-0", "b-0")),
    "docker": "\n".join([docker(LINE[:50]), docker(LINE[50:] + "\n"), docker(LINE + "\n")] * 9),
    "entries": "\n".join([ENTRY] * 9 + [LINE] * 3),
    "documents": "\n".join(json.dumps(sample, indent=1) for sample, _ in SAMPLES["loki_query"] + SAMPLES["cloudwatch_events"]),
    "one document": json.dumps({"events": [{"timestamp": 1, "message": LINE, "ingestionTime": 2}] * 9, "nextForwardToken": "f"}, indent=4),
    "wrapped": "\n".join([wrapped(WIDE, 100), LINE, wrapped(WIDE, 100)] * 5),
    "bare": "\n".join([LINE, "junk", as_json(HTTP)] * 9),
}  # fmt: skip


def records(path: Path, size: int) -> tuple[list[Any], list[Any]]:
    """Entries as (physical line, labels) and rejected lines, of a source read in blocks of some size."""
    (source,) = find_sources([str(path)])
    entries: list[Any] = []
    rejected: list[Any] = []
    for block in read_blocks(source, size, cutter=Framing()):
        for parsed, peeled in read_peeled(BlockReader(), block.load(), block.header, first=block.index == 0):
            for number in [n for found in parsed.entries for n in found.lines.tolist()]:
                labels = {} if peeled is None else peeled.labels[peeled.codes[number]]
                entries.append((block.first_line + (number if peeled is None else int(peeled.lines[number])), labels))
            for refused in parsed.rejected:
                line = refused.line if peeled is None else int(peeled.lines[refused.line])
                rejected.append((block.first_line + line, refused.reason, refused.text))
    return sorted(entries, key=str), sorted(rejected)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("name", sorted(SOURCES))
def test_blocks_of_any_size_give_the_same_records(tmp_path: Path, name: str, packed: bool) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(gzip.compress(SOURCES[name].encode()) if packed else SOURCES[name].encode())

    whole = records(path, 1 << 20)

    assert len(whole[0]) > 5
    for size in (700, 1500, 4000):
        assert records(path, size) == whole


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_table_is_read_by_its_header(tmp_path: Path, name: str) -> None:
    path = tmp_path / "export.csv"
    path.write_text(TABLES[name])

    entries, rejected = records(path, 1500)

    assert rejected == []
    assert len({line for line, _ in entries}) == 9
    expected = {key: value for key, value in WRITER.items() if key != "container"}
    assert all(expected.items() <= labels.items() for _, labels in entries)


def test_a_row_that_does_not_fit_its_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(TABLES["kibana"] + '"one cell"\n' + TABLES["kibana"].split("\n", 1)[1])

    entries, rejected = records(path, 1 << 20)

    assert len(entries) == 18
    assert [(line, text) for line, _, text in rejected] == [(11, b'"one cell"')]


@pytest.mark.parametrize("line", [LINE, as_json(HTTP), "a,b,c", text(HTTP, user_agent="message,log"), 'message="x",y'])
def test_a_line_of_a_log_is_no_header(line: str) -> None:
    assert header_of(line.encode() + b"\n") == b""


def test_a_header_is_an_envelope_of_nothing() -> None:
    assert known_envelopes()["csv_export"].peel(b'"@timestamp",message') == []
    assert known_envelopes()["csv_export"].peel(LINE.encode()) is None


PIECES = [
    *(as_line(sample).decode() for name in sorted(SAMPLES) for sample, _ in SAMPLES[name]),
    *(json.dumps(sample, indent=1) for sample, _ in SAMPLES["loki_query"]),
    ENTRY, LINE, LINE[:90], as_json(HTTP), "junk", "\tat com.acme.Foo", "{", "]", "",
    cri(LINE[:50], "P"), cri(LINE[50:]), cri(LINE[:9], "P", "stderr"), cri(LINE[9:], "F", "stderr"), cri("app", "P"),
]  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=14))
def test_of_any_lines_in_any_envelopes_every_one_is_accounted_for(tmp_path_factory: Any, pieces: list[str]) -> None:
    path = tmp_path_factory.mktemp("source") / "a.log"
    path.write_text("\n".join(pieces))

    entries, rejected = records(path, 1 << 20)
    seen = {line for line, *_ in (*entries, *rejected)}

    first = 1
    for piece in pieces:
        lines = range(first, first + piece.count("\n") + 1)
        part = " P " in piece[:48] or "stderr F" in piece[:48] or "stdout F" in piece[:48]
        assert not piece or part or seen & set(lines), piece
        first = lines.stop
