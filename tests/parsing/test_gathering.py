"""What is gathered over many blocks is what the blocks hold when each is read for itself."""

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.parsing import BlockReader, ParsedBlock
from analyzer.parsing.native import library
from analyzer.schema import conform
from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, HTTP, TCP, as_json, text

pytestmark = pytest.mark.skipif(library() is None, reason="no C compiler was at hand when this was installed")

QUOTED = text({**HTTP, "user_agent": 'curl "x"'})
EXTRA = json.dumps(json.loads(as_json(HTTP)) | {"team": "blue", "zone": None})
NAMED = HTTP | {"authority": "api.example"}
RENAMED = json.dumps(
    {"host" if key == "authority" else key: value for key, value in json.loads(as_json(NAMED)).items()}
)
OF_1_1 = json.dumps(json.loads(as_json(HTTP)) | {"method": "2024-01-09T15:35:47.283Z"})
LINES = st.sampled_from(
    [
        *(text(base) for base in (NAMED, TCP, BLOCKED_HTTP, BLOCKED_TCP)),
        *(as_json(base) for base in (NAMED, TCP, BLOCKED_HTTP)),
        QUOTED,
        EXTRA,
        RENAMED,
        OF_1_1,
        text({**HTTP, "duration": "9" * 19}),
        text({**HTTP, "user_agent": "é" * 3}),
        "no access log",
        "",
    ]
)

Rows = list[tuple[int, int, bool, dict[str, Any]]]


def rows(block: int, lines: Any, tampered: Any, columns: dict[str, pa.Array]) -> Rows:
    """Rows as plain values with their block and line."""
    values = pa.table(conform(columns, len(lines))).to_pylist()
    judged = columns["judged_method"].to_pylist() if "judged_method" in columns else [None] * len(lines)
    marks = [False] * len(lines) if tampered is None else [bool(mark) for mark in tampered]
    return [
        (block, int(line), mark, value | {"judged_method": judge})
        for line, mark, value, judge in zip(lines, marks, values, judged, strict=True)
    ]


def loose(parsed: list[ParsedBlock]) -> Rows:
    return [
        row
        for block, part in enumerate(parsed)
        for entries in part.entries
        for row in rows(block, entries.lines, entries.tampered, entries.columns)
    ]


def taken(reader: BlockReader, parsed: list[ParsedBlock]) -> Rows:
    found: Rows = []
    for name, gathering in reader.gathered.items():
        held = [(block, part) for block, each in enumerate(parsed) for part in each.held if part.format == name]
        columns = gathering.take() if held else {}
        for block, part in held:
            mine = {field: column.slice(part.start, len(part)) for field, column in columns.items()}
            mine = {field: pa.concat_arrays([column]) for field, column in mine.items()}
            found += rows(block, part.lines, part.tampered, mine)
    return found


def in_order(found: Rows) -> Rows:
    return sorted(found, key=lambda row: row[:2])


@settings(max_examples=60)
@given(st.lists(st.lists(LINES, max_size=7), max_size=5), st.lists(st.lists(LINES, max_size=7), max_size=3))
def test_gathered_rows_are_those_of_blocks_read_alone(before: list[list[str]], after: list[list[str]]) -> None:
    reader = BlockReader()
    reader.gather()
    for blocks in (before, after):
        data = ["\n".join(lines).encode() for lines in blocks]

        gathered = [reader.read_on(block) for block in data]

        alone = [BlockReader().read(block) for block in data]
        assert in_order(loose(gathered) + taken(reader, gathered)) == in_order(loose(alone))
        assert [part.rejected for part in gathered] == [part.rejected for part in alone]
        assert [part.lines for part in gathered] == [part.lines for part in alone]


def test_columns_that_are_still_held_are_not_written_over() -> None:
    reader = BlockReader()
    reader.gather()
    reader.read_on("\n".join([text(NAMED)] * 9).encode())
    held = reader.gathered["istio_text"].take()

    reader.read_on("\n".join([text(TCP)] * 9).encode())

    assert set(held["authority"].to_pylist()) == {"api.example"}
    assert set(reader.gathered["istio_text"].take()["authority"].to_pylist()) == {None}


def test_a_block_with_a_renamed_key_leaves_nothing_in_the_gathering() -> None:
    reader = BlockReader()
    reader.gather()
    reader.read_on("\n".join([as_json(HTTP)] * 9).encode())

    parsed = reader.read_on("\n".join([as_json(TCP)] * 9 + [RENAMED]).encode())

    assert (parsed.held, parsed.lines) == ([], 10)
    assert len(reader.gathered["istio_json"].take()["authority"]) == 9


def test_extras_stay_with_the_rows_of_the_blocks_that_have_any() -> None:
    reader = BlockReader()
    reader.gather()
    for _ in range(2):
        for line in (as_json(HTTP), EXTRA, as_json(TCP), EXTRA):
            reader.read_on("\n".join([line] * 9).encode())

        extras = reader.gathered["istio_json"].take()["extra"].to_pylist()

        assert extras == [None] * 9 + ['{"team":"blue"}'] * 9 + [None] * 9 + ['{"team":"blue"}'] * 9
