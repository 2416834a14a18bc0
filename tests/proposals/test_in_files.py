"""From mesh files to patches and back: what is proposed is applied, and a second run has nothing to say."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.evidence import Destination
from analyzer.mesh.loading import load_mesh
from analyzer.mesh.model import Mesh
from analyzer.proposals import Action, Proposals
from analyzer.simulation import Simulator
from analyzer.validation import validate_paths
from analyzer.vocabulary import Outcome
from tests.detection.building import destination
from tests.proposals.building import proposals_for
from tests.proposals.editing.applying import patched
from tests.proposals.editing.styles import files

_CALLS = st.lists(
    st.builds(
        lambda host, called, namespace: destination(
            host, called[0], port=called[1], namespace=namespace, classes={"blocked": 7}
        ),
        st.sampled_from(["api.partner.example", "api.partner.example", "www.partner.example"]),
        st.sampled_from([("tls", 443), ("http", 80), ("tls", 9443), ("grpc", 50051), ("http", 81), ("tls", 81)]),
        st.sampled_from(["shared", "ops", "shop"]),
    ),
    min_size=1,
    max_size=5,
).map(lambda some: list({item.key: item for item in some}.values()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mesh")


def _load(*paths: Path) -> Mesh:
    mesh, warnings = load_mesh([str(path) for path in paths])
    assert warnings == []
    return mesh


def _fresh(folder: Path, raw: bytes) -> Path:
    shutil.rmtree(folder)
    (folder / "given").mkdir(parents=True)
    (folder / "given" / "mesh.yaml").write_bytes(raw)
    return folder / "given" / "mesh.yaml"


def _apply(found: Proposals, folder: Path) -> None:
    """Patch the files, and write what is new beside them."""
    for patch in found.patches:
        file = Path(patch.of)
        raw = file.read_bytes().decode()
        file.write_bytes(patched(raw, patch.text).encode())
    for item in found.proposed:
        if item.action is not Action.EDIT:
            target = folder / item.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(item.yaml, encoding="utf-8")


@settings(max_examples=40)
@given(files(), _CALLS)
def test_a_second_run_over_what_was_applied_changes_nothing(folder: Path, raw: bytes, calls: list[Destination]) -> None:
    mesh = _load(_fresh(folder, raw))
    found = proposals_for(calls, mesh)
    _apply(found, folder)

    again = proposals_for(calls, _load(folder))

    assert (again.proposed, again.patches) == ((), ())


@settings(max_examples=40)
@given(files(), _CALLS)
def test_what_the_patches_make_is_the_mesh_that_was_replayed(
    folder: Path, raw: bytes, calls: list[Destination]
) -> None:
    mesh = _load(_fresh(folder, raw))
    found = proposals_for(calls, mesh)
    replayed = mesh.over(found.mesh)
    _apply(found, folder)

    before, after = Simulator(replayed), Simulator(_load(folder))
    proposed = {key for item in found.proposed for key in item.destinations}
    for item in calls:
        for request in item.requests:
            assert after.decide(request).outcome is before.decide(request).outcome
            assert item.key not in proposed or after.decide(request).outcome is Outcome.ALLOWED


@settings(max_examples=40)
@given(files(), _CALLS)
def test_an_edit_gives_istio_nothing_new_to_complain_of(folder: Path, raw: bytes, calls: list[Destination]) -> None:
    path = _fresh(folder, raw)
    known = {(finding.object, finding.code) for finding in validate_paths([str(path)])}
    found = proposals_for(calls, _load(path))
    _apply(found, folder)

    findings = {(f.object, f.code) for f in validate_paths([str(folder)]) if f.severity.value != "info"}

    assert findings <= known


_TWO = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: one, namespace: shop}
spec:
  hosts: [one.example]   # the first
  exportTo: ["."]
  ports:
    - {number: 443, name: tls, protocol: TLS}
  resolution: DNS
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: two, namespace: shop}
spec:
  hosts: [two.example]
  exportTo: ["."]
  ports:
    - {number: 443, name: tls, protocol: TLS}
  resolution: DNS
"""
_BOTH = [destination(host, "http", classes={"blocked": 5}) for host in ("one.example", "two.example")]


