"""`simulate` and the audit look at paths and methods where a VirtualService's routes match on them."""

import json
from pathlib import Path

import pytest

from tests.cli.test_command_line import run
from tests.lines import BLOCKED_HTTP, text

ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: shop}
spec:
  hosts: [api.example.com]
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}]
"""
ROUTES = """\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: routes, namespace: shop}
spec:
  hosts: [api.example.com]
  http:
  - match: [{MATCH}]
    route: [{destination: {host: api.example.com, port: {number: 80}}}]
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("paths")
    asked = [("GET", "/v1/a?key=1"), ("GET", "/v1/b"), ("POST", "/v1/a"), ("GET", "/v2?/v1/")]
    lines = [
        text(BLOCKED_HTTP, method=method, path=path, downstream_remote_address=f"10.0.0.{number}:50000")
        for number, (method, path) in enumerate(asked, 1)
    ]
    (folder / "a.log").write_text("\n".join(lines) + "\n")
    run("ingest", str(folder / "a.log"), "--lake", str(folder / "lake"), "--label", "source_namespace=shop")
    return str(folder / "lake")


def replayed(lake: str, folder: Path, match: str) -> dict[str, int]:
    manifests = folder / "manifests.yaml"
    manifests.write_text(ENTRY + ROUTES.replace("{MATCH}", match))
    done = run("simulate", "--lake", lake, "--manifests", str(manifests), "--output", "json")
    (destination,) = json.loads(done.stdout)["destinations"]
    assert destination["entries"] == sum(destination["by_outcome"].values()) == 4
    return dict(destination["by_outcome"])


@pytest.mark.parametrize(
    ("match", "outcomes"),
    [
        ("{uri: {prefix: /v1/}}", {"allowed": 3, "broken": 1}),
        ("{uri: {exact: /v1/a}}", {"allowed": 2, "broken": 2}),
        ("{method: {exact: GET}}", {"allowed": 3, "broken": 1}),
        ("{uri: {prefix: /v1/}, method: {exact: GET}}", {"allowed": 2, "broken": 2}),
        ("{headers: {x-team: {exact: shop}}}", {"conditional": 4}),
        ("{uri: {prefix: /}}", {"allowed": 4}),
    ],
)
def test_a_route_takes_the_requests_that_it_matches(
    lake: str, tmp_path: Path, match: str, outcomes: dict[str, int]
) -> None:
    assert replayed(lake, tmp_path, match) == outcomes


def test_an_audit_replays_them_too(lake: str, tmp_path: Path) -> None:
    (tmp_path / "mesh.yaml").write_text(ENTRY + ROUTES.replace("{MATCH}", "{uri: {prefix: /v1/}}"))
    out = str(tmp_path / "report.html")
    run("report", "--lake", lake, "--mesh", str(tmp_path / "mesh.yaml"), "--out", out)

    replay = json.loads((tmp_path / "report.json").read_text())["replay"]

    assert {word: count for word, count in replay["coverage"].items() if count} == {"allowed": 3, "broken": 1}
