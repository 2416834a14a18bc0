import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsing import BlockReader, known_formats
from analyzer.vocabulary import ACCESS_LOG_FIELDS
from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, HTTP, as_json, text
from tests.rows import parse, row, rows

FORGED_AGENT = 'x" 200 - via_upstream - "-" 5 5 1 1 "-" "curl'


def test_an_honest_line_gives_every_field() -> None:
    entry = row(text(HTTP, authority="api.example.com", upstream_cluster="PassthroughCluster", route_name="allow_any"))

    assert entry["authority"] == "api.example.com"
    assert entry["response_code"] == 200
    assert entry["start_time"].isoformat() == "2026-03-02T10:00:00+00:00"
    assert entry["x_forwarded_for"] is None
    assert not entry["tampered"]


@pytest.mark.parametrize("line", [BLOCKED_HTTP, BLOCKED_TCP, HTTP], ids=["blocked http", "blocked tcp", "http"])
def test_text_and_json_of_one_line_are_the_same_entry(line: dict[str, object]) -> None:
    from_text, from_json = row(text(line)), row(as_json(line))

    assert {name: from_text[name] for name in ACCESS_LOG_FIELDS} == {
        name: from_json[name] for name in ACCESS_LOG_FIELDS
    }


@pytest.mark.parametrize("blanks", [" ", "\t", "   ", " \t ", " \r"])
@pytest.mark.parametrize("line", [BLOCKED_HTTP, BLOCKED_TCP])
def test_blanks_round_a_line_are_not_the_proxys(line: dict[str, object], blanks: str) -> None:
    assert row(text(line) + blanks) == row(text(line))
    assert row(blanks.rstrip("\r") + text(line)) == row(text(line))


def test_a_quote_in_an_agent_that_leaves_one_reading_changes_nothing() -> None:
    entry = row(text(BLOCKED_HTTP, user_agent='My "Fancy" App'))

    assert entry["tampered"]
    assert (entry["user_agent"], entry["response_code"]) == ('My "Fancy" App', 502)


def test_a_forged_middle_is_not_believed_and_the_right_end_is() -> None:
    entry = row(text(BLOCKED_HTTP, user_agent=FORGED_AGENT))

    assert entry["tampered"]
    assert entry["response_code"] is None
    assert entry["user_agent"] is None
    assert (entry["authority"], entry["egress_class"]) == ("api.example.com", "blocked")


def test_a_forged_path_does_not_fool_the_outcome() -> None:
    entry = row(
        text(BLOCKED_HTTP, path='/?q=" 200 - via_upstream - "-" 5 5 1 1 "-" "a" "b" "ok.example" "1.2.3.4:80" x')
    )

    assert entry["egress_class"] == "blocked"
    assert entry["host"] == "api.example.com"
    assert entry["response_code"] is None


def test_the_middle_of_another_version_cannot_be_forged_into_a_line() -> None:
    of_1_8 = 'x" 200 - "-" 5 5 1 1 "-" "curl'

    entry = row(text(BLOCKED_HTTP, user_agent=of_1_8))

    assert entry["response_code"] in (None, 502)


def test_a_unicode_line_end_in_an_agent_does_not_end_the_line() -> None:
    entry = row(text(HTTP, user_agent="a\u2028b\u0085c"))

    assert entry["user_agent"] == "a\u2028b\u0085c"


def test_an_agent_that_is_no_utf8_is_read_as_envoy_reads_it_into_json() -> None:
    line = text(HTTP, user_agent="AGENT").encode().replace(b"AGENT", "é".encode() + b"\xff")

    assert row(line)["user_agent"] == "Ã©ÿ"


def test_a_route_name_with_blanks_is_the_rest_of_the_line() -> None:
    assert row(text(HTTP, route_name="my own route"))["route_name"] == "my own route"


def test_a_termination_detail_with_blanks_stays_one_field() -> None:
    entry = row(text(HTTP, connection_termination_details="transport socket timeout was reached"))

    assert entry["connection_termination_details"] == "transport socket timeout was reached"


def test_empty_values_are_missing_values() -> None:
    line = text(HTTP).replace(' - "-" 0', '  "" 0').replace('"-"', '""')

    assert row(line)["x_forwarded_for"] is None


