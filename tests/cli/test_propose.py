"""`propose` over a mesh that exists: manifests, patches, and a second run."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lines import BLOCKED_HTTP, text

_MESH = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: partner, namespace: shop}
spec:
  hosts:
  - api.example.com   # as agreed
  exportTo: ["."]
  ports:
  - {number: 443, name: tls, protocol: TLS}
  resolution: DNS
"""


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "analyzer", *arguments], capture_output=True, cwd=folder)


def _propose(folder: Path, *arguments: str) -> dict[str, Any]:
    done = _run(folder, "propose", "--lake", "lake", "--out", "out", "--output", "json", *arguments)
    assert done.returncode in (0, 3), done.stderr
    return dict(json.loads(done.stdout))


def _files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.log").write_text("\n".join([text(BLOCKED_HTTP)] * 2) + "\n")
    (tmp_path / "mesh").mkdir()
    (tmp_path / "mesh" / "partner.yaml").write_text(_MESH)
    made = _run(tmp_path, "ingest", "a.log", "--lake", "lake", "--label", "source_namespace=shop")
    assert made.returncode == 0, made.stderr
    return tmp_path


def test_a_missing_port_is_a_patch_of_the_entry_and_the_whole_object(folder: Path) -> None:
    result = _propose(folder, "--mesh", "mesh")

    (proposal,) = result["proposals"]
    assert (proposal["file"], proposal["action"]) == ("manifests/shop/partner.yaml", "edit")
    assert (proposal["edits"], proposal["patch"]) == ("mesh/partner.yaml:10", "patches/mesh-partner.yaml.patch")
    assert result["patches"] == [{"file": "patches/mesh-partner.yaml.patch", "of": "mesh/partner.yaml", "folder": "."}]
    whole = (folder / "out" / proposal["file"]).read_text()
    assert "  - {number: 80, name: http, protocol: HTTP}\n" in whole
    assert "# as agreed" in whole
    assert "- shop/partner.yaml" in (folder / "out/manifests/kustomization.yaml").read_text()


def test_nothing_is_left_to_propose_once_the_patch_is_applied(folder: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    _propose(folder, "--mesh", "mesh")
    subprocess.run(["git", "apply", "out/patches/mesh-partner.yaml.patch"], cwd=folder, check=True)

    again = _propose(folder, "--mesh", "mesh")

    assert (again["proposals"], again["patches"]) == ([], [])
    assert not list((folder / "out" / "patches").iterdir())
    assert (folder / "mesh/partner.yaml").read_text() == _MESH.replace(
        "  resolution", "  - {number: 80, name: http, protocol: HTTP}\n  resolution"
    )


def test_a_run_over_what_it_wrote_itself_leaves_it_as_it_is(folder: Path) -> None:
    _propose(folder)
    before = _files(folder / "out" / "manifests")

    again = _propose(folder, "--mesh", "out/manifests")

    assert again["proposals"] == []
    assert _files(folder / "out" / "manifests") == before


def test_what_is_read_from_standard_input_has_no_file_to_edit(folder: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "analyzer",
            "propose",
            "--lake",
            "lake",
            "--out",
            "out",
            "--mesh",
            "-",
            "--output",
            "json",
        ],
        input=_MESH.encode(),
        capture_output=True,
        cwd=folder,
    )

    (proposal,) = json.loads(done.stdout)["proposals"]
    assert (proposal["action"], proposal["patch"]) == ("replace", None)
    assert "standard input" in proposal["reason"]


def test_where_no_line_says_the_workload_the_reason_says_so(folder: Path) -> None:
    (proposal,) = _propose(folder)["proposals"]

    assert proposal["reason"].startswith("2 entries from an unknown workload: 2 refused")
