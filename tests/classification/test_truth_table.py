from typing import Any

import pytest

from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, HTTP, TCP, text
from tests.rows import row

GONE = {"upstream_host": None, "upstream_local_address": None}

CASES: list[tuple[str, dict[str, Any], tuple[str, str, str]]] = [
    ("blocked http", BLOCKED_HTTP, ("blocked", "block_all", "refused_by_policy")),
    (
        "blocked grpc is logged as 200",
        BLOCKED_HTTP | {"response_code": 200, "method": "POST", "protocol": "HTTP/2", "path": "/a.B/C"},
        ("blocked", "block_all", "refused_by_policy"),
    ),
    ("blocked tcp", BLOCKED_TCP, ("blocked", "blackhole_cluster", "refused_by_policy")),
    (
        "blocked tcp with a delimiter",
        BLOCKED_TCP | {"upstream_cluster": "BlackHoleCluster;"},
        ("blocked", "blackhole_cluster", "refused_by_policy"),
    ),
    (
        "blocked tcp before 1.10 has no cluster",
        BLOCKED_TCP | {"upstream_cluster": None},
        ("blocked", "blackhole_cluster", "refused_by_policy"),
    ),
    (
        "passthrough http",
        HTTP | {"upstream_cluster": "PassthroughCluster", "route_name": "allow_any"},
        ("passthrough", "allow_any", "ok"),
    ),
    (
        "passthrough tcp that could not connect",
        TCP
        | {"upstream_cluster": "PassthroughCluster", "response_flags": "UF,URX", "upstream_host": "203.0.113.10:443"},
        ("passthrough", "passthrough_cluster", "unreachable"),
    ),
    (
        "dynamic dns",
        HTTP | {"upstream_cluster": "AllowAnyDynamicDNSCluster", "route_name": "allow_any_dynamic_dns"},
        ("passthrough", "dynamic_dns", "ok"),
    ),
    (
        "egress proxy",
        HTTP | {"upstream_cluster": "outbound|3128||proxy.example.com", "route_name": "allow_any"},
        ("passthrough", "egress_proxy", "ok"),
    ),
    (
        "registered",
        HTTP | {"upstream_cluster": "outbound|80||api.example.com", "route_name": "default"},
        ("registered", "service_entry", "ok"),
    ),
    (
        "in mesh",
        HTTP | {"upstream_cluster": "outbound|80||a.b.svc.cluster.local", "route_name": "default"},
        ("in_mesh", "mesh_service", "ok"),
    ),
    (
        "to the egress gateway",
        HTTP | {"upstream_cluster": "outbound|80|x|istio-egressgateway.istio-system.svc.cluster.local"},
        ("registered", "egress_gateway", "ok"),
    ),
    ("inbound", HTTP | {"upstream_cluster": "inbound|8080||"}, ("inbound", "inbound", "ok")),
    (
        "inbound passthrough with a foreign server name",
        TCP | {"upstream_cluster": "InboundPassthroughClusterIpv4", "response_flags": "UF,URX"},
        ("inbound", "inbound_passthrough", "unreachable"),
    ),
    (
        "connect has no route in any mode",
        BLOCKED_HTTP
        | {
            "method": "CONNECT",
            "path": None,
            "response_code": 404,
            "response_flags": "NR",
            "response_code_details": "route_not_found",
            "route_name": None,
        },
        ("no_route", "route_not_found", "other"),
    ),
    (
        "unknown cluster",
        BLOCKED_HTTP
        | {
            "response_code": 503,
            "response_flags": "NC",
            "response_code_details": "cluster_not_found",
            "route_name": "default",
        },
        ("no_route", "cluster_not_found", "other"),
    ),
    (
        "no filter chain",
        TCP | {"response_flags": "NR", "response_code_details": "filter_chain_not_found"},
        ("no_route", "filter_chain_not_found", "other"),
    ),
    (
        "a redirect is no block",
        BLOCKED_HTTP | {"response_code": 302, "route_name": "to-https"},
        ("no_route", "direct_response", "ok"),
    ),
    (
        "a 502 of the server is no block",
        HTTP | {"response_code": 502, "upstream_cluster": "PassthroughCluster", "route_name": "allow_any"},
        ("passthrough", "allow_any", "ok"),
    ),
    (
        "no endpoints is no block",
        HTTP
        | GONE
        | {
            "response_code": 503,
            "response_flags": "UH",
            "response_code_details": "no_healthy_upstream",
            "upstream_cluster": "outbound|80||api.example.com",
        },
        ("registered", "service_entry", "no_healthy_upstream"),
    ),
    (
        "bad request has a protocol but no method",
        BLOCKED_HTTP
        | {
            "method": None,
            "path": None,
            "authority": None,
            "response_code": 400,
            "response_flags": "DPE",
            "response_code_details": "http1.codec_error",
            "route_name": None,
        },
        ("unclassified", "bad_request", "bad_request"),
    ),
    (
        "denied by authorization policy",
        HTTP
        | {
            "response_code": 403,
            "response_code_details": "rbac_access_denied_matched_policy[none]",
            "upstream_cluster": "outbound|80||api.example.com",
        },
        ("registered", "service_entry", "denied"),
    ),
    (
        "tls failure",
        HTTP
        | {
            "response_code": 503,
            "response_flags": "URX,UF",
            "upstream_transport_failure_reason": "TLS_error:|268435703:SSL_routines:WRONG_VERSION_NUMBER:TLS_error_end",
            "upstream_cluster": "outbound|80||api.example.com",
        },
        ("registered", "service_entry", "tls_failure"),
    ),
    (
        "an open circuit breaker is no reset by the server",
        HTTP
        | GONE
        | {
            "response_code": 503,
            "response_flags": "UO",
            "response_code_details": "upstream_reset_before_response_started{overflow}",
            "upstream_cluster": "outbound|80||api.example.com",
        },
        ("registered", "service_entry", "other"),
    ),
    (
        "a websocket ends so",
        HTTP
        | {
            "response_code": 101,
            "response_flags": "DC",
            "response_code_details": "downstream_remote_disconnect",
            "upstream_cluster": "PassthroughCluster",
            "route_name": "allow_any",
        },
        ("passthrough", "allow_any", "ok"),
    ),
]


