import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.errors import UsageError
from analyzer.mesh import read_documents
from analyzer.validation import as_sarif, finding_as_json, known_rules, render, validate, validate_paths
from analyzer.validation.names import is_address_or_cidr, why_no_wildcard_domain
from analyzer.validation.shape import known_kinds
from analyzer.vocabulary import Severity

HEAD = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e, namespace: shop}\nspec:\n"
OF_LEVEL_INFO = ("IST0102", "IST0118")
"""What istio/istio pkg/config/analysis/msg/messages.yaml gives the level Info."""
GOOD: dict[str, Any] = {
    "hosts": ["api.example.com"],
    "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
    "resolution": "STATIC",
    "endpoints": [{"address": "192.0.2.1"}],
    "exportTo": ["."],
}
LIMITS: dict[str, dict[str, Any]] = {
    "hosts_too_many": {"hosts": [f"h{n}.example.com" for n in range(257)]},
    "addresses_too_many": {"addresses": [f"192.0.{n // 256}.{n % 256}" for n in range(257)]},
    "ports_too_many": {"ports": [{"number": n + 1, "name": f"p{n}", "protocol": "TLS"} for n in range(257)]},
    "endpoints_too_many": {"endpoints": [{"address": f"192.0.{n // 256}.{n % 256}"} for n in range(4097)]},
    "selector_labels_too_many": {"endpoints": [], "workloadSelector": {"labels": {f"l{n}": "a" for n in range(257)}}},
}


def written(folder: Path, spec: dict[str, Any], name: str = "e") -> Path:
    path = folder / "se.json"
    entry = {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "ServiceEntry",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": spec,
    }
    path.write_text(json.dumps(entry))
    return path


@pytest.mark.parametrize("code", sorted(LIMITS))
def test_the_crd_sets_limits_since_1_24(code: str, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD | LIMITS[code])

    assert code in {finding.code for finding in validate_paths([str(path)], "1.24")}
    assert code not in {finding.code for finding in validate_paths([str(path)], "1.23")}


@pytest.mark.parametrize("rule", known_rules(), ids=lambda rule: rule.code)
def test_every_rule_says_what_it_asks_for_and_whose_it_is(rule: Any) -> None:
    assert rule.summary.endswith(".")
    assert rule.source
    assert (rule.istio_code == "IST0106") <= (rule.severity is Severity.ERROR)
    by_istio = rule.istio_code is not None and rule.istio_code != "IST0106"
    assert by_istio <= (rule.severity is (Severity.INFO if rule.istio_code in OF_LEVEL_INFO else Severity.WARNING))
    assert rule.severity is not Severity.WARNING or rule.istio_code


def test_a_version_that_is_not_supported_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not supported"):
        validate_paths([str(written(tmp_path, GOOD))], "1.99")


def test_a_patch_version_is_its_minor_version(tmp_path: Path) -> None:
    assert validate_paths([str(written(tmp_path, GOOD))], "1.24.3") == []


