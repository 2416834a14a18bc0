"""What ambient's ztunnel can say, and what it cannot."""

import json
from pathlib import Path

import pytest

from analyzer.execution.auditing import audit
from analyzer.execution.local import ingest
from analyzer.parsing.ambient import BLIND_SPOT
from analyzer.report.sections.input_health import SECTION
from analyzer.settings import Settings
from analyzer.store import Lake
from analyzer.vocabulary import NEWEST_ISTIO
from tests.lines import ztunnel_json, ztunnel_text
from tests.rows import parse, row


def test_a_connection_to_an_address_that_is_no_service_passes() -> None:
    entry = row(ztunnel_text())

    assert (entry["egress_class"], entry["mechanism"], entry["result"]) == ("passthrough", "passthrough_cluster", "ok")
    assert (entry["host"], entry["destination_ip"], entry["destination_port"]) == (None, "203.0.113.10", 80)
    assert entry["upstream_cluster"] is None


@pytest.mark.parametrize(
    ("service", "mechanism"),
    [("api.example.com", "service_entry"), ("web.shop.svc.cluster.local", "mesh_service")],
)
def test_a_service_that_is_named_says_by_whose_leave(service: str, mechanism: str) -> None:
    entry = row(ztunnel_json(service=service))

    assert (entry["mechanism"], entry["host"], entry["application_protocol"]) == (mechanism, service, "tcp")


def test_a_pod_that_is_dialled_by_its_own_address_is_in_the_mesh() -> None:
    entry = row(ztunnel_text(dst__workload="web-0", dst__namespace="shop"))

    assert (entry["egress_class"], entry["host"]) == ("in_mesh", None)


def test_behind_a_waypoint_the_address_dialled_is_the_inner_one() -> None:
    entry = row(ztunnel_text(service="api.example.com", dst__addr="10.9.9.9:15008", dst__hbone_addr="240.240.0.5:443"))

    assert (entry["destination_ip"], entry["destination_port"]) == ("240.240.0.5", 443)
    assert entry["upstream_host"] == "10.9.9.9:15008"


def test_upload_is_what_the_client_sent_whichever_side_wrote_the_line() -> None:
    outbound, inbound = row(ztunnel_text()), row(ztunnel_text(direction="inbound"))

    assert (outbound["bytes_received"], outbound["bytes_sent"]) == (79, 1028)
    assert (inbound["bytes_received"], inbound["bytes_sent"]) == (1028, 79)
    assert inbound["egress_class"] == "inbound"


def test_a_connection_began_as_long_before_its_line_as_it_took() -> None:
    assert row(ztunnel_text())["start_time"].isoformat() == "2026-03-02T10:00:00+00:00"


def test_tabs_that_became_blanks_change_nothing() -> None:
    assert row(ztunnel_text(blank="     ")) == row(ztunnel_text())


@pytest.mark.parametrize(
    ("error", "result"),
    [
        ("connection failed: Connection refused (os error 111)", "unreachable"),
        ("connection failed: deadline has elapsed", "timeout"),
        ("connection timed out, maybe a NetworkPolicy is blocking HBONE port 15008: deadline has elapsed", "timeout"),
        ("no healthy upstream: 203.0.113.10:80", "no_healthy_upstream"),
        ("http status: 401 Unauthorized", "denied"),
        ("connection closed due to policy rejection: explicitly denied by: shop/no-egress", "denied"),
        ("tls error: invalid peer certificate: Expired", "tls_failure"),
        ("io error: Connection reset by peer (os error 104)", "upstream_reset"),
        ("connection closed due to connection drain", "upstream_reset"),
    ],
)
def test_an_error_says_what_became_of_the_connection(error: str, result: str) -> None:
    assert row(ztunnel_text(service="api.example.com", error=error))["result"] == result


def test_what_was_refused_before_it_was_looked_up_did_not_leave() -> None:
    entry = row(ztunnel_text("connection failed", error="unknown waypoint: not found"))

    assert (entry["egress_class"], entry["result"]) == ("unclassified", "unreachable")
    assert entry["direction"] == "outbound"


def test_a_cluster_that_ztunnel_names_makes_its_line_no_format_of_ones_own() -> None:
    line = ztunnel_json(src__cluster="east", src__workload="web", src__namespace="shop")

    assert [entries.format for entries in parse(line).entries] == ["ztunnel_json"]
    assert row(line)["egress_class"] == "passthrough"


def test_a_connection_that_was_only_opened_is_counted_where_it_ends() -> None:
    assert [rejection.reason for rejection in parse(ztunnel_text("connection opened")).rejected] == ["intermediate"]


def test_a_quote_inside_a_value_does_not_end_it() -> None:
    entry = row(ztunnel_text(error='bad "dst.service="evil.example'))

    assert entry["upstream_transport_failure_reason"] == 'bad "dst.service="evil.example'
    assert entry["host"] is None


def test_a_key_that_stands_twice_makes_no_entry() -> None:
    assert parse(ztunnel_text() + ' dst.service="evil.example"').entries
    assert not parse(ztunnel_text() + ' direction="inbound"').entries


def test_the_client_is_the_pod_that_the_line_names_and_not_the_ztunnel(tmp_path: Path) -> None:
    log = tmp_path / "ztunnel-x2lqp_istio-system_istio-proxy-1b09d337.log"
    log.write_text(ztunnel_text() + "\n" + ztunnel_text(src__workload="", src__namespace="") + "\n")
    ingest([str(log)], str(tmp_path / "lake"))

    (batch,) = Lake(tmp_path / "lake").entries(["source_namespace", "source_workload", "source_pod"])
    assert [tuple(entry.values()) for entry in batch.to_pylist()] == [
        ("shop", "shop", "shop-5b8c7d6f49-m4v9t"),
        (None, None, None),
    ]


def test_what_has_no_column_is_kept_as_extra() -> None:
    entry = row(ztunnel_json(dst__identity="spiffe://cluster.local/ns/x/sa/y"))

    assert entry["extra"] == '{"dst.identity":"spiffe://cluster.local/ns/x/sa/y"}'


def test_a_line_that_a_shipper_parsed_and_wrapped_is_read(tmp_path: Path) -> None:
    bare = json.loads(ztunnel_json(service="api.example.com"))
    wrapped = bare | {"kubernetes": {"pod_name": "ztunnel-x2lqp", "namespace_name": "istio-system"}}
    (tmp_path / "a.log").write_text("\n".join(json.dumps(line) for line in (bare, wrapped)) + "\n")
    ingest([str(tmp_path / "a.log")], str(tmp_path / "lake"))

    (batch,) = Lake(tmp_path / "lake").entries(["host", "source_pod"])
    assert batch.to_pylist() == [{"source_pod": "shop-5b8c7d6f49-m4v9t", "host": "api.example.com"}] * 2


def test_the_report_says_what_ambient_cannot_show(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(ztunnel_text() + "\n" + ztunnel_json() + "\n")
    ingest([str(tmp_path / "a.log")], str(tmp_path / "lake"))

    section = SECTION.build(audit(str(tmp_path / "lake"), settings=Settings(), istio_version=NEWEST_ISTIO))

    assert [note for note in section.notes if "ztunnel" in note] == [BLIND_SPOT]