def test_a_line_that_lost_its_beginning_keeps_its_other_fields() -> None:
    entry = row(text(BLOCKED_TCP).split("] ", 1)[1])

    assert (entry["start_time"], entry["egress_class"]) == (None, "blocked")


def test_a_line_that_was_cut_is_truncated() -> None:
    assert [rejection.reason for rejection in parse(text(HTTP)[:120]).rejected] == ["truncated"]


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-02T09:00:01.123456Z\tinfo\txdsproxy\tconnected to upstream XDS server: istiod.istio-system.svc:15012",
        '[Envoy (Epoch 0)] [2026-03-02 09:00:00.123][17][critical][main] assert failure: !"done"',
        '{"level":"info","time":"2026-03-02T09:00:00Z","msg":"probe ok"}',
        "\tat com.acme.Foo.bar(Foo.java:1)",
        "0.0.0.0        5556  ALL        PassthroughCluster",
    ],
)
def test_what_is_no_access_log_is_rejected_as_such(line: str) -> None:
    assert [rejection.reason for rejection in parse(line).rejected] == ["not_an_access_log"]


def test_a_line_cut_inside_quotes_does_not_swallow_the_next() -> None:
    cut, whole = text(HTTP)[:150], text(HTTP, authority="next.example")

    parsed = rows(cut, whole)

    assert [entry["authority"] for entry in parsed] == ["next.example"]


def test_a_huge_line_does_not_harm_its_neighbours() -> None:
    parsed = parse(text(HTTP), "x" * (10 << 20), text(HTTP))

    assert sum(len(entries) for entries in parsed.entries) == 2
    assert [rejection.reason for rejection in parsed.rejected] == ["too_long"]


def test_blank_lines_are_not_counted() -> None:
    assert parse("", text(HTTP), "   ", "").lines == 1


def test_windows_line_ends_are_line_ends() -> None:
    parsed = rows(text(HTTP) + "\r", as_json(HTTP) + "\r")

    assert [entry["log_format"] for entry in parsed] == ["istio_text", "istio_json"]


def test_formats_may_be_mixed_line_by_line() -> None:
    lines = [text(HTTP), as_json(HTTP), "junk", text(BLOCKED_TCP)] * 200

    parsed = parse(*lines)

    assert sum(len(entries) for entries in parsed.entries) == 600
    assert len(parsed.rejected) == 200


@given(st.data())
def test_every_line_is_an_entry_or_a_rejected_line_whatever_was_done_to_it(data: st.DataObject) -> None:
    """The law of the tally: flip bytes, cut lines, put in what does not belong; no line is lost or doubled."""
    lines = [
        data.draw(st.sampled_from([text(HTTP), text(BLOCKED_TCP), as_json(BLOCKED_HTTP), "junk", ""])).encode()
        for _ in range(data.draw(st.integers(1, 12)))
    ]
    block = bytearray(b"\n".join(lines))
    for _ in range(data.draw(st.integers(0, 6))):
        if block:
            place = data.draw(st.integers(0, len(block) - 1))
            block[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    parsed = BlockReader().read(bytes(block))
    wanted = sum(1 for line in bytes(block).replace(b"\r\n", b"\n").split(b"\n") if line.strip())

    assert parsed.lines == wanted
    places = [line for entries in parsed.entries for line in entries.lines.tolist()]
    places += [rejection.line for rejection in parsed.rejected]
    assert len(places) == len(set(places)) == wanted


def test_an_entry_of_a_format_that_was_not_asked_for_is_rejected_as_such() -> None:
    asked_for = [known_formats()["istio_json"]]
    lines = [text(HTTP), text(BLOCKED_TCP)[:80], as_json(HTTP), "none"]

    parsed = BlockReader(asked_for).read("\n".join(lines).encode())

    assert [rejection.reason for rejection in parsed.rejected] == ["other_format", "truncated", "not_an_access_log"]
    assert parsed.lines == 4


def test_json_of_any_age_is_read() -> None:
    strings = {name: "-" if value is None else str(value) for name, value in json.loads(as_json(BLOCKED_TCP)).items()}

    entry = row(json.dumps(strings))

    assert (entry["response_code"], entry["egress_class"], entry["authority"]) == (0, "blocked", None)
