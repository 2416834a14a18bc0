import random
import shutil
from datetime import UTC, datetime
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.evidence import gather, merge, summarize
from analyzer.execution.local import ingest
from analyzer.execution.summing import summaries_of
from analyzer.execution.worker import Worker
from analyzer.sources import Block
from analyzer.store import Lake, read_entries
from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, HTTP, TCP, as_json, text


def entries(tmp_path, *lines: str, labels: tuple[tuple[str, str], ...] = ()) -> pa.Table:
    data = "\n".join(lines).encode()
    worker = Worker(str(tmp_path), "w")
    worker.ingest(Block("a.log", labels, 0, 1, data, 0, len(data)))
    files = [file for file in worker.finish()[0] if file.kind == "entry"]
    batches = [batch for file in files for batch in read_entries(str(tmp_path / file.path))]
    return pa.Table.from_batches(batches).unify_dictionaries()


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> pa.Table:
    """A few hundred entries with enough variety that every summary has something to merge."""
    dice = random.Random(4)
    lines = []
    for _ in range(300):
        base = dice.choice([BLOCKED_HTTP, BLOCKED_TCP, HTTP, TCP | {"upstream_cluster": "PassthroughCluster"}])
        values = {
            "start_time": f"2026-03-0{dice.randint(1, 3)}T10:{dice.randint(10, 59)}:00.{dice.randint(0, 999):03d}Z",
            "authority": dice.choice(["a.example.com", "B.example.com:80", "10.1.2.3", None]),
            "requested_server_name": dice.choice(["c.example.com", "invalid:x_y", None]),
            "user_agent": dice.choice([f"agent-{n}" for n in range(12)]),
            "bytes_received": dice.randint(0, 10**6),
        }
        lines.append(dice.choice([text, as_json])(base, **values))
    return entries(tmp_path_factory.mktemp("lake"), *lines, labels=(("source_pod", "web-0"),))


@given(st.lists(st.integers(0, 300), max_size=6), st.randoms(use_true_random=False))
def test_splitting_a_log_changes_nothing(log: pa.Table, cuts: list[int], dice: random.Random) -> None:
    """However a log is cut up and shuffled, the merged summary is the summary of the whole, byte for byte."""
    bounds = [0, *sorted(min(cut, log.num_rows) for cut in cuts), log.num_rows]
    pieces = [summarize(log.slice(a, b - a)) for a, b in pairwise(bounds)]
    dice.shuffle(pieces)
    half = len(pieces) // 2

    merged = merge([merge(pieces[:half]), merge(pieces[half:])])

    assert all(merged[name].equals(table) for name, table in merge([summarize(log)]).items())


def test_nothing_is_the_summary_of_nothing(log: pa.Table) -> None:
    whole = merge([summarize(log)])

    assert all(table.equals(whole[name]) for name, table in merge([merge([]), whole]).items())


def test_inbound_entries_are_no_egress(tmp_path) -> None:
    table = entries(tmp_path, text(HTTP, upstream_cluster="inbound|8080||"), text(BLOCKED_HTTP))

    destinations = gather(merge([summarize(table)]))

    assert [destination.name for destination in destinations] == ["api.example.com:80"]


def test_a_destination_counts_what_became_of_it(tmp_path) -> None:
    lines = [text(BLOCKED_HTTP)] * 2 + [text(BLOCKED_HTTP, start_time="2026-03-04T10:00:00.000Z")]

    (destination,) = gather(merge([summarize(entries(tmp_path, *lines))]))

    assert (destination.entries, dict(destination.by_class), destination.days_seen) == (3, {"blocked": 3}, 2)
    assert destination.examples == ("a.log:1",)


def test_a_nameless_destination_is_told_by_its_address(tmp_path) -> None:
    table = entries(tmp_path, text(BLOCKED_TCP), text(BLOCKED_TCP, downstream_local_address="203.0.113.11:443"))

    destinations = gather(merge([summarize(table)]))

    assert [d.key.destination_ip for d in destinations] == ["203.0.113.10", "203.0.113.11"]


def test_entries_without_a_time_are_counted_all_the_same(tmp_path) -> None:
    summaries = merge([summarize(entries(tmp_path, text(BLOCKED_TCP).split("] ", 1)[1]))])

    assert summaries["timeline"].to_pylist() == [{"minute": None, "egress_class": "blocked", "entries": 1}]


def test_what_an_ingest_kept_is_what_a_scan_of_its_entries_gives(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("analyzer.execution.worker._ROWS_TOGETHER", 50)
    for name, host in (("a", "x.example.com"), ("b", "y.example.com")):
        lines = [text(BLOCKED_HTTP, authority=host, user_agent=f"agent {n % 9}") for n in range(400)]
        (tmp_path / f"{name}.log").write_text("\n".join(lines))
        ingest([str(tmp_path / f"{name}.log")], str(tmp_path / "lake"))
    lake = Lake(tmp_path / "lake")

    kept, scanned = summaries_of(lake), summaries_of(lake, since=datetime(2000, 1, 1, tzinfo=UTC))

    assert all(kept[name].equals(table) for name, table in scanned.items())


def test_a_batch_that_kept_no_sums_is_summed_up_from_its_entries(tmp_path) -> None:
    (tmp_path / "a.log").write_text(text(BLOCKED_HTTP))
    ingest([str(tmp_path / "a.log")], str(tmp_path / "lake"))
    before = summaries_of(Lake(tmp_path / "lake"))

    shutil.rmtree(tmp_path / "lake" / "_summaries")

    after = summaries_of(Lake(tmp_path / "lake"))
    assert all(before[name].equals(table) for name, table in after.items())
