import gzip
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from analyzer.errors import LakeError
from analyzer.execution.identity import Identity
from analyzer.execution.local import ingest
from analyzer.sources import find_sources, read_blocks
from analyzer.store import Lake
from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, HTTP, text


def log(folder: Path, name: str, *lines: str) -> str:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def count(lake: Path) -> int:
    return sum(batch.num_rows for batch in Lake(lake).entries(["host"]))


def test_entries_and_rejected_lines_are_there_after_one_commit(tmp_path: Path) -> None:
    tally = ingest([log(tmp_path, "a.log", text(HTTP), "junk", text(BLOCKED_TCP))], str(tmp_path / "lake"))

    assert (tally.lines, tally.entries, tally.rejected) == (3, 2, 1)
    assert count(tmp_path / "lake") == 2
    assert [row["reason"] for b in Lake(tmp_path / "lake").rejected() for row in b.to_pylist()] == ["not_an_access_log"]
    assert DeltaTable(str(tmp_path / "lake")).version() == 0


def test_ingesting_a_source_twice_changes_nothing(tmp_path: Path) -> None:
    source = log(tmp_path, "a.log", text(HTTP))
    ingest([source], str(tmp_path / "lake"))

    again = ingest([source], str(tmp_path / "lake"))

    assert (again.sources, again.sources_skipped, again.lines) == (0, 1, 0)
    assert (count(tmp_path / "lake"), DeltaTable(str(tmp_path / "lake")).version()) == (1, 0)


def test_the_same_content_under_another_name_is_the_same_source(tmp_path: Path) -> None:
    sources = [log(tmp_path, name, text(HTTP)) for name in ("a.log", "b.log")]

    tally = ingest(sources, str(tmp_path / "lake"))

    assert (tally.sources, tally.sources_skipped, count(tmp_path / "lake")) == (1, 1, 1)


def _of_pod(tmp_path: Path, pod: str) -> str:
    return log(tmp_path, f"{pod}_shop_istio-proxy-{'a' * 64}.log", text(HTTP))


@pytest.mark.parametrize("at_once", [True, False])
def test_two_pods_that_say_the_same_to_the_byte_are_two_sources(tmp_path: Path, at_once: bool) -> None:
    sources = [_of_pod(tmp_path, pod) for pod in ("web-0", "web-1")]
    lake = str(tmp_path / "lake")

    tallies = [ingest(named, lake) for named in ([sources] if at_once else [[source] for source in sources])]

    assert sum(tally.sources for tally in tallies) == 2
    assert count(tmp_path / "lake") == 2
    assert ingest(sources, lake).sources_skipped == 2


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_copy_that_does_not_say_its_pod_is_the_same_source(
    tmp_path: Path, order: tuple[int, int], at_once: bool
) -> None:
    pair = [_of_pod(tmp_path, "web-0"), log(tmp_path, "a.log", text(HTTP))]
    sources = [pair[place] for place in order]

    for named in [sources] if at_once else [[source] for source in sources]:
        ingest(named, str(tmp_path / "lake"))

    assert count(tmp_path / "lake") == 1


def test_of_a_copy_and_the_file_that_says_its_pod_the_file_is_kept(tmp_path: Path) -> None:
    ingest([log(tmp_path, "a.log", text(HTTP)), _of_pod(tmp_path, "web-0")], str(tmp_path / "lake"))

    (batch,) = Lake(tmp_path / "lake").entries(["source_pod"])
    assert batch.column("source_pod").to_pylist() == ["web-0"]


def test_days_are_partitions(tmp_path: Path) -> None:
    lines = [text(HTTP, start_time=f"2026-03-0{day}T10:00:00.000Z") for day in (1, 2, 1)]
    ingest([log(tmp_path, "a.log", *lines)], str(tmp_path / "lake"))

    found = duckdb.sql(
        f"select day::varchar, count(*) from read_parquet('{tmp_path}/lake/kind=entry/*/*.parquet', hive_partitioning=true)"
        " group by 1 order by 1"
    ).fetchall()

    assert found == [("2026-03-01", 2), ("2026-03-02", 1)]


