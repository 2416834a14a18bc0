from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.mesh import read_documents
from analyzer.validation import validate, validate_paths
from analyzer.vocabulary import Severity

HEAD = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e, namespace: shop}\nspec:\n"
GOOD = 'hosts: [api.example.com]\nports: [{number: 443, name: tls, protocol: TLS}]\nresolution: DNS\nexportTo: ["."]\n'
TLS = "ports: [{number: 443, name: tls, protocol: TLS}]\n"
CASES = {
    "hosts_missing": "hosts: []\nresolution: DNS\n" + TLS,
    "host_invalid": "hosts: [a_b.example.com]\nresolution: DNS\n" + TLS,
    "host_partial_wildcard": "hosts: ['*foo.com']\nresolution: NONE\n" + TLS,
    "host_not_fqdn_for_dns": "hosts: ['*.example.com']\nresolution: DNS\n" + TLS,
    "host_upper_case": "hosts: [API.example.com]\nresolution: DNS\n" + TLS,
    "host_trailing_dot": "hosts: [api.example.com.]\nresolution: DNS\n" + TLS,
    "several_hosts_on_tcp": "hosts: [a.example, b.example]\nresolution: DNS\nports: [{number: 1, name: t, protocol: TCP}]\n",
    "port_name_invalid": "hosts: [a.example]\nresolution: DNS\nports: [{number: 1, name: a_b, protocol: TLS}]\n",
    "port_name_duplicate": "hosts: [a.example]\nresolution: DNS\nports: [{number: 1, name: a, protocol: TLS}, {number: 2, name: a, protocol: TLS}]\n",
    "port_number_duplicate": "hosts: [a.example]\nresolution: DNS\nports: [{number: 1, name: a, protocol: TLS}, {number: 1, name: b, protocol: TLS}]\n",
    "port_number_invalid": "hosts: [a.example]\nresolution: DNS\nports: [{number: 70000, name: a, protocol: TLS}]\n",
    "port_protocol_unknown": "hosts: [a.example]\nresolution: DNS\nports: [{number: 1, name: a, protocol: SMTP}]\n",
    "protocol_missing": "hosts: [a.example]\nresolution: DNS\nports: [{number: 1, name: a}]\n",
    "address_invalid": "hosts: [a.example]\nresolution: STATIC\naddresses: [nope]\n" + TLS,
    "address_cidr_with_dns": "hosts: [a.example]\nresolution: DNS\naddresses: [192.0.2.0/24]\n" + TLS,
    "endpoints_with_none": "hosts: [a.example]\nresolution: NONE\nendpoints: [{address: 192.0.2.1}]\n" + TLS,
    "endpoint_address_invalid": "hosts: [a.example]\nresolution: STATIC\nendpoints: [{address: b.example}]\n" + TLS,
    "endpoint_port_undeclared": "hosts: [a.example]\nresolution: STATIC\nendpoints: [{address: 192.0.2.1, ports: {nope: 1}}]\n" + TLS,
    "static_without_endpoints": "hosts: [a.example]\nresolution: STATIC\n" + TLS,
    "selector_and_endpoints": "hosts: [a.example]\nresolution: STATIC\nendpoints: [{address: 192.0.2.1}]\nworkloadSelector: {labels: {a: b}}\n" + TLS,
    "resolution_missing": "hosts: [a.example]\n" + TLS,
    "export_to_invalid": "hosts: [a.example]\nresolution: DNS\nexportTo: [A_B]\n" + TLS,
    "export_to_duplicate": "hosts: [a.example]\nresolution: DNS\nexportTo: [., shop]\n" + TLS,
    "export_to_not_alone": "hosts: [a.example]\nresolution: DNS\nexportTo: ['*', other]\n" + TLS,
    "tcp_open_to_any_address": "hosts: [a.example]\nresolution: NONE\nports: [{number: 5432, name: t, protocol: TCP}]\n",
    "tls_address_skips_name_check": "hosts: [a.example]\nresolution: STATIC\naddresses: [192.0.2.1]\nendpoints: [{address: 192.0.2.1}]\n" + TLS,
    "http_on_443": "hosts: [a.example]\nresolution: DNS\nports: [{number: 443, name: t, protocol: HTTP}]\n",
    "http_proxy_protocol": "hosts: [a.example]\nresolution: DNS\nports: [{number: 3128, name: t, protocol: HTTP_PROXY}]\n",
    "reserved_port": "hosts: [a.example]\nresolution: DNS\nports: [{number: 15001, name: t, protocol: TLS}]\n",
    "wildcard_over_public_suffix": "hosts: ['*.co.uk']\nresolution: NONE\n" + TLS,
    "dynamic_dns_invalid": "hosts: [a.example]\nresolution: DYNAMIC_DNS\n" + TLS,
}  # fmt: skip


def findings(tmp_path: Path, *specs: str, version: str = "1.31"):
    text = "---\n".join(HEAD + "".join(f"  {line}\n" for line in spec.splitlines()) for spec in specs)
    path = tmp_path / "se.yaml"
    path.write_text(text)
    return validate_paths([str(path)], version)


@pytest.mark.parametrize("code", sorted(CASES))
def test_a_rule_speaks_where_it_should(tmp_path: Path, code: str) -> None:
    assert code in {finding.code for finding in findings(tmp_path, CASES[code])}


def test_a_good_entry_has_no_finding(tmp_path: Path) -> None:
    assert findings(tmp_path, GOOD) == []


def test_a_finding_points_at_the_key(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, GOOD.replace("name: tls", "name: TLS"))

    assert (finding.line, finding.column, finding.code) == (6, 25, "port_name_invalid")


def test_a_rule_counts_only_for_versions_that_have_it(tmp_path: Path) -> None:
    assert "host_upper_case" not in {f.code for f in findings(tmp_path, CASES["host_upper_case"], version="1.26")}


def test_entries_that_do_not_merge_are_found(tmp_path: Path) -> None:
    other = GOOD.replace("443, name: tls, protocol: TLS", "80, name: http, protocol: HTTP").replace("DNS", "NONE")
    path = tmp_path / "two.yaml"
    indented = ["".join(f"  {line}\n" for line in spec.splitlines()) for spec in (GOOD, other)]
    path.write_text(f"{HEAD}{indented[0]}---\n{HEAD.replace('name: e,', 'name: f,')}{indented[1]}")

    assert "host_split_over_entries" in {finding.code for finding in validate_paths([str(path)])}


def test_other_kinds_are_nobodys_business(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: b}\n")
    (tmp_path / "kustomization.yaml").write_text("kind: Kustomization\nresources: []\n")

    assert validate_paths([str(tmp_path)]) == []


def test_what_is_no_yaml_is_an_error_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [\n")

    (finding,) = validate_paths([str(tmp_path / "a.yaml")])

    assert (finding.severity, finding.code) == (Severity.ERROR, "unreadable")


@given(st.text(alphabet="abc:-[]{}'\"\n #*&!|>%@0123456789.", max_size=200))
def test_no_text_makes_it_crash(tmp_path_factory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "a.yaml"
    path.write_text(HEAD + "  " + text)

    documents, _ = read_documents([str(path)])

    validate(documents)
