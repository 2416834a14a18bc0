"""Edits of existing entries in their files."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.mesh.loading import load_mesh
from analyzer.mesh.model import Mesh, Port, ServiceEntry
from analyzer.proposals.editing import Change, Differ, Listed, Narrowed, decoded, edit, encoded, spliced
from analyzer.proposals.listing import listed
from tests.proposals.editing.applying import patched
from tests.proposals.editing.styles import files

_HTTP = Port(80, "http", "HTTP")
_GRPC = Port(50051, "grpc-50051", "GRPC")
_CHANGES = st.sampled_from(
    [Change((_HTTP,)), Change((_HTTP, _GRPC)), Change((), ("shop",)), Change((_GRPC,), ("shop",))]
)
_WORDS = st.dictionaries(st.sampled_from([443, 9443, 81]), st.sampled_from(["HTTP", "TLS", "TCP"]), min_size=1)
_LINES = st.lists(
    st.sampled_from(["./api.partner.example", "shared/*.partner.example", "ops/a.b"]), min_size=1, unique=True
)
_NOTES = {"egress-audit/entries": "7", "egress-audit/reason": "a: [b] \U0001f600 \u202e"}


def _mesh(raw: bytes, folder: Path) -> Mesh:
    (folder / "mesh.yaml").write_bytes(raw)
    mesh, warnings = load_mesh([str(folder / "mesh.yaml")])
    assert warnings == []
    return mesh


def _said(entry: ServiceEntry) -> ServiceEntry:
    return replace(entry, origin=None, annotations={})


def _with(entry: ServiceEntry, change: Change) -> ServiceEntry:
    return replace(
        entry, ports=(*entry.ports, *change.ports), export_to=(*entry.export_to, *change.export_to), origin=None
    )


def _after(raw: bytes, entry: ServiceEntry, change: Change) -> bytes:
    made = edit(entry, change)
    assert made is not None
    assert made.why_not == ""
    return encoded(spliced(decoded(raw), made.splices), raw)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mesh")


@settings(max_examples=40)
@given(files(), _CHANGES, st.integers(0, 2))
def test_an_edited_file_is_the_same_mesh_but_for_the_edit(folder: Path, raw: bytes, change: Change, which: int) -> None:
    entries = _mesh(raw, folder).service_entries
    chosen = entries[min(which, len(entries) - 1)]

    after = _mesh(_after(raw, chosen, change), folder)

    wanted = [_with(entry, change) if entry is chosen else replace(entry, origin=None) for entry in entries]
    assert [replace(entry, origin=None) for entry in after.service_entries] == wanted


@settings(max_examples=40)
@given(files(), _CHANGES, st.integers(0, 2))
def test_bytes_outside_an_edit_stay(folder: Path, raw: bytes, change: Change, which: int) -> None:
    entries = _mesh(raw, folder).service_entries
    made = edit(entries[min(which, len(entries) - 1)], change)
    assert made is not None

    text = decoded(raw)
    kept = "".join(text[a:b] for a, b in _outside(text, made.splices))
    assert all(
        splice.start == splice.end or text[splice.start : splice.end].strip(" []") == "" for splice in made.splices
    )
    assert len(kept) >= len(text) - 4 * len(made.splices)
    assert _is_subsequence_of_lines(text, spliced(text, made.splices))


def _outside(text: str, splices: tuple) -> list[tuple[int, int]]:
    edges = [0, *(edge for splice in sorted(splices) for edge in (splice.start, splice.end)), len(text)]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _is_subsequence_of_lines(old: str, new: str) -> bool:
    """Whether every old line is still there in order, or one that begins as it did."""
    left = iter(new.split("\n"))
    return all(any(line == other or other.startswith(line[:9].rstrip()) for other in left) for line in old.split("\n"))


@settings(max_examples=40)
@given(files(), _WORDS, st.integers(0, 1))
def test_a_port_with_another_protocol_is_all_that_is_changed(
    folder: Path, raw: bytes, words: dict[int, str], which: int
) -> None:
    entries = _mesh(raw, folder).service_entries
    chosen = entries[which]
    change = Change(protocols=tuple((p.number, words[p.number]) for p in chosen.ports if p.number in words))

    after = _mesh(_after(raw, chosen, change), folder) if change else _mesh(raw, folder)

    ports = tuple(replace(port, protocol=words.get(port.number, port.protocol)) for port in chosen.ports)
    wanted = [replace(entry, origin=None, ports=ports if entry is chosen else entry.ports) for entry in entries]
    assert [replace(entry, origin=None) for entry in after.service_entries] == wanted


@settings(max_examples=40)
@given(files(with_sidecar=True), _LINES, st.booleans())
def test_a_sidecar_with_more_lines_is_all_that_is_changed(
    folder: Path, raw: bytes, lines: list[str], apart: bool
) -> None:
    mesh = _mesh(raw, folder)
    (sidecar,) = mesh.sidecars
    last = len(sidecar.egress or ()) - 1
    added: dict[int | None, tuple[str, ...]] = {None if apart else last: tuple(lines)}

    made = edit(sidecar, Listed(tuple(added.items())))
    assert made is not None
    assert made.why_not == ""
    after = _mesh(encoded(spliced(decoded(raw), made.splices), raw), folder)

    assert [replace(item, origin=None) for item in after.sidecars] == [replace(listed(sidecar, added), origin=None)]
    assert [_said(entry) for entry in after.service_entries] == [_said(entry) for entry in mesh.service_entries]
    text = decoded(raw)
    assert patched(text, Differ("mesh.yaml", text).unified(made.splices)) == spliced(text, made.splices)


@settings(max_examples=40)
@given(
    files(), st.sampled_from([(), (443,), (443, 81), (9443,)]), st.sampled_from([None, (".",), ("ops",)]), st.booleans()
)
def test_a_narrowed_entry_is_all_that_is_changed(
    folder: Path, raw: bytes, gone: tuple[int, ...], scopes: tuple[str, ...] | None, renames: bool
) -> None:
    mesh = _mesh(raw, folder)
    chosen = mesh.service_entries[0]
    left = tuple(port for port in chosen.ports if port.number not in gone) or chosen.ports
    hosts = ("a.partner.example", "b.partner.example") if renames else chosen.hosts
    wanted = replace(chosen, ports=left, hosts=hosts, export_to=scopes or chosen.export_to)

    made = edit(chosen, Narrowed(frozenset(port.number for port in left), hosts, scopes))
    assert made is not None
    assert made.why_not == ""
    after = _mesh(encoded(spliced(decoded(raw), made.splices), raw), folder)

    assert _said(after.service_entries[0]) == _said(wanted)
    assert [_said(entry) for entry in after.service_entries[1:]] == [_said(e) for e in mesh.service_entries[1:]]
    assert after.sidecars == mesh.sidecars or [replace(s, origin=None) for s in after.sidecars] == [
        replace(s, origin=None) for s in mesh.sidecars
    ]


@settings(max_examples=40)
@given(files(), _CHANGES, st.integers(0, 2))
def test_a_patch_makes_the_edited_file(folder: Path, raw: bytes, change: Change, which: int) -> None:
    entries = _mesh(raw, folder).service_entries
    made = edit(entries[min(which, len(entries) - 1)], change)
    assert made is not None

    text = decoded(raw)
    assert patched(text, Differ("mesh.yaml", text).unified(made.splices)) == spliced(text, made.splices)


@settings(max_examples=40)
@given(files(), _CHANGES, st.integers(0, 2))
def test_the_object_by_itself_says_the_same(folder: Path, raw: bytes, change: Change, which: int) -> None:
    entries = _mesh(raw, folder).service_entries
    chosen = entries[min(which, len(entries) - 1)]
    made = edit(chosen, change)
    assert made is not None

    (alone,) = _mesh(made.document(_NOTES).encode(), folder).service_entries

    assert _said(alone) == _said(_with(chosen, change))
    assert alone.annotations == {**chosen.annotations, **_NOTES}


_COMMENTED = """\
# The partners of the data team.
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: partner   # keep the name
  namespace: shared
