"""The same traffic, told in every format, is the same evidence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.evidence import gather, merge
from analyzer.execution.local import ingest
from analyzer.parsing import known_formats
from analyzer.parsing.operators import FIELD_OPERATORS, take_apart
from analyzer.parsing.text import TextFormat
from analyzer.store import Lake
from tests.lines import als, als_entry, as_json, fields, gcp, otlp, renamed_json, ztunnel_json, ztunnel_text
from tests.rows import parse, row

Line = dict[str, Any]
Write = Callable[[Line], str]

_HTTP = {
    "method": "GET",
    "path": "/v1",
    "protocol": "HTTP/1.1",
    "response_code": 200,
    "response_code_details": "via_upstream",
    "user_agent": "curl/8.5.0",
    "request_id": "id-1",
    "authority": "api.example.com",
    "upstream_local_address": "10.0.0.1:40000",
    "downstream_local_address": "203.0.113.10:80",
    "bytes_received": 7,
    "bytes_sent": 90,
}
_TCP = {"response_code": 0, "downstream_local_address": "203.0.113.20:5432", "bytes_received": 79, "bytes_sent": 1028}
PASSED_TCP = _TCP | {"upstream_host": "203.0.113.20:5432", "upstream_cluster": "PassthroughCluster"}
REGISTERED_TCP = _TCP | {"upstream_host": "203.0.113.20:5432", "upstream_cluster": "outbound|5432||db.example.com"}
STORY: list[Line] = [
    _HTTP | {"upstream_host": "203.0.113.10:80", "upstream_cluster": "PassthroughCluster", "route_name": "allow_any"},
    _HTTP
    | {"response_code": 502, "response_code_details": "direct_response", "route_name": "block_all", "bytes_sent": 0}
    | {"authority": "blocked.example.com", "upstream_local_address": None},
    _HTTP
    | {"upstream_host": "198.51.100.7:80", "upstream_cluster": "outbound|80||api.example.com", "route_name": "default"},
    _TCP | {"response_flags": "UH", "upstream_cluster": "BlackHoleCluster", "bytes_received": 0, "bytes_sent": 0},
    PASSED_TCP,
    REGISTERED_TCP | {"requested_server_name": "db.example.com"},
    REGISTERED_TCP | {"response_flags": "UF,URX", "upstream_cluster": "outbound|5432||db.example.com"},
]
FORMATS = {
    name: log_format.format_string for name, log_format in known_formats().items() if isinstance(log_format, TextFormat)
}
CUSTOM = {
    "bars": "%START_TIME(%s.%3f)%|%REQ(:METHOD)%|%PROTOCOL%|%RESPONSE_CODE%|%RESPONSE_FLAGS_LONG%|%BYTES_RECEIVED%"
    "|%BYTES_SENT%|%REQ(:AUTHORITY)%|%UPSTREAM_HOST%|%UPSTREAM_CLUSTER%|%DOWNSTREAM_LOCAL_ADDRESS%"
    "|%REQUESTED_SERVER_NAME%|%ROUTE_NAME%|%RESPONSE_CODE_DETAILS%|%REQ(USER-AGENT)%",
    "pairs": 'at=%START_TIME(%Y-%m-%dT%H:%M:%S.%6fZ)% agent="%REQ(USER-AGENT)%" code=%RESPONSE_CODE% '
    "flags=%RESPONSE_FLAGS% why=%RESPONSE_CODE_DETAILS% in=%BYTES_RECEIVED% out=%BYTES_SENT% m=%REQ(:METHOD)% "
    'v=%PROTOCOL% host="%REQ(:AUTHORITY)%" to=%UPSTREAM_HOST% c=%UPSTREAM_CLUSTER% sni=%REQUESTED_SERVER_NAME% '
    "dst=%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%:%DOWNSTREAM_LOCAL_PORT% route=%ROUTE_NAME%",
    "template": json.dumps(
        {"t": "%START_TIME%", "http": {"m": "%REQ(:METHOD)%", "v": "%PROTOCOL%", "code": "%RESPONSE_CODE%"}}
        | {"f": "%RESPONSE_FLAGS%", "why": "%RESPONSE_CODE_DETAILS%", "a": "%REQ(:AUTHORITY)%", "r": "%ROUTE_NAME%"}
        | {"bytes": "%BYTES_RECEIVED% %BYTES_SENT%", "u": "%UPSTREAM_HOST%", "c": "%UPSTREAM_CLUSTER%"}
        | {"d": "%DOWNSTREAM_LOCAL_ADDRESS%", "s": "%REQUESTED_SERVER_NAME%", "ua": "%REQ(USER-AGENT)%"}
    ),
}
_LONG_FLAGS = {"UH": "NoHealthyUpstream", "UF": "UpstreamConnectionFailure", "URX": "UpstreamRetryLimitExceeded"}


def rendered(format_string: str, line: Line, missing: str = "-") -> str:
    """A line as Envoy would write it."""
    first, parts = take_apart(format_string)
    written = fields(line)
    return first + "".join(_value(operator.name, operator.key, written, missing) + text for operator, text in parts)


def _value(name: str, key: str, line: Line, missing: str) -> str:
    address, _, port = line["downstream_local_address"].rpartition(":")
    known = {
        "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT": address,
        "DOWNSTREAM_LOCAL_PORT": port,
        "START_TIME(%s.%3f)": "1772445600.000",
        "START_TIME(%Y-%m-%dT%H:%M:%S.%6fZ)": "2026-03-02T10:00:00.000000Z",
        "RESPONSE_FLAGS_LONG": ",".join(_LONG_FLAGS[f] for f in (line["response_flags"] or "").split(",") if f),
    }
    if key in known:
        return known[key] or missing
    field = next((field for field, keys in FIELD_OPERATORS.items() if key in keys), None)
    value = None if field is None else line[field]
    return missing if value is None else str(value)


def rendered_json(template: str, line: Line) -> str:
    def fill(value: Any) -> Any:
        return {k: fill(v) for k, v in value.items()} if isinstance(value, dict) else rendered(value, line)

    return json.dumps(fill(json.loads(template)))


def evidence(folder: Path, lines: list[str], log_format: str | None = None) -> list[tuple[Any, ...]]:
    (folder / "a.log").write_text("\n".join(lines) + "\n")
    labels = {"source_namespace": "shop", "source_workload": "shop"}
    tally = ingest([str(folder / "a.log")], str(folder / "lake"), labels=labels, log_format=log_format)
    assert (tally.rejected, tally.lines) == (0, tally.entries)
    return [
        (d.key, d.entries, d.by_class, d.by_result, d.bytes_received, d.bytes_sent, d.first_seen, d.host_sources)
        for d in gather(merge(Lake(folder / "lake").summaries() or ()))
    ]


def told_in_json(folder: Path, story: list[Line]) -> list[tuple[Any, ...]]:
    (folder / "json").mkdir()
    return evidence(folder / "json", [as_json(line) for line in story])


WRITERS: dict[str, Write] = {
    "istio_json": as_json,
    "json_by_alias": renamed_json,
    "envoy_als": als,
    "gcp_accesslog": gcp,
    "all strings": lambda line: json.dumps({k: "-" if v is None else str(v) for k, v in fields(line).items()}),
    "absent keys": lambda line: json.dumps({k: v for k, v in json.loads(as_json(line)).items() if v is not None}),
    "OTLP": lambda line: otlp(rendered(FORMATS["istio_text"], line) + "\n"),
    **{name: lambda line, f=text: rendered(f, line) for name, text in FORMATS.items() if name != "envoy_text"},  # type: ignore[misc]
    **{
        f"{name}, empty values left out": lambda line, f=text: rendered(f, line, missing="")  # type: ignore[misc]
        for name, text in FORMATS.items()
        if name != "envoy_text"
    },
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("times", [1, 30], ids=["line by line", "by the column"])
def test_the_same_traffic_is_the_same_evidence(tmp_path: Path, name: str, times: int) -> None:
    lines = [WRITERS[name](line) for line in STORY * times]

    assert evidence(tmp_path, lines) == told_in_json(tmp_path, STORY * times)


@pytest.mark.parametrize("name", CUSTOM)
def test_a_format_of_ones_own_is_the_same_evidence(tmp_path: Path, name: str) -> None:
    write = rendered_json if name == "template" else rendered

    lines = [write(CUSTOM[name], line) for line in STORY]

    assert evidence(tmp_path, lines, CUSTOM[name]) == told_in_json(tmp_path, STORY)


@pytest.mark.parametrize("write", [ztunnel_text, ztunnel_json], ids=["text", "json"])
def test_ambient_tells_of_connections_what_a_sidecar_does(tmp_path: Path, write: Any) -> None:
    addresses = {"dst__addr": "203.0.113.20:5432"}

    assert evidence(tmp_path, [write(**addresses), write(service="db.example.com", **addresses)]) == told_in_json(
        tmp_path, [PASSED_TCP, REGISTERED_TCP]
    )


def test_envoys_own_format_tells_who_was_asked_and_not_by_whose_leave(tmp_path: Path) -> None:
    lines = [rendered(FORMATS["envoy_text"], line) for line in STORY]

    found = evidence(tmp_path, lines)

    assert {key.host for key, *_ in found} == {"api.example.com", "blocked.example.com", None}
    assert {egress_class for _, _, by_class, *_ in found for egress_class in by_class} == {"unclassified"}


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "envoy_text"])
@pytest.mark.parametrize("missing", ["-", ""])
def test_a_family_is_known_by_its_shape_alone(name: str, missing: str) -> None:
    for line in STORY:
        assert row(rendered(FORMATS[name], line, missing))["log_format"] == name


EVERY = [write(line) for write in WRITERS.values() for line in STORY] + [ztunnel_text(), json.dumps([als_entry(_HTTP)])]


@given(st.data())
def test_no_line_of_any_format_is_lost_whatever_was_done_to_it(data: st.DataObject) -> None:
    """The law of the tally over all formats at once."""
    block = bytearray("\n".join(data.draw(st.lists(st.sampled_from(EVERY), min_size=1, max_size=6))).encode())
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(block)))
        block[place : place + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=3))

    parsed = parse(bytes(block))

    wanted = [n for n, line in enumerate(bytes(block).replace(b"\r\n", b"\n").split(b"\n")) if line.strip()]
    read = [line for entries in parsed.entries for line in entries.lines.tolist()]
    assert sorted(read + [rejection.line for rejection in parsed.rejected]) == wanted
