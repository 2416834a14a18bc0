"""The kernel against the two other readers: what it reads, they read alike; what it does not read is handed back."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analyzer.parsing import known_formats, native
from analyzer.parsing.block import as_text
from analyzer.parsing.json_lines import JsonFormat
from analyzer.parsing.native import built_in, library
from analyzer.parsing.parsed import Reading
from analyzer.parsing.text import TextFormat
from tests.fuzzing import laws
from tests.fuzzing.laws import same
from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, HTTP, TCP, as_json, text

pytestmark = pytest.mark.skipif(library() is None, reason="no C compiler was at hand when this was installed")

TEXT = known_formats()["istio_text"]
JSON = known_formats()["istio_json"]
LABELLED = [
    json.loads(line)["line"]
    for line in (Path(__file__).parents[1] / "data" / "labelled_lines.jsonl").read_text().splitlines()
]
HONEST = [text(base) for base in (HTTP, TCP, BLOCKED_HTTP, BLOCKED_TCP)]
OBJECTS = [as_json(base) for base in (HTTP, TCP, BLOCKED_HTTP, BLOCKED_TCP)]
SHARDS = st.sampled_from(
    ['"', '" "', " ", "-", "\\", '\\"', "\\u00e9", "\\ud800", "{", "}", ",", ":", '""', "é", "0", "00", "99999", "\t"]
)


@st.composite
def damaged(draw: st.DrawFn, lines: list[str]) -> str:
    """A line with a stretch cut out and something else in its place, a few times."""
    line = draw(st.sampled_from(lines))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(line)))
        stop = draw(st.integers(start, min(len(line), start + 20)))
        line = line[:start] + draw(SHARDS | st.text(max_size=4)) + line[stop:]
    return line.replace("\n", " ").replace("\r", " ").replace("\0", " ").encode("utf-8", "replace").decode()


def read(log_format: Any, data: bytes) -> Reading:
    reading: Reading = log_format.read(data)
    return reading


def values(reading: Reading) -> dict[int, dict[str, Any]]:
    """What was read, by line; a format that logs nothing else has the column of extras as well as not."""
    return {line: {"extra": None} | row for line, row in laws.values(reading).items()}


def alike(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Whether two rows are the same; a column that a reading lacks is missing."""
    return all(ours.get(name) == theirs.get(name) for name in ours.keys() | theirs.keys())


def as_the_careful_reader_says(log_format: Any, line: str) -> dict[str, str] | None:
    found = log_format.read_line(as_text(line.encode()))
    return None if found is None or found.tampered else found.values


@given(st.lists(damaged(HONEST), max_size=6), st.booleans())
@example(
    ['[2024-01-09T15:35:47.283Z] "- - -" 0 - - - "-" 0 0 1 - "-" "-"-"-" "-" "-" - - 1.1.1.1:1 1.1.1.1:2 - -'], True
)
def test_every_text_line_is_a_row_or_comes_back_untouched(lines: list[str], ended: bool) -> None:
    data = ("\n".join(lines) + "\n" * ended).encode()

    reading = read(TEXT, data)

    there = {number: line.encode() for number, line in enumerate(lines) if line}
    assert set(values(reading)) | {number for number, _ in reading.odd} == set(there)
    assert len(values(reading)) + len(reading.odd) == len(there)
    assert all(there[number] == line for number, line in reading.odd)


@given(damaged(HONEST))
def test_a_text_line_that_the_kernel_reads_means_the_same_to_the_careful_reader(line: str) -> None:
    ours = values(read(TEXT, line.encode())).get(0)

    theirs = as_the_careful_reader_says(TEXT, line)

    assert ours is None or theirs is None or same(ours, theirs)


@given(damaged(OBJECTS))
def test_an_object_that_the_kernel_reads_means_the_same_to_the_careful_reader(line: str) -> None:
    ours = values(read(JSON, line.encode())).get(0)

    theirs = as_the_careful_reader_says(JSON, line)

    assert ours is None or (theirs is not None and same(ours, theirs))


@given(st.lists(damaged(HONEST), max_size=6))
def test_arrow_reads_a_text_line_as_the_kernel_does(lines: list[str]) -> None:
    assert isinstance(TEXT, TextFormat)
    data = "\n".join(lines).encode()

    ours, theirs = values(read(TEXT, data)), values(TEXT.read_by_arrow(data))

    assert all(alike(ours[number], theirs[number]) for number in ours.keys() & theirs.keys())


@given(st.lists(damaged(OBJECTS), max_size=6))
def test_arrow_reads_an_object_as_the_kernel_does(lines: list[str]) -> None:
    assert isinstance(JSON, JsonFormat)
    data = "\n".join(lines).encode()

    ours, theirs = values(read(JSON, data)), values(JSON.read_by_arrow(data))

    assert all(alike(ours[number], theirs[number]) for number in ours.keys() & theirs.keys())


@pytest.mark.parametrize("name", [name for name, kind in known_formats().items() if isinstance(kind, TextFormat)])
def test_real_lines_read_alike_by_all_three(name: str) -> None:
    log_format = known_formats()[name]
    assert isinstance(log_format, TextFormat)
    data = "\n".join(line for line in LABELLED if "\n" not in line and "\r" not in line).encode()

    ours, theirs = values(read(log_format, data)), values(log_format.read_by_arrow(data))

    assert ours == theirs


def test_honest_lines_are_read_by_the_kernel() -> None:
    assert len(values(read(TEXT, "\n".join(HONEST).encode()))) == len(HONEST)
    assert len(values(read(JSON, "\n".join(OBJECTS).encode()))) == len(OBJECTS)


@pytest.mark.parametrize(
    "written",
    ["2024-02-29T23:59:59Z", "2024-01-09T15:35:47.2Z", "1969-12-31T23:59:59.999999Z", "2000-03-01T00:00:00.123456789Z"],
)
def test_a_time_of_any_fraction_is_read_to_the_microsecond(written: str) -> None:
    ours = values(read(TEXT, text(HTTP, start_time=written).encode()))[0]["start_time"]

    assert ours == values(TEXT.read_by_arrow(text(HTTP, start_time=written).encode()))[0]["start_time"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("written", ["2023-02-29T00:00:00Z", "2024-01-09T24:00:00Z", "2024-13-01T00:00:00Z", "", "-"])
def test_a_line_without_a_real_time_is_odd(written: str) -> None:
    assert values(read(TEXT, text(HTTP, start_time=written).encode())) == {}


def test_escapes_in_an_object_are_undone() -> None:
    (entry,) = values(read(JSON, as_json(HTTP, user_agent='a"b\\c\t/é').encode())).values()

    assert entry["user_agent"] == 'a"b\\c\t/é'


def test_a_key_that_stands_twice_is_left_to_the_careful_reader() -> None:
    twice = as_json(HTTP).replace("{", '{"response_flags": "UH", ', 1)

    assert values(read(JSON, twice.encode())) == {}


def test_a_dictionary_of_many_values_keeps_each(tmp_path: Path) -> None:
    lines = [text(HTTP, authority=f"host-{number}.example") for number in range(5000)]

    entries = values(read(TEXT, "\n".join(lines).encode()))

    assert [entries[number]["authority"] for number in range(5000)] == [f"host-{n}.example" for n in range(5000)]


def test_a_kernel_that_was_built_from_another_source_is_not_used(tmp_path: Path) -> None:
    for file in Path(native.__file__).parent.glob("*.*"):
        shutil.copy(file, tmp_path)
    assert built_in(tmp_path) is not None
    with (tmp_path / "text.h").open("a") as source:
        source.write("\n")
    assert built_in(tmp_path) is None