spec:
  hosts:
  - "www.partner.example"
  ports:
  - name: 'tls'   # passthrough
    number:  443
    # as agreed
    protocol: "TLS"
  # the ledger comes next
  resolution: DNS
"""


def _lone(text: str, tmp_path: Path, file: str = "mesh.yaml") -> tuple[ServiceEntry, str]:
    (tmp_path / file).write_bytes(text.encode())
    ((entry,), _) = ((mesh := load_mesh([str(tmp_path / file)])[0]).service_entries, mesh)
    return entry, text


def test_a_port_is_written_as_its_neighbour_is(tmp_path: Path) -> None:
    entry, text = _lone(_COMMENTED, tmp_path)
    made = edit(entry, Change((_HTTP,)))
    assert made is not None

    assert Differ("mesh/partner.yaml", text).unified(made.splices) == (
        "--- a/mesh/partner.yaml\n"
        "+++ b/mesh/partner.yaml\n"
        "@@ -12,5 +12,8 @@\n"
        "     number:  443\n"
        "     # as agreed\n"
        '     protocol: "TLS"\n'
        "+  - name: 'http'\n"
        "+    number:  80\n"
        '+    protocol: "HTTP"\n'
        "   # the ledger comes next\n"
        "   resolution: DNS\n"
    )
    assert made.line == 15


@pytest.mark.parametrize("tool", [["git", "apply", "-p1"], ["patch", "-p1", "-i"]])
@pytest.mark.parametrize("name", ["mesh.yaml", "two words.yaml", 'quo"te.yaml', "ü.yaml", "mesh.crlf.yaml"])
def test_git_and_patch_take_it(tmp_path: Path, tool: list[str], name: str) -> None:
    if shutil.which(tool[0]) is None:
        pytest.skip(f"{tool[0]} is not installed")
    entry, text = _lone(_COMMENTED.replace("\n", "\r\n") if "crlf" in name else _COMMENTED[:-1], tmp_path, name)
    made = edit(entry, Change((_HTTP, _GRPC)))
    assert made is not None
    (tmp_path / "the.patch").write_bytes(Differ(name, text).unified(made.splices).encode())

    subprocess.run([*tool, "the.patch"], cwd=tmp_path, check=True, capture_output=True)

    assert (tmp_path / name).read_bytes().decode() == spliced(text, made.splices)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("  annotations: {meta.helm.sh/release-name: web}\n", "release web"),
        ("  labels: {app.kubernetes.io/managed-by: Helm}\n", "its chart"),
        ("  labels: {helm.sh/chart: web-1.0}\n", "its chart"),
        ("  ownerReferences: [{kind: Egress, name: partner}]\n", "its owner"),
    ],
)
def test_what_a_program_writes_anew_is_not_edited_in_its_file(tmp_path: Path, more: str, why: str) -> None:
    entry, _ = _lone(_COMMENTED.replace("spec:\n", f"{more}spec:\n"), tmp_path)

    made = edit(entry, Change((_HTTP,)))

    assert made is not None
    assert why in made.why_not
    assert made.splices == ()
    assert "number:  80" in made.document({})


def test_the_output_of_helm_names_its_template(tmp_path: Path) -> None:
    entry, _ = _lone(f"---\n# Source: web/templates/egress.yaml\n{_COMMENTED}", tmp_path)

    made = edit(entry, Change((_HTTP,)))

    assert made is not None
    assert "web/templates/egress.yaml" in made.why_not


def test_a_line_is_written_as_its_neighbour_is(tmp_path: Path) -> None:
    text = (
        "kind: Sidecar\napiVersion: networking.istio.io/v1\nmetadata: {name: default, namespace: shop}\nspec:\n"
        "  egress:\n  - hosts:\n    - './*'   # ours\n    # the mesh's\n    - 'istio-system/*'\n  ingress: []\n"
    )
    (tmp_path / "mesh.yaml").write_text(text, encoding="utf-8")
    (sidecar,) = load_mesh([str(tmp_path / "mesh.yaml")])[0].sidecars

    made = edit(sidecar, Listed(((0, ("shared/www.partner.example",)),)))

    assert made is not None
    assert spliced(text, made.splices) == text.replace("  ingress", "    - 'shared/www.partner.example'\n  ingress")


def test_shared_anchors_are_not_edited_in_place(tmp_path: Path) -> None:
    anchored = _COMMENTED.replace("  ports:\n", "  ports: &ports\n") + "  # copy\n"
    entry, _ = _lone(anchored, tmp_path)

    made = edit(entry, Change((_HTTP,)))

    assert made is not None
    assert "anchors" in made.why_not
    assert "number: 80" in made.document({})


def test_a_file_that_is_not_utf_8_is_not_edited(tmp_path: Path) -> None:
    (tmp_path / "mesh.yaml").write_bytes(_COMMENTED.encode() + b"# caf\xe9\n")
    (entry,) = load_mesh([str(tmp_path / "mesh.yaml")])[0].service_entries

    made = edit(entry, Change((_HTTP,)))

    assert made is not None
    assert made.why_not == "the file is not UTF-8"


def test_a_copy_of_a_live_object_loses_what_the_server_wrote(tmp_path: Path) -> None:
    live = _COMMENTED.replace(
        "  namespace: shared\n",
        "  namespace: shared\n  uid: 0a\n  resourceVersion: '7'\n  annotations:\n"
        "    kubectl.kubernetes.io/last-applied-configuration: '{}'\n    note: mine\n",
    )
    entry, _ = _lone(live + "status: {addresses: []}\n", tmp_path)

    made = edit(entry, Change((_HTTP,)))

    assert made is not None
    assert made.why_not == ""
    assert not {"uid", "resourceVersion", "status", "last-applied"} & set(re.findall(r"[\w-]+", made.document({})))
    assert "note: mine" in made.document({})


def test_an_entry_that_was_not_read_from_anywhere_cannot_be_edited() -> None:
    assert edit(ServiceEntry(namespace="a", name="b", hosts=("c.example",), ports=()), Change((_HTTP,))) is None