def test_any_delta_reader_can_open_it(tmp_path: Path) -> None:
    ingest([log(tmp_path, "a.log", text(BLOCKED_HTTP), "junk")], str(tmp_path / "lake"))

    frame = DeltaTable(str(tmp_path / "lake")).to_pandas()

    assert sorted(frame["kind"]) == ["entry", "rejected"]
    assert frame.loc[frame["kind"] == "entry", "host"].tolist() == ["api.example.com"]
    assert pd.api.types.is_datetime64_any_dtype(frame["start_time"])


def test_a_thousand_small_sources_make_few_files(tmp_path: Path) -> None:
    for number in range(200):
        log(tmp_path, f"{number}.log", text(HTTP, request_id=str(number)))

    ingest([str(tmp_path / "*.log")], str(tmp_path / "lake"))

    assert len(list((tmp_path / "lake").glob("kind=entry/**/*.parquet"))) == 1


def test_a_folder_without_a_lake_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="no lake"):
        list(Lake(tmp_path).entries())


def _ingest(source: str, lake: str) -> None:
    ingest([source], lake, workers=1)


def test_two_ingests_at_once_both_land(tmp_path: Path) -> None:
    sources = [
        log(tmp_path, f"{name}.log", *(text(HTTP, request_id=f"{name}{n}") for n in range(200))) for name in "abcd"
    ]
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_ingest, args=(source, str(tmp_path / "lake"))) for source in sources]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0, 0, 0, 0]
    assert count(tmp_path / "lake") == 800


def test_two_ingests_of_one_source_at_once_count_it_once(tmp_path: Path) -> None:
    source = log(tmp_path, "a.log", *(text(HTTP, request_id=str(n)) for n in range(200)))
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_ingest, args=(source, str(tmp_path / "lake"))) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert count(tmp_path / "lake") == 200


def test_an_ingest_that_is_killed_leaves_the_lake_as_it_was(tmp_path: Path) -> None:
    ingest([log(tmp_path, "first.log", text(HTTP))], str(tmp_path / "lake"))
    large = tmp_path / "large.log"
    large.write_text("\n".join(text(HTTP, request_id=str(n)) for n in range(60_000)) + "\n")
    victim = multiprocessing.get_context("spawn").Process(target=_ingest, args=(str(large), str(tmp_path / "lake")))
    victim.start()
    files = tmp_path / "lake" / "kind=entry"
    until = time.monotonic() + 60
    while len(list(files.rglob("*.parquet"))) < 2 and victim.is_alive() and time.monotonic() < until:
        time.sleep(0.005)
    if victim.is_alive():
        os.kill(victim.pid, signal.SIGKILL)
    victim.join()

    assert count(tmp_path / "lake") in (1, 60_001)
    ingest([str(large)], str(tmp_path / "lake"))
    assert count(tmp_path / "lake") == 60_001


@pytest.mark.parametrize("workers", [1, 2])
def test_an_ingest_that_finds_the_disk_full_says_so_and_leaves_nothing_behind(tmp_path: Path, workers: int) -> None:
    lines = [text(HTTP, request_id=f"{number * 7919:x}") for number in range(150_000 if workers > 1 else 3000)]
    arguments = ["ingest", log(tmp_path, "a.log", *lines), "--lake", str(tmp_path / "lake"), "--workers", str(workers)]
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"  # as good as a full disk
    code = f"{limit}; import sys; sys.argv[1:] = {arguments!r}; import analyzer.cli as c; c.main()"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 2)
    assert "nothing was added: File too large" in done.stderr
    assert not [path for path in (tmp_path / "lake").rglob("*") if path.is_file()]


