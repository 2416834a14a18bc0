import pytest

from analyzer.parsing import known_formats
from tests.lines import BLOCKED_HTTP, HTTP, als, as_json, gcp, renamed_json, text, ztunnel_json, ztunnel_text
from tests.rows import row

_HEAD = '[2026-03-02T10:00:00.000Z] "GET / HTTP/1.1" 200 -'
_TAIL = (
    '0 15 3 2 "-" "curl/8.5.0" "id-1" "api.example.com" "203.0.113.10:80" outbound|80||api.example.com '
    "10.0.0.1:40000 203.0.113.10:80 10.0.0.1:50000 -"
)
SAMPLES = {
    "envoy_text": _HEAD + ' 0 15 3 2 "-" "curl/8.5.0" "id-1" "api.example.com" "203.0.113.10:80"',
    "istio_json": as_json(HTTP, authority="api.example.com"),
    "istio_text": text(HTTP, authority="api.example.com"),
    "istio_text_1_0": f"{_HEAD} {_TAIL}",
    "istio_text_1_1": f'{_HEAD} "-" {_TAIL}',
    "istio_text_1_2": f'{_HEAD} "-" "-" {_TAIL}',
    "istio_text_1_3": f'{_HEAD} "-" "-" {_TAIL} default',
    "istio_text_1_8": f'{_HEAD} "-" {_TAIL} default',
    "envoy_als": als(HTTP, authority="api.example.com"),
    "gcp_accesslog": gcp(HTTP, authority="api.example.com"),
    "json_by_alias": renamed_json(HTTP, authority="api.example.com"),
    "ztunnel_json": ztunnel_json(service="api.example.com"),
    "ztunnel_text": ztunnel_text(service="api.example.com"),
}


def test_every_format_has_a_sample() -> None:
    assert set(SAMPLES) == set(known_formats())


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sample_is_recognised_by_its_format_alone(name: str) -> None:
    found = [log_format.name for log_format in known_formats().values() if log_format.read_line(SAMPLES[name])]

    assert found == [name]


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_one_line_and_many_lines_are_read_the_same(name: str) -> None:
    entry = row(SAMPLES[name])

    many = known_formats()[name].read((SAMPLES[name] + "\n").encode() * 50).entries

    assert (entry["log_format"], entry["host"]) == (name, "api.example.com")
    assert many is not None
    assert len(many) == 50
    for field in many.columns.keys() & entry.keys():
        assert many.columns[field].to_pylist() == [entry[field]] * 50, field


def test_blocked_http_of_any_version_with_a_route_name_is_blocked() -> None:
    of_1_8 = (
        '[2026-03-02T10:00:00.000Z] "GET / HTTP/1.1" 502 - "-" 0 0 0 - "-" "curl" "id" "api.example.com" "-" - - '
        "203.0.113.10:80 10.0.0.1:50000 - block_all"
    )

    assert row(of_1_8)["egress_class"] == row(text(BLOCKED_HTTP))["egress_class"] == "blocked"
