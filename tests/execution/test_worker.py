"""A worker holds little at a time, however many or long the lines are."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analyzer.execution import worker as module
from analyzer.execution.worker import Worker
from analyzer.parsing.native import library
from analyzer.sources import find_sources, read_blocks
from tests.lines import HTTP, text

pytestmark = pytest.mark.skipif(library() is None, reason="no C compiler was at hand when this was installed")


def log(folder: Path, name: str, lines: list[str]) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_memory_of_written_rows_is_used_for_the_next_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS_TOGETHER", 1)
    worker = Worker(str(tmp_path / "lake"), "w")
    paths = [log(tmp_path, f"{number}.log", [text(HTTP)] * 20) for number in range(20)]
    memory = set()
    for source in find_sources([str(path) for path in paths], {}, print, ()):
        for block in read_blocks(source):
            worker.ingest(block)
        memory.add(worker._reader.gathered["istio_text"].context)

    files, _ = worker.finish()

    assert len(memory) == 1
    assert sum(file.rows for file in files) == 400


def test_long_lines_are_written_before_there_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BYTES_TOGETHER", 1 << 20)
    worker = Worker(str(tmp_path / "lake"), "w")
    path = log(tmp_path, "long.log", [text({**HTTP, "path": "/" + "x" * 50_000})] * 400)
    (source,) = find_sources([str(path)], {}, print, ())
    for block in read_blocks(source):
        worker.ingest(block)

    files, _ = worker.finish()

    groups = [pq.ParquetFile(tmp_path / "lake" / file.path).metadata.num_row_groups for file in files]
    assert sum(file.rows for file in files) == 400
    assert sum(groups) > 1
