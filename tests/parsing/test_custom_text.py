"""Formats that an operator of a mesh wrote, compiled from their format strings."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.errors import UsageError
from analyzer.execution.local import ingest
from analyzer.parsing import BlockReader, format_of, formats_for, known_formats
from analyzer.parsing.custom_text import CustomText
from analyzer.store import Lake
from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, HTTP, text

DEFAULT = known_formats()["istio_text"].format_string  # type: ignore[attr-defined]
BARS = "%START_TIME(%s.%3f)%|%REQ(:METHOD)%|%REQ(:AUTHORITY)%|%UPSTREAM_CLUSTER%|%RESPONSE_FLAGS_LONG%|%BYTES_SENT%"
FORGED_AGENT = 'x" 200 - via_upstream - "-" 5 5 1 1 "-" "curl'


def values(format_string: str, line: str) -> dict[str, str]:
    found = CustomText(format_string).read_line(line)
    assert found is not None
    return found.values


def test_separators_quotes_and_literals_stand_as_the_string_has_them() -> None:
    found = values(
        'at=%START_TIME% "%REQ(USER-AGENT)%"\t<%REQ(:AUTHORITY)%> 100%% [%DOWNSTREAM_LOCAL_ADDRESS%]',
        'at=2026-03-02T10:00:00.000Z "curl 8"\t<api.example.com> 100% [203.0.113.10:80]',
    )

    assert (found["user_agent"], found["authority"]) == ("curl 8", "api.example.com")
    assert found["downstream_local_address"] == "203.0.113.10:80"


def test_a_cluster_keeps_its_bars_in_a_format_of_bars() -> None:
    found = values(BARS, "1527590590.528|GET|a.example|outbound|80||a.example;|NoHealthyUpstream,FaultInjected|5")

    assert found["upstream_cluster"] == "outbound|80||a.example;"
    assert (found["response_flags"], found["bytes_sent"]) == ("UH,FI", "5")


@pytest.mark.parametrize(
    ("pattern", "written", "read"),
    [
        ("%s", "1527590590", "2018-05-29T10:43:10.000000Z"),
        ("%s.%3f", "1527590590.528", "2018-05-29T10:43:10.528000Z"),
        ("%Y/%m/%dT%H:%M:%S%z", "2024/01/09T16:35:47+0100", "2024-01-09T15:35:47.000000Z"),
        ("%Y-%m-%d %H:%M:%S.%6f", "2024-01-09 15:35:47.123456", "2024-01-09T15:35:47.123456Z"),
        ("%F %T.%f", "2024-01-09 15:35:47.123456789", "2024-01-09T15:35:47.123456789Z"),
        ("%d/%b/%Y:%H:%M:%S %z", "09/Jan/2024:15:35:47 +0000", "2024-01-09T15:35:47.000000Z"),
        ("%e %B %Y %I:%M:%S %p", " 9 January 2024 03:35:47 PM", "2024-01-09T15:35:47.000000Z"),
        ("%Y-%m-%dT%H:%M:%E3S%Ez", "2024-01-09T15:35:47.283+00:00", "2024-01-09T15:35:47.283000Z"),
        ("%H:%M:%S", "15:35:47", None),
        ("%Y-%m-%d %H:%M:%S", "-", None),
    ],
)
def test_a_time_is_read_back_as_it_was_written(pattern: str, written: str, read: str | None) -> None:
    found = values(f"%START_TIME({pattern})% %RESPONSE_CODE% %RESPONSE_FLAGS%", f"{written} 200 UH")

    assert found.get("start_time") == read


def test_a_local_time_without_its_zone_is_no_moment() -> None:
    assert "start_time" not in values(
        "%START_TIME_LOCAL(%F %T)% %RESPONSE_CODE% %PROTOCOL%", "2024-01-09 15:35:47 200 HTTP/1.1"
    )


def test_pod_and_namespace_become_the_source() -> None:
    found = values(
        "%ENVIRONMENT(POD_NAME)% %ENVIRONMENT(POD_NAMESPACE)% %HOSTNAME% %UPSTREAM_HOST%",
        "web-0 shop node 203.0.113.10:80",
    )

    assert (found["source_pod"], found["source_namespace"], found["extra"]) == ("web-0", "shop", '{"HOSTNAME":"node"}')


def test_an_operator_that_nobody_knows_is_kept_as_extra() -> None:
    found = values('%RESPONSE_CODE% %UPSTREAM_HOST% "%REQ(X-Tenant)%" %NEW_THING(a b)%', '200 - "acme" 7')

    assert found["extra"] == '{"NEW_THING(a b)":"7","REQ(X-TENANT)":"acme"}'


def test_a_name_that_may_have_been_cut_is_not_taken_for_a_name() -> None:
    format_string = "%REQ(:AUTHORITY):11% %REQ(USER-AGENT):4% %RESPONSE_CODE%"

    assert values(format_string, "api.example curl 200") == {
        "extra": '{"REQ(:AUTHORITY)":"api.example"}',
        "user_agent": "curl",
        "response_code": "200",
    }
    assert values(format_string, "a.example curl 200")["authority"] == "a.example"


def test_the_direct_address_stands_in_where_a_header_replaced_the_client() -> None:
    format_string = "%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS% %RESPONSE_CODE%"

    assert values(format_string, "1.2.3.4:0 10.0.0.1:5000 200")["downstream_remote_address"] == "10.0.0.1:5000"
    assert values(format_string, "1.2.3.4:9 10.0.0.1:5000 200")["downstream_remote_address"] == "1.2.3.4:9"


def test_an_address_and_its_port_are_one_address() -> None:
    found = values(
        "%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_LOCAL_PORT% %RESPONSE_CODE%", "2001:db8::1 443 0"
    )

    assert found["downstream_local_address"] == "[2001:db8::1]:443"


@pytest.mark.parametrize(
    ("line", "cluster"),
    [
        ("PassthroughFilterChain UH - 0", "BlackHoleCluster"),
        ("PassthroughFilterChain - 203.0.113.10:443 0", "PassthroughCluster"),
        ("virtualOutbound-catchall-tcp - 203.0.113.10:443 0", "PassthroughCluster"),
        ("0.0.0.0_443 - 203.0.113.10:443 0", None),
        ("PassthroughFilterChain - - 0", None),
    ],
)
def test_the_filter_chain_says_what_the_cluster_would(line: str, cluster: str | None) -> None:
    found = values("%FILTER_CHAIN_NAME% %RESPONSE_FLAGS% %UPSTREAM_HOST% %RESPONSE_CODE%", line)

    assert found.get("judged_cluster") == cluster


def test_a_string_of_istios_own_is_istios_own_format() -> None:
    assert format_of(DEFAULT + "\n").name == "istio_text"
    assert format_of(DEFAULT.replace("_RAW", "")).name == "istio_text"


def test_a_string_that_is_cut_says_so() -> None:
    with pytest.raises(UsageError, match="no command operator"):
        formats_for("%START_TIME% %REQ(:METHOD) x")
    with pytest.raises(UsageError, match="fewer than"):
        formats_for("%REQ(X-A)%")
    with pytest.raises(UsageError, match="no format is named"):
        formats_for("istio_txt")


def test_a_forged_line_is_believed_where_all_its_readings_agree() -> None:
    found = CustomText(DEFAULT).read_line(text(BLOCKED_HTTP, user_agent=FORGED_AGENT, path="/?a=" + FORGED_AGENT))

    assert found is not None
    assert found.tampered
    assert (found.values["authority"], found.values["route_name"]) == ("api.example.com", "block_all")
    assert "user_agent" not in found.values
    assert found.values.get("response_code") in (None, "502")


def test_a_line_of_quotes_costs_no_more_than_its_length() -> None:
    found = CustomText(DEFAULT).read_line(text(BLOCKED_HTTP, user_agent='" ' * 20_000))

    assert found is not None
    assert found.values["authority"] == "api.example.com"


HOSTILE = st.text(st.sampled_from('" -/|:x1[]GET,HTTP.20outbound'), max_size=24)


@given(agent=HOSTILE, path=HOSTILE.map(lambda t: "/?" + t.replace(" ", "")), request_id=HOSTILE)
def test_whatever_a_client_writes_what_is_believed_is_true(agent: str, path: str, request_id: str) -> None:
    """The law of custom text: a value is the one that the proxy wrote, or it is missing."""
    true = {"user_agent": agent, "path": path, "request_id": request_id}
    line = text(BLOCKED_HTTP, **true)

    found = CustomText(DEFAULT).read_line(line)

    assert found is not None
    honest = CustomText(DEFAULT).read_line(text(BLOCKED_HTTP))
    assert honest is not None
    for field, value in found.values.items():
        assert value == true.get(field, honest.values.get(field)), field


def test_a_cluster_with_bars_is_read_in_istios_own_order_too() -> None:
    in_bars = DEFAULT.translate(str.maketrans(" ", "|", '"[]'))

    found = CustomText(in_bars).read_line(
        "2026-03-02T10:00:00.000Z|GET|/v1|HTTP/1.1|200|-|via_upstream|-|-|7|90|5|4|-|curl|id-1|api.example.com"
        "|198.51.100.7:80|outbound|80||api.example.com|10.0.0.1:1|198.51.100.7:80|10.0.0.1:2|-|default"
    )

    assert found is not None
    assert not found.tampered
    assert found.values["upstream_cluster"] == "outbound|80||api.example.com"
    assert (found.values["authority"], found.values["route_name"]) == ("api.example.com", "default")


def test_a_cluster_that_an_agent_could_have_written_is_not_believed() -> None:
    in_bars = "%START_TIME%|%REQ(USER-AGENT)%|%REQ(:AUTHORITY)%|%UPSTREAM_CLUSTER%|%RESPONSE_CODE%"

    found = CustomText(in_bars).read_line("2026-03-02T10:00:00.000Z|x|80|outbound|80||api.example.com|200")

    assert found is not None
    assert found.tampered
    assert "upstream_cluster" not in found.values


@given(st.lists(st.sampled_from(["-", "a", "80", "", "outbound", "outbound|80||a.example", "10.0.0.1:80"]), max_size=5))
def test_the_kernel_reads_a_cluster_with_bars_only_where_that_is_its_one_reading(cells: list[str]) -> None:
    line = "|".join(["200", *cells])
    for operators in (
        "%REQ(:METHOD)%|%UPSTREAM_CLUSTER%|%REQ(USER-AGENT)%|%ROUTE_NAME%",
        "%REQ(USER-AGENT)%|%UPSTREAM_HOST%|%RESPONSE_FLAGS%|%UPSTREAM_CLUSTER%|%BYTES_SENT%",
        "%REQ(USER-AGENT)%|%UPSTREAM_LOCAL_ADDRESS%|%UPSTREAM_HOST%|%BYTES_SENT%|%UPSTREAM_CLUSTER%|%ROUTE_NAME%",
    ):
        log_format = CustomText(f"%RESPONSE_CODE%|{operators}")
        reading = log_format.read(line.encode())
        found = log_format.read_line(line)
        if reading.entries is not None:
            assert found is not None
            assert not found.tampered
            (cluster,) = reading.entries.columns["upstream_cluster"].to_pylist()
            assert cluster == found.values.get("upstream_cluster")


AT = "[2026-03-02T10:00:00.000Z]"
VARIANTS: dict[str, list[tuple[str, str, str]]] = {
    "default": [],
    "own time": [("%START_TIME%", "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%", ""), ("%ROUTE_NAME%", "%ROUTE_NAME% x", "")],
    "no moment": [("%START_TIME%", "%START_TIME(%H:%M:%S)%", "10:00:00")],
    "time with a blank": [("[%START_TIME%]", "%START_TIME(%Y-%m-%d %H:%M:%S.%3f)%", "2026-03-02 10:00:00.000")],
    "date": [("[%START_TIME%]", "%START_TIME(%d/%b/%Y %H:%M:%S)%", "02/Mar/2026 10:00:00")],
    "epoch": [("[%START_TIME%]", "%START_TIME(%s.%6f)%", "1772445600.123456")],
    "other quotes": [('"', "'", "'")],
    "tabs": [(" ", "\t", "\t")],
    "long": [("%RESPONSE_FLAGS%", "%RESPONSE_FLAGS_LONG%", ""), ("%REQ(:AUTHORITY)%", "%REQ(:AUTHORITY):9%", "")],
    "chain": [("%UPSTREAM_CLUSTER_RAW%", "%FILTER_CHAIN_NAME%", "")],
    "peer": [("%DOWNSTREAM_REMOTE_ADDRESS%", "1.2.3.4:0 %DOWNSTREAM_DIRECT_REMOTE_ADDRESS%", "")],
    "address in parts": [
        (
            "%DOWNSTREAM_LOCAL_ADDRESS%",
            "to=%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%:%DOWNSTREAM_LOCAL_PORT%",
            "",
        )
    ],
    "address twice": [("%UPSTREAM_LOCAL_ADDRESS%", "%UPSTREAM_REMOTE_ADDRESS%", "")],
}
"""What an operator changed in the default format, and in its lines where that shows."""
WRITTEN = {"[%START_TIME%]": AT, "%START_TIME%": AT.strip("[]")}


@pytest.mark.parametrize("variant", VARIANTS)
@given(st.lists(st.sampled_from([HTTP, BLOCKED_HTTP, BLOCKED_TCP, {**HTTP, "user_agent": "a b", "route_name": "x y"}])))
def test_a_block_is_read_as_its_lines_are(variant: str, lines: list[dict[str, object]]) -> None:
    format_string, written = DEFAULT, [text(line) for line in lines]
    for old, new, value in VARIANTS[variant]:
        format_string = format_string.replace(old, new)
        written = [line.replace(WRITTEN.get(old, old), value) if value else line for line in written]
    if variant == "own time":
        written = [f"{line} x" for line in written]
    if variant == "chain":
        written = [line.replace("BlackHoleCluster", "PassthroughFilterChain") for line in written]
    if variant == "address in parts":
        to = {"203.0.113.10:80 10.0.0.1:50000": "2001:db8::1:80", "203.0.113.10:443 10.0.0.1:50000": "203.0.113.9:443"}
        for old, new in to.items():
            written = [line.replace(old, f"to={new} 10.0.0.1:50000") for line in written]
    if variant == "long":
        written = [line.replace("0 UH", "0 NoHealthyUpstream") for line in written]
    if variant == "peer":
        written = [line.replace("10.0.0.1:50000", "1.2.3.4:0 10.0.0.1:50000") for line in written]
        format_string = format_string.replace("1.2.3.4:0", "%DOWNSTREAM_REMOTE_ADDRESS%")
    log_format = CustomText(format_string)

    parsed = BlockReader([log_format]).read("\n".join(written).encode())

    read = {
        number: {name: column[row].as_py() for name, column in entries.columns.items()}
        for entries in parsed.entries
        for row, number in enumerate(entries.lines.tolist())
    }
    assert len(read) == len(written)
    for number, line in enumerate(written):
        (alone,) = BlockReader([log_format]).read(line.encode()).entries
        assert {k: v for k, v in read[number].items() if v is not None} == {
            name: column[0].as_py() for name, column in alone.columns.items() if column[0].is_valid
        }


def test_a_compiled_format_goes_to_another_process() -> None:
    log_format = CustomText(DEFAULT)
    log_format.read(text(HTTP).encode())

    assert pickle.loads(pickle.dumps(log_format)) == log_format


def test_a_format_string_reads_a_log_into_the_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.execution.pool._WORTH_WORKERS", 0)
    log = tmp_path / "a.log"
    log.write_text("1527590590.528|GET|a.example|PassthroughCluster|-|5\nnot this\n" + text(HTTP) + "\n")

    tally = ingest([str(log)], str(tmp_path / "lake"), log_format=BARS, workers=2)

    assert (tally.entries, tally.rejected, tally.formats) == (1, 2, {"custom_text": 1})
    (batch,) = Lake(tmp_path / "lake").entries(["host", "egress_class"])
    assert batch.to_pylist() == [{"egress_class": "passthrough", "host": "a.example"}]
