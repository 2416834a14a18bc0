"""Entries written out again."""

from pathlib import Path

import pytest

from analyzer.execution.exporting import export
from analyzer.execution.local import ingest
from tests.lines import HTTP, text


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_the_bytes_do_not_depend_on_how_the_entries_came_in(tmp_path: Path, kind: str) -> None:
    paths = [tmp_path / f"{name}.log" for name in "abc"]
    for number, path in enumerate(paths):
        path.write_text("".join(text(HTTP, request_id=f"{number}-{row}") + "\n" for row in range(40 * number + 1)))
    ingest([str(path) for path in paths], str(tmp_path / "at once"))
    for path in reversed(paths):
        ingest([str(path)], str(tmp_path / "one by one"))

    for lake in ("at once", "one by one"):
        export(str(tmp_path / lake), kind, str(tmp_path / f"{lake}.out"))

    assert (tmp_path / "at once.out").read_bytes() == (tmp_path / "one by one.out").read_bytes()
