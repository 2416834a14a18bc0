"""Access logs that went through a service: Envoy's gRPC log service, OpenTelemetry, Google Cloud Logging."""

import functools
import itertools
import json
import operator
from pathlib import Path
from typing import Any

import pytest

from analyzer.execution.local import ingest
from analyzer.store import Lake, Tally
from analyzer.vocabulary import ACCESS_LOG_FIELDS
from tests.lines import (
    BLOCKED_HTTP,
    BLOCKED_TCP,
    HTTP,
    als,
    als_entry,
    as_json,
    fields,
    gcp,
    gcp_entry,
    otlp,
    renamed_json,
    snake,
    text,
    ztunnel_json,
)
from tests.rows import parse, row

PASSED = {
    **HTTP,
    "authority": "api.example.com",
    "upstream_cluster": "PassthroughCluster",
    "route_name": "allow_any",
    "x_forwarded_for": None,
}
FAILED = {
    "response_code": 0,
    "response_flags": "UF,URX",
    "upstream_cluster": "outbound|443||db.example.com",
    "downstream_local_address": "203.0.113.10:443",
    "requested_server_name": "db.example.com",
}
STORIES = {"passed": PASSED, "blocked": BLOCKED_HTTP, "blocked tcp": BLOCKED_TCP, "failed": FAILED}
COLUMNS = ["origin", "line_number", "host", "egress_class", "source_pod", "source_namespace", "log_format"]


def lake_of(folder: Path, *lines: str) -> tuple[Tally, list[dict[str, Any]]]:
    (folder / "a.log").write_text("\n".join(lines) + "\n")
    tally = ingest([str(folder / "a.log")], str(folder / "lake"))
    entries = [entry for batch in Lake(folder / "lake").entries(COLUMNS) for entry in batch.to_pylist()]
    assert tally.lines == tally.entries + tally.rejected + tally.duplicates
    return tally, entries


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
@pytest.mark.parametrize("write", [als, lambda s: json.dumps(snake(als_entry(s)))], ids=["camelCase", "snake_case"])
def test_an_entry_of_the_log_service_tells_what_a_json_line_tells(write: Any, story: dict[str, Any]) -> None:
    ours, theirs = row(write(story)), row(as_json(story))

    told = (*ACCESS_LOG_FIELDS, "egress_class", "host", "result", "destination_ip", "destination_port")
    assert {name: ours[name] for name in told} == {name: theirs[name] for name in told}


def test_an_entry_that_is_not_the_last_of_its_stream_is_refused() -> None:
    entry = als_entry(BLOCKED_TCP)
    entry["commonProperties"]["intermediateLogEntry"] = True

    assert [rejection.reason for rejection in parse(json.dumps(entry)).rejected] == ["intermediate"]


def test_a_message_of_the_log_service_counts_as_many_lines_as_it_has_entries(tmp_path: Path) -> None:
    node = {"node": {"id": "sidecar~10.0.0.1~web-0.shop~shop.svc.cluster.local"}}
    message = {"identifier": node, "httpLogs": {"logEntry": [als_entry(PASSED), als_entry(BLOCKED_HTTP), {"x": 1}]}}

    tally, entries = lake_of(tmp_path, json.dumps(message))

    assert (tally.lines, tally.entries, tally.rejected) == (3, 2, 1)
    assert {(entry["source_namespace"], entry["source_pod"], entry["line_number"]) for entry in entries} == {
        ("shop", "web-0", 1)
    }


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_traffic_log_of_google_cloud_tells_where_an_entry_went(story: dict[str, Any]) -> None:
    ours, theirs = row(gcp(story)), row(as_json(story))

    told = ("egress_class", "host", "result", "destination_ip", "destination_port", "bytes_sent", "user_agent", "path")
    assert {name: ours[name] for name in told} == {name: theirs[name] for name in told}


def test_a_traffic_log_names_its_client_on_either_side(tmp_path: Path) -> None:
    server = gcp_entry(HTTP, side="server", upstream_cluster="inbound|80||", authority="web")
    server["labels"] |= {"source_name": "caller-0", "source_namespace": "callers"}

    _, entries = lake_of(tmp_path, gcp(PASSED), json.dumps(server))

    assert sorted((entry["source_namespace"], entry["source_pod"], entry["egress_class"]) for entry in entries) == [
        ("callers", "caller-0", "inbound"),
        ("shop", "shop-5b8c7d6f49-m4v9t", "passthrough"),
    ]