def _given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str = _TWO, name: str = "mesh/two.yaml") -> Mesh:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(text.encode())
    return load_mesh([name])[0]


def test_the_edits_of_one_file_are_one_patch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = proposals_for(_BOTH, _given(tmp_path, monkeypatch))

    (patch,) = found.patches
    assert (patch.file, patch.of, patch.folder) == ("patches/mesh-two.yaml.patch", "mesh/two.yaml", ".")
    assert [item.patch for item in found.proposed] == [patch.file] * 2
    assert [str(item.edited) for item in found.proposed] == ["mesh/two.yaml:9", "mesh/two.yaml:19"]
    assert patch.text.count("+    - {number: 80, name: http, protocol: HTTP}\n") == 2


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_each_edit_alone_changes_its_own_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str) -> None:
    found = proposals_for(_BOTH, _given(tmp_path, monkeypatch, mark + _TWO))

    before = (mark + _TWO).split("---\n")
    one, two = (patched(mark + _TWO, item.diff or "").split("---\n") for item in found.proposed)
    assert [after != was for after, was in zip(one, before, strict=True)] == [True, False]
    assert [after != was for after, was in zip(two, before, strict=True)] == [False, True]
    assert patched(mark + _TWO, found.patches[0].text).split("---\n") == [one[0], two[1]]


@pytest.mark.parametrize("tool", [["git", "apply", "-p1"], ["patch", "-p1", "-i"]])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_git_and_patch_take_the_edits_of_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: list[str], mark: str
) -> None:
    if shutil.which(tool[0]) is None:
        pytest.skip(f"{tool[0]} is not installed")
    found = proposals_for(_BOTH, _given(tmp_path, monkeypatch, mark + _TWO))
    (tmp_path / "the.patch").write_bytes(found.patches[0].text.encode())

    subprocess.run([*tool, "the.patch"], cwd=tmp_path, check=True, capture_output=True)

    after = (tmp_path / "mesh/two.yaml").read_bytes().decode()
    added = "    - {number: 80, name: http, protocol: HTTP}\n"
    assert after.startswith(mark)
    assert after.count(added) == 2
    assert after.replace(added, "") == mark + _TWO


@pytest.mark.parametrize(
    ("given_as", "folder", "path"),
    [("/srv/mesh/two.yaml", "/srv/mesh", "two.yaml"), ("../k8s/./two.yaml", "..", "k8s/two.yaml")],
)
def test_a_patch_says_where_it_applies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given_as: str, folder: str, path: str
) -> None:
    from dataclasses import replace

    mesh = _given(tmp_path, monkeypatch)
    moved = [replace(e, origin=replace(e.origin, file=given_as)) for e in mesh.service_entries if e.origin]

    (patch,) = proposals_for(_BOTH, Mesh(tuple(moved))).patches

    assert patch.folder == folder
    assert f"Apply with: patch -p1 -d {folder} < " in patch.text
    assert f"\n--- a/{path}\n+++ b/{path}\n" in patch.text


def test_what_helm_made_is_replaced_for_a_person_to_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = _TWO.replace("metadata: {name: one,", "metadata: {labels: {app.kubernetes.io/managed-by: Helm}, name: one,")

    found = proposals_for(_BOTH, _given(tmp_path, monkeypatch, text))

    one, two = found.proposed
    assert (one.action, one.patch, one.needs_review) == (Action.REPLACE, None, True)
    assert "Helm writes it anew" in one.reason
    assert "{number: 80, name: http, protocol: HTTP}" in one.yaml
    assert (two.action, two.needs_review) == (Action.EDIT, False)


def test_hostile_file_names_stay_in_the_folder_of_patches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = proposals_for(_BOTH, _given(tmp_path, monkeypatch, name="mesh/..;rm -rf\n/é/.yaml"))

    (patch,) = found.patches
    assert patch.file.startswith("patches/mesh-")
    assert "/" not in patch.file.removeprefix("patches/")
    assert patch.text.count("\n--- ") == 1
