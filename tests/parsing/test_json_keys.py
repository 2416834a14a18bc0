"""JSON access logs of every age and with every operator's own keys."""

import json
from pathlib import Path
from typing import Any

import pytest

from analyzer.execution.local import ingest
from analyzer.parsing import known_formats
from analyzer.vocabulary import ACCESS_LOG_FIELDS
from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, HTTP, as_json, fields, renamed_json
from tests.rows import parse, row, rows

STORIES = {"http": HTTP | {"authority": "api.example.com"}, "blocked": BLOCKED_HTTP, "tcp": BLOCKED_TCP}


def of(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in (*ACCESS_LOG_FIELDS, "egress_class", "host", "result")}


def of_1_1(base: dict[str, Any]) -> str:
    strings = {name: "-" if value is None else str(value) for name, value in fields(base).items()}
    for later in ("route_name", "response_code_details", "connection_termination_details"):
        del strings[later]
    del strings["upstream_transport_failure_reason"]
    return json.dumps(strings | {"istio_policy_status": "-", "method": strings["start_time"]})


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_renamed_and_nested_keys_tell_the_same(story: dict[str, Any]) -> None:
    assert of(row(renamed_json(story))) == of(row(as_json(story)))


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_strings_nulls_absent_keys_and_any_order_tell_the_same(story: dict[str, Any]) -> None:
    typed = json.loads(as_json(story))
    strings = {name: "-" if value is None else str(value) for name, value in typed.items()}
    present = {name: value for name, value in typed.items() if value is not None}
    shuffled = dict(sorted(typed.items(), key=lambda item: item[0][::-1]))

    assert [of(row(json.dumps(line))) for line in (strings, present, shuffled)] == [of(row(as_json(story)))] * 3


@pytest.mark.parametrize("times", [1, 80])
def test_the_time_that_istio_1_1_wrote_as_method_is_no_method(times: int) -> None:
    blocked = {**BLOCKED_HTTP, "route_name": None, "response_code_details": None}

    http, tcp = rows(*[of_1_1(blocked), of_1_1({**BLOCKED_TCP, "upstream_cluster": None})] * times)[:2]

    assert (http["method"], http["egress_class"], http["host"]) == (None, "blocked", "api.example.com")
    assert (tcp["method"], tcp["egress_class"], tcp["application_protocol"]) == (None, "blocked", "tcp")


@pytest.mark.parametrize("times", [1, 80])
def test_keys_that_are_no_fields_are_kept_as_extra(times: int) -> None:
    line = json.loads(as_json(HTTP)) | {"trace": 'a"b', "attempts": 1, "ok": True, "none": None, "dash": "-"}

    entries = rows(*[json.dumps(line)] * times)

    assert {entry["extra"] for entry in entries} == {'{"attempts":1,"ok":true,"trace":"a\\"b"}'}
    assert {entry["log_format"] for entry in entries} == {"istio_json"}


def test_istios_own_key_leaves_no_room_for_a_guess() -> None:
    line = json.loads(as_json(HTTP, authority="api.example.com")) | {"host": "node-1", "cluster": "prod-eu"}

    (entry,) = rows(json.dumps(line))

    assert (entry["host"], entry["upstream_cluster"]) == ("api.example.com", None)
    assert entry["extra"] == '{"cluster":"prod-eu","host":"node-1"}'


def test_the_machine_that_shipped_a_log_is_not_its_destination() -> None:
    line = {name: value for name, value in json.loads(as_json(BLOCKED_TCP)).items() if value is not None}

    entry = row(json.dumps(line | {"host": "node-1", "cluster_name": "prod-eu"}))

    assert (entry["host"], entry["application_protocol"], entry["egress_class"]) == (None, "tcp", "blocked")


@pytest.mark.parametrize("written", ["2026-03-02 10:00:00", "2026-03-02T11:00:00.000+01:00", 1772445600, 1772445600000])
def test_a_time_under_another_name_may_have_another_form(written: object) -> None:
    line = json.loads(renamed_json(HTTP)) | {"timestamp": written}

    assert row(json.dumps(line))["start_time"].isoformat() == "2026-03-02T10:00:00+00:00"


@pytest.mark.parametrize(
    "line",
    [
        {"time": "2026-03-02T10:00:00Z", "status": 200, "method": "GET", "path": "/", "host": "a", "bytes_sent": 1},
        {"level": "info", "ts": "2026-03-02T10:00:00Z", "msg": "upstream_cluster", "route": "x", "code": 1},
    ],
    ids=["another server", "a program"],
)
def test_the_log_of_another_server_is_no_access_log(line: dict[str, Any]) -> None:
    assert [rejection.reason for rejection in parse(json.dumps(line)).rejected] == ["not_an_access_log"]


def test_what_was_taken_for_what_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(renamed_json(BLOCKED_HTTP) + "\n")

    tally = ingest([str(tmp_path / "a.log")], str(tmp_path / "lake"))

    assert tally.formats == {"json_by_alias": 1}
    (note,) = tally.notes
    assert "request.host for authority" in note
    assert "downstream.local_address for downstream_local_address" in note


def test_the_kernel_and_arrow_read_objects_with_other_keys_alike() -> None:
    lines = [json.dumps(json.loads(as_json(HTTP)) | more) for more in ({}, {"trace": "x"}, {"nested": {"a": 1}})]
    data = "\n".join([*lines, renamed_json(HTTP)]).encode()

    by_kernel = known_formats()["istio_json"].read(data)
    by_arrow = known_formats()["istio_json"].read_by_arrow(data)  # type: ignore[attr-defined]

    assert [number for number, _ in by_kernel.odd] == [2, 3]
    assert [number for number, _ in by_arrow.odd] == [1, 2, 3]
    assert [entry["extra"] for entry in rows(*lines)] == [None, '{"trace":"x"}', '{"nested.a":1}']
