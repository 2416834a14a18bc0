"""Exports that overlap: each line of the log is counted once, and what is repeated is counted as such."""

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.execution.auditing import audit
from analyzer.execution.local import ingest
from analyzer.settings import Settings
from analyzer.store import Lake, Tally
from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, HTTP, as_json, text

ID = "0" * 64


def line(second: int, **values: object) -> str:
    return text(HTTP | {"authority": "api.example.com"}, start_time=f"2026-03-02T10:00:{second:02d}.000Z", **values)


def log(folder: Path, name: str, *lines: str) -> str:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def of_pod(name: str) -> str:
    return f"{name}_shop_istio-proxy-{ID}.log"


def times(lake: Path) -> Counter[int]:
    batches = Lake(lake).entries(["start_time"])
    return Counter(row["start_time"].second for batch in batches for row in batch.to_pylist())


def adds_up(tally: Tally) -> bool:
    return tally.lines == tally.entries + tally.rejected + tally.duplicates


def test_what_two_exports_of_one_pod_share_is_counted_once(tmp_path: Path) -> None:
    lines = [line(second) for second in range(9)]
    (tmp_path / "later").mkdir()
    earlier = log(tmp_path, of_pod("web-0"), *lines[:6])
    later = log(tmp_path / "later", of_pod("web-0"), *lines[3:], "junk")

    tally = ingest([earlier, later], str(tmp_path / "lake"))

    assert (tally.sources, tally.lines, tally.entries, tally.rejected, tally.duplicates) == (2, 13, 9, 1, 3)
    assert times(tmp_path / "lake") == Counter(range(9))


def test_an_export_is_compared_with_what_the_lake_holds(tmp_path: Path) -> None:
    lines = [line(second) for second in range(9)]
    ingest([log(tmp_path, "a.log", *lines[:6])], str(tmp_path / "lake"))

    grown = ingest([log(tmp_path, "a.log", *lines)], str(tmp_path / "lake"))

    assert (grown.lines, grown.entries, grown.duplicates) == (9, 3, 6)
    assert times(tmp_path / "lake") == Counter(range(9))


def test_however_few_entries_are_held_at_once_the_same_lines_are_duplicates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyzer.execution.overlaps._HASHES_AT_ONCE", 7)
    monkeypatch.setattr("analyzer.execution.overlaps._ROWS_AT_ONCE", 2)
    monkeypatch.setattr("analyzer.execution.overlaps._ROWS_OF_A_FILE", 4)
    lines = [line(second % 60, bytes_sent=second) for second in range(90)]
    ingest([log(tmp_path, "a.log", *lines[:40])], str(tmp_path / "lake"))
    (tmp_path / "b").mkdir()

    sources = [log(tmp_path, "c.log", *lines[30:70]), log(tmp_path / "b", "d.log", *lines[60:], *lines[:5])]
    tally = ingest(sources, str(tmp_path / "lake"))

    assert (tally.lines, tally.entries, tally.duplicates) == (75, 50, 25)


def test_an_export_that_brings_nothing_new_is_a_source_all_the_same(tmp_path: Path) -> None:
    lines = [line(second) for second in range(9)]
    ingest([log(tmp_path, "a.log", *lines)], str(tmp_path / "lake"))

    part = ingest([log(tmp_path, "b.log", *lines[2:5])], str(tmp_path / "lake"))
    again = ingest([log(tmp_path, "b.log", *lines[2:5])], str(tmp_path / "lake"))

    assert (part.sources, part.entries, part.duplicates, again.sources_skipped) == (1, 0, 3, 1)
    assert audit(str(tmp_path / "lake"), settings=Settings(), istio_version="1.31").tally.duplicates == 3


def test_two_equal_lines_of_one_export_are_two(tmp_path: Path) -> None:
    tally = ingest([log(tmp_path, "a.log", line(1), line(1), line(2))], str(tmp_path / "lake"))

    assert (tally.entries, tally.duplicates) == (3, 0)


def test_two_pods_that_say_the_same_say_it_twice(tmp_path: Path) -> None:
    sources = [log(tmp_path, of_pod(pod), line(1), line(2)) for pod in ("web-0", "web-1")]
    Path(sources[1]).write_text(Path(sources[1]).read_text() + line(3) + "\n")

    tally = ingest(sources, str(tmp_path / "lake"))

    assert (tally.entries, tally.duplicates) == (5, 0)


def test_lines_of_an_unknown_pod_that_bear_nothing_of_their_own_are_kept(tmp_path: Path) -> None:
    bare = '[2026-03-02T10:00:01.000Z] "- - -" 0 UH 0 0 0 - "-" "-" "-" "-" "-"'

    tally = ingest([log(tmp_path, "a.log", bare), log(tmp_path, "b.log", bare, line(1))], str(tmp_path / "lake"))

    assert (tally.entries, tally.duplicates) == (3, 0)


def test_text_and_json_of_one_request_are_two_logs(tmp_path: Path) -> None:
    sources = [log(tmp_path, "a.log", text(BLOCKED_HTTP)), log(tmp_path, "b.log", as_json(BLOCKED_HTTP))]

    assert ingest(sources, str(tmp_path / "lake")).entries == 2


def test_what_is_repeated_counts_nowhere_in_the_evidence(tmp_path: Path) -> None:
    lines = [line(second) for second in range(5)] + [text(BLOCKED_TCP)]

    ingest([log(tmp_path, "a.log", *lines), log(tmp_path, "b.log", *lines[1:])], str(tmp_path / "lake"))

    found = audit(str(tmp_path / "lake"), settings=Settings(), istio_version="1.31")
    assert {item.destination.name: item.destination.entries for item in found.judged} == {
        "api.example.com:80": 5,
        "203.0.113.10:443": 1,
    }


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_the_exports_changes_no_count(tmp_path: Path, order: tuple[int, ...]) -> None:
    lines = [line(second) for second in (0, 1, 1, 1, 2, 3, 4)]
    parts = [lines[:4], lines[2:6], lines[3:]]
    for place in order:
        ingest([log(tmp_path, f"{place}.log", *parts[place])], str(tmp_path / "lake"))

    assert times(tmp_path / "lake") == Counter({0: 1, 1: 3, 2: 1, 3: 1, 4: 1}) - Counter()


@settings(max_examples=25)
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=12).map(sorted),
    st.lists(st.tuples(st.integers(0, 11), st.integers(1, 12), st.booleans()), min_size=1, max_size=4),
)
def test_of_equal_lines_there_are_as_many_as_one_export_holds(
    seconds: list[int], cuts: list[tuple[int, int, bool]]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        exports = [seconds[start : start + length] for start, length, _ in cuts]
        waiting: list[str] = []
        tallies: list[Tally] = []
        for number, (export, (_, _, alone)) in enumerate(zip(exports, cuts, strict=True)):
            waiting.append(log(folder, f"{number}.log", *(line(second) for second in export), f"junk {number}"))
            if alone or number == len(cuts) - 1:
                tallies.append(ingest(waiting, str(folder / "lake")))
                waiting = []

        wanted: Counter[int] = Counter()
        for export in exports:
            wanted |= Counter(export)
        assert times(folder / "lake") == wanted
        assert all(adds_up(tally) for tally in tallies)