@pytest.mark.parametrize(("line", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_line_is_classified_by_the_truth_table(line: dict[str, Any], expected: tuple[str, str, str]) -> None:
    entry = row(text(line))

    assert (entry["egress_class"], entry["mechanism"], entry["result"]) == expected


def test_envoys_own_format_cannot_say_by_whose_leave() -> None:
    line = '[2026-03-02T10:00:00.000Z] "GET / HTTP/1.1" 502 - 0 0 0 - "-" "curl" "id" "api.example.com" "-"'

    entry = row(line)

    assert (entry["log_format"], entry["egress_class"], entry["host"]) == (
        "envoy_text",
        "unclassified",
        "api.example.com",
    )


def test_the_host_is_normalised_and_the_authority_is_not() -> None:
    entry = row(text(BLOCKED_HTTP, authority="API.Example.COM.:8080"))

    assert (entry["host"], entry["authority"], entry["host_source"]) == (
        "api.example.com",
        "API.Example.COM.:8080",
        "authority",
    )


def test_an_address_in_the_host_header_is_no_host() -> None:
    entry = row(text(BLOCKED_HTTP, authority="[2001:db8::1]:80", downstream_local_address="[2001:db8::1]:80"))

    assert (entry["host"], entry["destination_ip"], entry["destination_port"]) == (None, "2001:db8::1", 80)


def test_a_server_name_that_envoy_called_invalid_is_no_host() -> None:
    entry = row(text(BLOCKED_TCP, requested_server_name="invalid:a_b.example"))

    assert (entry["host"], entry["application_protocol"]) == (None, "tls")


def test_the_server_name_wins_over_the_cluster() -> None:
    entry = row(text(TCP, upstream_cluster="outbound|443||*.example.com", requested_server_name="cdn.example.com"))

    assert (entry["host"], entry["host_source"]) == ("cdn.example.com", "sni")


def test_a_gateway_is_told_by_its_own_address() -> None:
    entry = row(
        text(
            HTTP,
            upstream_cluster="outbound|443||api.example.com",
            upstream_local_address="10.0.0.9:40000",
            downstream_local_address="10.0.0.9:8443",
        )
    )

    assert entry["direction"] == "gateway"


def test_grpc_is_told_by_its_path() -> None:
    entry = row(text(HTTP, method="POST", protocol="HTTP/2", path="/pay.v1.Payments/Charge"))

    assert entry["application_protocol"] == "grpc"
