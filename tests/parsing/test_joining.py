"""Records on many physical lines."""

import json
from typing import Any

import pytest

from analyzer.parsing.joining import opens_document, places
from analyzer.parsing.parsed import Reason
from tests.lines import HTTP, TCP, as_json, text
from tests.parsing.test_envelopes import CASES, LINE, SAMPLES, found

WIDE = text(HTTP, authority="api.example.com", path="/" + "a" * 200)
DOCUMENTS = [case for case in CASES if not isinstance(case.values[1], str)]

MARKS = ("GET", "start_time", "commonProperties", "common_properties", "logName")
"""What stands on the first line of a record."""


@pytest.mark.parametrize(("name", "sample", "writers"), DOCUMENTS)
@pytest.mark.parametrize("indent", [0, 2, "\t"])
def test_a_document_over_many_lines_is_read_as_on_one(name: str, sample: Any, writers: list[Any], indent: Any) -> None:
    pretty = json.dumps(sample, indent=indent)
    lines = pretty.split("\n")

    for before, after in (("", ""), (LINE + "\njunk\n", "\n" + LINE)):
        entries, rejected, envelopes = found(before + pretty + after)
        first = before.count("\n")
        inside = [(line, labels) for line, labels in entries if first <= line < first + len(lines)]

        assert [labels for _, labels in inside] == writers
        assert all(any(mark in lines[line - first] for mark in MARKS) for line, _ in inside)
        assert len(entries) == len(writers) + (2 if before else 0)
        assert [line for line, _ in rejected] == ([1] if before else [])
        assert envelopes[name] == len(writers)


def test_entries_over_many_lines_follow_one_another() -> None:
    entry = json.dumps(json.loads(as_json(HTTP, authority="api.example.com")), indent=2)

    entries, rejected, _ = found("\n".join([entry] * 3))

    assert len(entries) == 3
    assert rejected == []


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_of_entries_is_its_entries(indent: int | None) -> None:
    entry = json.loads(as_json(HTTP, authority="api.example.com"))
    one_a_line = "[\n" + ",\n".join([json.dumps(entry)] * 3) + "\n]"
    whole = json.dumps([entry] * 3, indent=indent)

    for written in (one_a_line, whole):
        entries, rejected, envelopes = found(written)

        assert len(entries) == 3
        assert rejected == []
        assert envelopes["json_array"] == 3
        assert len({line for line, _ in entries}) == (1 if "\n" not in written else 3)


def test_of_a_document_that_was_cut_every_line_is_accounted_for() -> None:
    sample = json.dumps(SAMPLES["cloudwatch_events"][0][0], indent=2).split("\n")[:-4]

    entries, rejected, _ = found("\n".join(sample))

    assert [sample[line].strip()[:9] for line, _ in entries] == ['"message"']
    assert sorted(
        [line for line, _ in rejected] + [line for at, _ in entries for line in range(at - 2, at + 3)]
    ) == list(range(len(sample)))


def test_brackets_that_are_never_closed_cost_no_more_than_their_length() -> None:
    assert len(found("[\n" * 20_000)[1]) == 20_000


def test_a_place_that_is_not_found_is_the_documents_first_line() -> None:
    assert places(b'{\n"a": "one",\n"b": "two"\n}', [b"one", b"unknown", b"two"]) == [1, 0, 2]


def wrapped(line: str, width: int) -> str:
    return "\n".join(line[at : at + width] for at in range(0, len(line), width))


@pytest.mark.parametrize("width", [80, 120, 132])
def test_lines_that_a_terminal_wrapped_are_joined(width: int) -> None:
    tcp = text(TCP, upstream_cluster="BlackHoleCluster", response_flags="UH")
    block = "\n".join([wrapped(WIDE, width), wrapped(WIDE, width), wrapped(tcp, width), LINE])

    entries, rejected, _ = found(block)

    assert len(entries) == 4
    assert rejected == []


def test_a_line_that_was_cut_is_never_joined_to_what_follows_by_chance() -> None:
    """Half a line, and half of another without its beginning: together they would be a line that never was."""
    entries, rejected, _ = found(WIDE[:150] + "\n" + WIDE[150:])

    assert entries == []
    assert [line for line, _ in rejected] == [0, 1]


def test_a_line_that_was_folded_at_its_blanks_is_joined() -> None:
    at = LINE.index(' "curl')
    folded = LINE[:at] + "\n  " + LINE[at + 1 :]

    assert [line for line, _ in found(folded + "\n" + LINE)[0]] == [0, 2]


def test_a_stack_trace_behind_a_cut_line_is_not_joined() -> None:
    entries, rejected, _ = found(LINE[:100] + "\n\tat com.acme.Foo.bar(Foo.java:1)\n" + LINE)

    assert [line for line, _ in entries] == [2]
    assert rejected == [(0, Reason.TRUNCATED), (1, Reason.NOT_AN_ACCESS_LOG)]


def test_a_stack_trace_is_no_server_name_and_route_of_a_line_that_was_cut_behind_its_last_address() -> None:
    cut = text(TCP, requested_server_name="-", route_name="-").removesuffix(" - -")

    entries, rejected, _ = found(f"{cut}\n\tat com.acme.Foo.bar(Foo.java:884)\n{LINE}")

    assert [line for line, _ in entries] == [2]
    assert rejected == [(0, Reason.TRUNCATED), (1, Reason.NOT_AN_ACCESS_LOG)]


def test_a_line_that_was_cut_inside_a_string_opens_no_document() -> None:
    assert not opens_document(b'{"start_time":"2026-03-02T09:00:00.001Z","meth')
    assert opens_document(b'{"start_time":"2026-03-02T09:00:00.001Z",')
