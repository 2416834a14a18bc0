"""The same traffic as text and as JSON: what a client wrote into the one must not read otherwise than in the other."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.parsing import known_formats
from analyzer.parsing.text import TextFormat
from analyzer.vocabulary import ACCESS_LOG_FIELDS
from tests.hostile.envoy import (
    CLIENT_WRITTEN,
    HEADER,
    RIGHT_END,
    Record,
    as_json,
    as_text,
    connections,
    requests,
    true_values,
)
from tests.rows import parse, row

ISTIO = known_formats()["istio_text"]
TEXTS = [log_format for log_format in known_formats().values() if isinstance(log_format, TextFormat)]
PLACE = ("host", "host_source", "destination_ip", "destination_port")
LEAVE = ("direction", "egress_class", "mechanism")
SOURCE = "downstream_remote_address"
SANITISED = st.sampled_from([None, b"www.example.com", b"invalid:a_b", b"1.2.3.4", b"-"])


def the_rows(record: Record) -> tuple[dict[str, Any], dict[str, Any]]:
    return row(as_text(record, ISTIO.format_string)), row(as_json(record))


def lies(entry: dict[str, Any], record: Record, names: tuple[str, ...]) -> dict[str, Any]:
    """Fields that say something and not the truth."""
    truth = true_values(record)
    return {name: entry[name] for name in names if entry[name] not in (None, truth[name])}


def proxy_written(log_format: TextFormat) -> tuple[str, ...]:
    kept = log_format.fields - {*CLIENT_WRITTEN, "start_time", SOURCE, "upstream_service_time"}
    return tuple(name for name in ACCESS_LOG_FIELDS if name in kept)


@settings(max_examples=400)
@given(requests())
def test_hostile_text_reads_as_its_json_twin_in_all_that_a_client_cannot_forge(record: Record) -> None:
    text, json = the_rows(record)

    assert {name: text[name] for name in RIGHT_END} == {name: json[name] for name in RIGHT_END}
    assert text["start_time"] == json["start_time"]
    assert {name: text[name] for name in PLACE} == {name: json[name] for name in PLACE}
    assert text["mechanism"] == "insufficient_fields" or {name: text[name] for name in LEAVE} == {
        name: json[name] for name in LEAVE
    }
    assert (
        json["egress_class"] not in ("blocked", "passthrough", "registered") or text["mechanism"] == json["mechanism"]
    )
    assert lies(text, record, proxy_written(ISTIO)) == {}
    if not text["tampered"]:
        assert {name: text[name] for name in ACCESS_LOG_FIELDS} == {name: json[name] for name in ACCESS_LOG_FIELDS}


@settings(max_examples=100)
@given(connections(SANITISED))
def test_a_connection_reads_the_same_in_both(record: Record) -> None:
    text, json = the_rows(record)

    names = (*ACCESS_LOG_FIELDS, *PLACE, *LEAVE)
    assert {name: text[name] for name in names} == {name: json[name] for name in names}


@pytest.mark.parametrize("log_format", TEXTS, ids=lambda log_format: log_format.name)
@settings(max_examples=120)
@given(record=requests())
def test_no_request_makes_a_text_format_say_what_is_not_true(log_format: TextFormat, record: Record) -> None:
    entry = row(as_text(record, log_format.format_string))

    assert lies(entry, record, proxy_written(log_format)) == {}


@settings(max_examples=200)
@given(connections(HEADER))
def test_an_old_proxy_that_logs_any_server_name_tells_no_lie_left_of_it(record: Record) -> None:
    for entries in parse(as_text(record, ISTIO.format_string)).entries:
        assert len(entries) == 1
        entry = row(as_text(record, ISTIO.format_string))
        names = tuple(name for name in proxy_written(ISTIO) if name not in ("requested_server_name", "route_name"))
        assert lies(entry, record, names) == {}


@given(requests(), st.sampled_from([b'x" "good.example', b'a b" "good.example', b'"good.example']))
def test_a_proxy_that_takes_any_host_is_not_believed_about_it(record: Record, host: bytes) -> None:
    old = known_formats()["istio_text_1_1"]
    assert isinstance(old, TextFormat)

    entry = row(as_text(record | {"authority": host}, old.format_string))

    assert entry["authority"] is None