@pytest.mark.parametrize("part", ["kind=entry/*/*.parquet", "_sources/*.json", "_summaries/*/*/*.parquet"])
def test_a_lake_that_is_damaged_is_named_as_such(tmp_path: Path, part: str) -> None:
    ingest([log(tmp_path, "a.log", text(HTTP))], str(tmp_path / "lake"))
    for path in (tmp_path / "lake").glob(part):
        path.write_text("[1]")
    lake = Lake(tmp_path / "lake")

    with pytest.raises(LakeError, match="damaged"):
        list(lake.entries() if "entry" in part else lake.sources() if "sources" in part else lake.summaries() or ())


def test_what_was_committed_is_not_forgotten(tmp_path: Path) -> None:
    ingest([log(tmp_path, "a.log", text(HTTP))], str(tmp_path / "lake"))
    (record,) = (tmp_path / "lake" / "_sources").glob("*.json")

    Lake(tmp_path / "lake").forget(record.stem)

    assert count(tmp_path / "lake") == len(Lake(tmp_path / "lake").sources()) == 1


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for processes in /proc")
def test_workers_do_not_outlive_an_ingest_that_is_killed(tmp_path: Path) -> None:
    code = f"from analyzer.execution.local import ingest; ingest(['-'], {str(tmp_path / 'lake')!r}, workers=2)"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as dispatcher:
        children = Path(f"/proc/{dispatcher.pid}/task/{dispatcher.pid}/children")
        assert dispatcher.stdin is not None
        dispatcher.stdin.write((text(HTTP) + "\n").encode())
        dispatcher.stdin.flush()
        until = time.monotonic() + 60
        while len(workers := children.read_text().split()) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        dispatcher.kill()

    assert len(workers) == 2
    while any(_runs(worker) for worker in workers) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(_runs(worker) for worker in workers)


def _runs(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_workers_and_one_process_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [text(HTTP, request_id=str(n)) if n % 7 else f"junk {n}" for n in range(40_000)]
    source = log(tmp_path, "a.log", *lines)
    monkeypatch.setattr("analyzer.execution.pool._WORTH_WORKERS", 0)

    alone = ingest([source], str(tmp_path / "one"), workers=1)
    together = ingest([source], str(tmp_path / "two"), workers=2)

    assert alone == together
    tables = [
        pa.Table.from_batches(Lake(tmp_path / name).entries(["line_number", "request_id"])).sort_by("line_number")
        for name in ("one", "two")
    ]
    assert tables[0].to_pylist() == tables[1].to_pylist()


def test_a_source_that_was_cut_off_is_read_as_far_as_it_goes_and_said_so(tmp_path: Path) -> None:
    packed = gzip.compress("\n".join(text(HTTP, request_id=str(n * 7919)) for n in range(5000)).encode())
    (tmp_path / "cut.log.gz").write_bytes(packed[: len(packed) // 2])

    tally = ingest([str(tmp_path / "cut.log.gz")], str(tmp_path / "lake"))

    assert 100 < tally.entries < 5000
    assert len(tally.notes) == 1
    assert "cut off" in tally.notes[0]


def test_a_source_is_known_again_when_it_comes_packed(tmp_path: Path) -> None:
    ingest([log(tmp_path, "a.log", text(HTTP))], str(tmp_path / "lake"))
    (tmp_path / "a.log.gz").write_bytes(gzip.compress((tmp_path / "a.log").read_bytes()))

    again = ingest([str(tmp_path / "a.log.gz")], str(tmp_path / "lake"))

    assert (again.sources_skipped, count(tmp_path / "lake")) == (1, 1)


@pytest.mark.parametrize("size", [64, 1 << 20])
def test_the_identity_of_a_source_is_its_content_and_not_how_it_is_read(tmp_path: Path, size: int) -> None:
    (source,) = find_sources([log(tmp_path, "a.log", *(text(HTTP, request_id=str(n)) for n in range(50)))])
    identity = Identity()

    for _ in read_blocks(source, size, seen=identity.update):
        pass

    whole = Identity()
    whole.update((tmp_path / "a.log").read_bytes())
    assert identity.text == whole.text
