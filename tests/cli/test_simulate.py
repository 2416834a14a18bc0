"""`simulate` as it is typed: rows told apart by path, two sets of manifests, modes, Sidecars overruled."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_command_line import run
from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, text

ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: egress, creationTimestamp: "2026-01-01T00:00:00Z"}
spec:
  hosts: [api.example.com]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: DNS
"""
BY_PATH = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: api, namespace: egress, creationTimestamp: "2026-01-01T00:00:00Z"}
spec:
  hosts: ["HOST"]
  http:
  - match: [{uri: {prefix: /v1/}}, {method: {exact: PUT}}]
    route: [{destination: {host: api.example.com}}]
"""
SIDECAR = """
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: shop}
spec: {outboundTrafficPolicy: {mode: ALLOW_ANY}}
"""


@pytest.fixture
def lake(tmp_path: Path) -> str:
    asked = [
        ("GET", "/v1/a?next=/v2"),
        ("GET", "/v1/b"),
        ("GET", "/v2/a?next=/v1/"),
        ("PUT", "/v2/a"),
    ]
    lines = [text(BLOCKED_HTTP, method=method, path=path) for method, path in asked]
    lines += [text(BLOCKED_HTTP, method="GET", path="/v3", start_time="2026-03-04T10:00:00.000Z")]
    lines += [text(BLOCKED_TCP)]
    log = tmp_path / "a.log"
    log.write_text("\n".join(lines) + "\n")
    made = run("ingest", str(log), "--lake", str(tmp_path / "lake"), "--label", "source_namespace=shop")
    assert made.returncode == 0, made.stderr
    return str(tmp_path / "lake")


def manifest(folder: Path, name: str, *documents: str) -> str:
    path = folder / f"{name}.yaml"
    path.write_text("---".join(documents))
    return str(path)


def simulated(lake: str, *arguments: str) -> dict[str, Any]:
    done = run("simulate", "--lake", lake, "--output", "json", *arguments)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def api(result: dict[str, Any]) -> dict[str, Any]:
    (found,) = [item for item in result["destinations"] if item["host"] == "api.example.com"]
    assert isinstance(found, dict)
    return found


def forget_entries(lake: str) -> None:
    for file in Path(lake).glob("kind=*/**/*.parquet"):
        file.unlink()


def test_rows_that_a_virtual_service_routes_by_path_or_method_are_replayed_one_by_one(
    lake: str, tmp_path: Path
) -> None:
    mesh = manifest(tmp_path, "mesh", ENTRY, BY_PATH.replace("HOST", "api.example.com"))

    found = api(simulated(lake, "--manifests", mesh))

    assert (found["outcome"], found["by_outcome"]) == ("broken", {"allowed": 3, "broken": 2})
    assert (found["rule"], found["by"], found["conditions"]) == ("no_route", "egress/api", [])
    assert "X-Envoy-Original-Path" in found["because"]


def test_rows_are_told_apart_by_path_within_the_time_that_is_asked_for(lake: str, tmp_path: Path) -> None:
    mesh = manifest(tmp_path, "mesh", ENTRY, BY_PATH.replace("HOST", "api.example.com"))

    before = api(simulated(lake, "--manifests", mesh, "--until", "2026-03-03"))
    after = api(simulated(lake, "--manifests", mesh, "--since", "2026-03-03"))

    assert (before["by_outcome"], after["by_outcome"]) == ({"allowed": 3, "broken": 1}, {"broken": 1})


@pytest.mark.parametrize("host", [None, "other.example.com"], ids=["no VirtualService", "one for a host not seen"])
def test_nothing_is_read_anew_where_no_path_decides(lake: str, tmp_path: Path, host: str | None) -> None:
    mesh = manifest(tmp_path, "mesh", ENTRY, *([] if host is None else [BY_PATH.replace("HOST", host)]))
    forget_entries(lake)

    found = api(simulated(lake, "--manifests", mesh))

    assert found["by_outcome"] == {"allowed": 5}


def test_entries_are_read_anew_where_a_path_decides(lake: str, tmp_path: Path) -> None:
    mesh = manifest(tmp_path, "mesh", ENTRY, BY_PATH.replace("HOST", "*.example.com"))
    forget_entries(lake)

    assert run("simulate", "--lake", lake, "--manifests", mesh).returncode != 0


def test_an_audit_replays_by_path_what_the_mesh_routes_by_path(lake: str, tmp_path: Path) -> None:
    mesh = manifest(tmp_path, "mesh", ENTRY, BY_PATH.replace("HOST", "api.example.com"))

    done = run("explain", "api.example.com", "--lake", lake, "--mesh", mesh, "--output", "json")

    found = json.loads(done.stdout)
    assert (found["replay_as_is"]["outcome"], found["replay_as_is"]["rule"]) == ("broken", "no_route")


def test_compare_shows_only_what_differs_between_two_sets_of_manifests(lake: str, tmp_path: Path) -> None:
    another = manifest(tmp_path, "another", ENTRY.replace("api.", "other."))

    result = simulated(lake, "--manifests", manifest(tmp_path, "entry", ENTRY), "--compare", another)

    (changed,) = result["destinations"]
    assert result["changes"] == {"newly_allowed": 5, "newly_blocked": 0, "changed": 0}
    assert (changed["host"], changed["before"]["outcome"], changed["after"]["outcome"]) == (
        "api.example.com",
        "blocked",
        "allowed",
    )


def test_compare_of_a_set_with_itself_shows_nothing(lake: str, tmp_path: Path) -> None:
    mesh = manifest(tmp_path, "mesh", ENTRY, BY_PATH.replace("HOST", "api.example.com"))

    assert simulated(lake, "--manifests", mesh, "--compare", mesh)["destinations"] == []


def test_compare_tells_rows_apart_by_path_where_one_side_alone_routes_by_path(lake: str, tmp_path: Path) -> None:
    entry = manifest(tmp_path, "entry", ENTRY)
    routed = manifest(tmp_path, "routed", ENTRY, BY_PATH.replace("HOST", "api.example.com"))

    (changed,) = simulated(lake, "--manifests", entry, "--compare", routed)["destinations"]

    assert changed["before"]["by_outcome"] == {"allowed": 3, "broken": 2}
    assert changed["after"]["by_outcome"] == {"allowed": 5}


def test_the_mode_of_one_namespace_goes_before_the_mesh_wide_one(lake: str, tmp_path: Path) -> None:
    mesh = manifest(tmp_path, "mesh", ENTRY)

    strict = simulated(lake, "--manifests", mesh)
    lax = simulated(lake, "--manifests", mesh, "--mode-of", "shop=ALLOW_ANY")
    elsewhere = simulated(lake, "--manifests", mesh, "--mode-of", "pay=ALLOW_ANY")

    assert [item["coverage"]["blocked"] for item in (strict, lax, elsewhere)] == [1, 0, 1]


@pytest.mark.parametrize("pair", ["shop", "shop=OPEN", "=ALLOW_ANY"])
def test_a_mode_of_no_namespace_or_no_mode_is_wrong_usage(lake: str, tmp_path: Path, pair: str) -> None:
    done = run("simulate", "--lake", lake, "--manifests", manifest(tmp_path, "mesh", ENTRY), "--mode-of", pair)

    assert done.returncode == 2
    assert b"--mode-of shop=REGISTRY_ONLY" in done.stderr


def test_a_sidecar_keeps_its_policy_unless_it_is_overridden(lake: str, tmp_path: Path) -> None:
    mesh = manifest(tmp_path, "mesh", ENTRY, SIDECAR)

    kept = simulated(lake, "--manifests", mesh)
    overridden = simulated(lake, "--manifests", mesh, "--override-sidecars")

    assert [item["coverage"]["blocked"] for item in (kept, overridden)] == [0, 1]