def test_a_connection_that_is_still_open_is_counted_when_it_closes() -> None:
    entry = gcp_entry(BLOCKED_TCP)
    entry["labels"]["connection_state"] = "OPEN"

    assert [rejection.reason for rejection in parse(json.dumps(entry)).rejected] == ["intermediate"]


@pytest.mark.parametrize(
    "line",
    [
        otlp(text(PASSED) + "\n", text(BLOCKED_TCP) + "\n"),
        otlp(json.loads(as_json(PASSED)), json.loads(as_json(BLOCKED_TCP))),
        otlp(text(PASSED), text(BLOCKED_TCP), scopes="instrumentationLibraryLogs"),
        otlp(json.loads(renamed_json(PASSED)), json.loads(renamed_json(BLOCKED_TCP))),
    ],
    ids=["text", "objects", "an older collector", "renamed keys"],
)
def test_log_records_of_opentelemetry_are_as_many_lines(tmp_path: Path, line: str) -> None:
    tally, entries = lake_of(tmp_path, line)

    assert (tally.lines, tally.entries, tally.envelopes) == (2, 2, {"otlp": 2})
    assert sorted(entry["egress_class"] for entry in entries) == ["blocked", "passthrough"]
    assert {entry["source_pod"] for entry in entries} == {"shop-5b8c7d6f49-m4v9t"}


def test_attributes_that_tell_an_entry_are_preferred_to_a_body_that_does_not(tmp_path: Path) -> None:
    strings = {name: "-" if value is None else str(value) for name, value in fields(BLOCKED_HTTP).items()}

    _, entries = lake_of(tmp_path, otlp("GET done", attributes=strings))

    assert [(entry["egress_class"], entry["log_format"]) for entry in entries] == [("blocked", "istio_json")]


def test_a_log_record_may_hold_the_log_of_an_application(tmp_path: Path) -> None:
    tally, entries = lake_of(tmp_path, otlp("server started", attributes={"level": "info"}), otlp())

    assert (entries, tally.rejected_by_reason) == ([], {"not_an_access_log": 2})


def test_an_export_of_many_kinds_loses_no_line(tmp_path: Path) -> None:
    tally, entries = lake_of(
        tmp_path,
        json.dumps([gcp_entry(PASSED), {"logName": "x", "resource": {}, "textPayload": "hello"}]),
        als(BLOCKED_TCP),
        ztunnel_json(),
        "junk",
    )

    assert (tally.lines, tally.entries, tally.rejected) == (5, 3, 2)
    assert sorted(entry["line_number"] for entry in entries) == [1, 2, 3]


def leaves(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every value of an object, to objects too."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way for key, inner in pairs for way in ((*before, key), *leaves(inner, (*before, key)))]


ODD: list[Any] = ["http://[x:80/", "http://a:٣/", "[x:80", "a\u2100b:80", "a:99999", "", "-", "9" * 30, "0x1", "\ud800"]
ODD += [-1, 1.5, 10**30, True, None, [], {}, ["x"], {"x": 1}]
ENTRIES = [gcp_entry(HTTP, authority="a.example"), gcp_entry(BLOCKED_TCP), als_entry(HTTP, authority="a.example")]
ENTRIES += [als_entry(BLOCKED_TCP), json.loads(ztunnel_json(service="a.example")), json.loads(renamed_json(HTTP))]


@pytest.mark.parametrize("entry", ENTRIES)
def test_nothing_in_an_entry_is_too_odd_to_be_read_or_rejected(entry: dict[str, Any]) -> None:
    lines = []
    for way, odd in itertools.product(leaves(entry), ODD):
        changed = json.loads(json.dumps(entry))
        holder = functools.reduce(operator.getitem, way[:-1], changed)
        holder[way[-1]] = odd
        lines.append(json.dumps(changed))

    parsed = parse(*lines)

    assert parsed.lines == len(lines)
    assert sum(map(len, parsed.entries)) > len(lines) / 2