def test_all_paths_are_one_mesh(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one = written(tmp_path / "a", GOOD, "one")
    two = written(tmp_path / "b", GOOD | {"resolution": "NONE", "endpoints": []}, "two")

    (finding,) = validate_paths([str(one), str(two)])

    assert (finding.file, finding.code) == (str(two), "host_split_over_entries")


def test_other_kinds_are_nobodys_business(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: b}\n")
    (tmp_path / "kustomization.yaml").write_text("kind: Kustomization\nresources: []\n")

    assert validate_paths([str(tmp_path)]) == []


def test_what_is_no_yaml_is_an_error_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [\n")

    (finding,) = validate_paths([str(tmp_path / "a.yaml")])

    assert (finding.severity, finding.code) == (Severity.ERROR, "unreadable")


def test_json_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    (finding,) = validate_paths([str(written(tmp_path, GOOD | {"exportTo": ["a_b"]}))])

    assert list(finding_as_json(finding)) == [
        "file",
        "line",
        "column",
        "document",
        "object",
        "code",
        "istio_code",
        "severity",
        "since",
        "message",
        "hint",
    ]
    assert finding.object == "ServiceEntry/shop/e"


def test_the_listing_shows_the_line_with_a_caret_below_the_place(tmp_path: Path) -> None:
    path = tmp_path / "se.yaml"
    path.write_text(HEAD + "  hosts: [a.example.com, a_b.example.com]\n  exportTo: [.]\n  resolution: DNS\n")

    text = list(render([f for f in validate_paths([str(path)]) if f.code == "host_invalid"]))

    assert text[1:3] == [
        "     5 |   hosts: [a.example.com, a_b.example.com]",
        "       |                          ^",
    ]


def test_the_listing_shows_a_piece_of_a_long_line_and_no_sign_that_a_terminal_obeys(tmp_path: Path) -> None:
    path = tmp_path / "se.yaml"
    hosts = ", ".join(f"h{n}.example.com" for n in range(100))
    path.write_text(f'{HEAD}  hosts: [{hosts}, a_b.example.com, "\u202e"]\n  exportTo: [.]\n  resolution: DNS\n')

    text = list(render([f for f in validate_paths([str(path)]) if f.code == "host_invalid"]))

    assert len(text[1]) < 200
    assert text[1][text[2].index("^") :].startswith("a_b.example.com")
    assert "\u202e" not in "".join(text)


def test_sarif_describes_every_rule_and_points_at_each_place(tmp_path: Path) -> None:
    broken = tmp_path / "broken file.yaml"
    broken.write_text("a: [\n")
    findings = validate_paths([str(written(tmp_path, GOOD | {"exportTo": ["a_b"]})), str(broken)])

    (run,) = as_sarif(findings, "1.0.0")["runs"]

    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [f.code for f in findings]
    assert {result["level"] for result in run["results"]} == {"error"}
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert all(place["region"]["startLine"] >= 1 and place["region"]["startColumn"] >= 1 for place in places)
    assert all(" " not in place["artifactLocation"]["uri"] for place in places)
    assert len({result["partialFingerprints"]["egressAudit/v1"] for result in run["results"]}) == len(findings)


@given(st.text(alphabet="abc:-[]{}'\"\n #*&!|>%@0123456789.", max_size=200))
def test_no_text_makes_it_crash(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "a.yaml"
    path.write_text(HEAD + "  " + text)

    documents, _ = read_documents([str(path)])

    validate(documents)


_KEYS = st.sampled_from(
    [
        "hosts",
        "addresses",
        "ports",
        "endpoints",
        "exportTo",
        "resolution",
        "location",
        "workloadSelector",
        "labels",
        "number",
        "name",
        "protocol",
        "targetPort",
        "address",
        "network",
        "egress",
        "hosts",
        "port",
        "outboundTrafficPolicy",
        "mode",
        "servers",
        "selector",
        "tls",
        "match",
        "route",
        "destination",
        "trafficPolicy",
        "portLevelSettings",
        "subsets",
        "rules",
        "from",
        "to",
        "source",
        "operation",
        "when",
        "key",
        "podSelector",
    ]
)
_WORDS = st.sampled_from(
    [None, True, 1, 0, -1, 70000, 1.5, "", "*", "~", ".", "a", "*.a", "TCP", "DNS", "SIMPLE", "a/b"]
)
_ANYTHING = st.recursive(
    _WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=20
)
_KINDS = tuple(sorted(known_kinds()))


@given(st.lists(st.tuples(st.sampled_from(_KINDS), _ANYTHING, _ANYTHING), min_size=1, max_size=3))
def test_no_shape_makes_it_crash(tmp_path_factory: pytest.TempPathFactory, objects: list[tuple[str, Any, Any]]) -> None:
    path = tmp_path_factory.mktemp("any") / "a.json"
    items = [
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": kind,
            "metadata": {"name": "a", "namespace": "b", "labels": labels, "annotations": labels},
            "spec": spec,
        }
        for kind, spec, labels in objects
    ]
    path.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": items}))

    findings = validate_paths([str(path)])

    assert all(finding.line >= 1 and finding.column >= 1 for finding in findings)


@given(st.lists(st.from_regex(r"[a-zA-Z0-9]([-a-zA-Z0-9]{0,10}[a-zA-Z0-9])?", fullmatch=True), min_size=1, max_size=5))
def test_every_name_of_labels_is_a_host_unless_it_ends_in_a_number(labels: list[str]) -> None:
    refused = why_no_wildcard_domain(".".join(labels)) is not None

    assert refused == (len(labels) > 1 and labels[-1].isdigit())


@given(st.ip_addresses())
def test_every_ip_address_is_one(address: Any) -> None:
    assert is_address_or_cidr(str(address))
    assert is_address_or_cidr(f"{address}/{address.max_prefixlen}")
    assert not is_address_or_cidr(f"{address}/{address.max_prefixlen + 1}")
