"""`validate` and the companions of `propose`, as a user types them."""

import json
from pathlib import Path

import pytest

from tests.cli.test_command_line import lake, run

__all__ = ["lake"]
ENTRY = """apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: e, namespace: shop}
spec:
  hosts: [api.example.com]
  exportTo: ["."]
  ports: [{number: 5432, name: tcp, protocol: tcp}]
  resolution: DNS
"""


def test_findings_have_exactly_the_keys_of_the_contract(tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text(ENTRY)

    found = json.loads(run("validate", str(tmp_path), "--output", "json").stdout)

    keys = "file line column document object code istio_code severity since message hint"
    assert all(list(item) == keys.split() for item in found)
    assert {(item["istio_code"], item["severity"]) for item in found} == {("IST0134", "warning"), (None, "danger")}


@pytest.mark.parametrize(("grave", "status"), [("error", 0), ("warning", 1), ("danger", 1), ("info", 1)])
def test_fail_on_lowers_what_exits_with_one(tmp_path: Path, grave: str, status: int) -> None:
    (tmp_path / "e.yaml").write_text(ENTRY)

    assert run("validate", str(tmp_path), "--fail-on", grave).returncode == status


def test_the_listing_goes_to_standard_output_and_standard_input_is_shown_too() -> None:
    done = run("validate", "-", stdin=ENTRY.replace("tcp}", "smtp}").encode())

    assert b"-:7:37: error[port_protocol_unknown, IST0106]" in done.stdout
    assert b"7 |   ports: [{number: 5432" in done.stdout
    assert (done.returncode, done.stderr) == (1, b"")


def test_sarif_is_one_document_of_version_2_1_0(tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text(ENTRY)

    sarif = json.loads(run("validate", str(tmp_path), "--output", "sarif").stdout)

    assert sarif["version"] == "2.1.0"
    assert {result["ruleId"] for result in sarif["runs"][0]["results"]} == {
        "addresses_required_for_tcp",
        "tcp_open_to_any_address",
    }


def test_a_version_that_is_not_supported_is_wrong_usage(tmp_path: Path) -> None:
    done = run("validate", str(tmp_path), "--istio-version", "2.0")

    assert done.returncode == 2
    assert b"supported: 1.9 to 1.31" in done.stderr
    assert b"(Istio 1.9 to 1.31)" in run("--version").stdout


def test_companions_are_made_only_where_asked_for_and_go_with_the_wish(lake: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    probe = out / "companions" / "probe" / "probe.sh"
    network = out / "companions" / "network_policy" / "shop" / "networkpolicy-egress-audit-egress.yaml"

    asked = run("propose", "--lake", lake, "--out", str(out), "--companion", "network_policy", "--output", "json")
    assert [item["companion"] for item in json.loads(asked.stdout)["companions"]] == ["network_policy"]
    assert (network.is_file(), probe.exists()) == (True, False)
    assert run("validate", str(network), "--fail-on", "danger").returncode == 0

    unasked = run("propose", "--lake", lake, "--out", str(out), "--output", "json")
    assert json.loads(unasked.stdout)["companions"] == []
    assert not network.exists()


def test_what_is_no_yaml_is_an_error_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: [\n")

    done = run("validate", str(tmp_path / "bad.yaml"))

    assert done.returncode == 1
    assert f"{tmp_path}/bad.yaml:2:1: error[unreadable]: not YAML".encode() in done.stdout


def test_an_unknown_companion_is_said_before_anything_is_read(tmp_path: Path) -> None:
    done = run("run", "nowhere.log", "--lake", str(tmp_path / "l"), "--out", str(tmp_path), "--companion", "sidecars")

    assert done.returncode == 2
    assert b"no companion is called 'sidecars'" in done.stderr
    assert b"sidecar" in done.stderr.splitlines()[1]
