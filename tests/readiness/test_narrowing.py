from pathlib import Path

from ruamel.yaml import YAML

from analyzer.mesh import load_mesh
from tests.detection.building import destination
from tests.proposals.editing.applying import patched
from tests.readiness.building import assessment

WRITTEN = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: api
  namespace: shop
  uid: 1b4e28ba
  labels: {team: web}
spec:
  hosts: [api.example.com, old.example.com]
  ports:
    - {number: 443, name: tls, protocol: TLS}
    - {number: 8443, name: old, protocol: TLS}
  resolution: DNS
  subjectAltNames: [api.example.com]
status: {}
"""


def test_the_narrowed_manifest_is_what_was_written_with_less_in_it(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(WRITTEN)
    mesh, _ = load_mesh([str(tmp_path)])

    found = assessment([destination("api.example.com", classes={"registered": 9})], mesh)

    (narrowing,) = found.narrowings.narrowed
    assert (narrowing.reference, narrowing.file) == ("shop/api", "narrowed/shop/api.yaml")
    document = YAML(typ="safe").load(narrowing.yaml)
    annotations = document["metadata"].pop("annotations")
    assert annotations["egress-audit/needs-review"] == "true"
    assert annotations["egress-audit/reason"] == (
        "Over 31 watched days 9 entries went out by it, and none needed port 8443 TLS, host old.example.com, export "
        "beyond its own namespace."
    )
    assert document["metadata"] == {"name": "api", "namespace": "shop", "labels": {"team": "web"}}
    assert document["spec"] == {
        "hosts": ["api.example.com"],
        "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
        "resolution": "DNS",
        "subjectAltNames": ["api.example.com"],
        "exportTo": ["."],
    }
    assert "status" not in document


def test_the_file_that_was_read_gets_a_patch_that_leaves_its_comments(tmp_path: Path) -> None:
    written = WRITTEN.replace("  hosts:", "  # agreed with the partner\n  hosts:").replace("  uid: 1b4e28ba\n", "")
    (tmp_path / "api.yaml").write_text(written)
    mesh, _ = load_mesh([str(tmp_path)])

    found = assessment([destination("api.example.com", classes={"registered": 9})], mesh).narrowings

    (patch,) = found.patches
    assert patch.file.startswith("narrowed/patches/")
    assert found.narrowed[0].patch == patch.file
    after = patched(written, patch.text)
    assert "  # agreed with the partner\n  hosts: [api.example.com]\n" in after
    assert "8443" not in after
    (tmp_path / "api.yaml").write_text(after)
    again = assessment([destination("api.example.com", classes={"registered": 9})], load_mesh([str(tmp_path)])[0])
    assert again.narrowings.narrowed == ()


def test_what_a_proposal_edits_is_narrowed_once_that_is_applied(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(WRITTEN)
    mesh, _ = load_mesh([str(tmp_path)])
    calls = [
        destination("api.example.com", classes={"registered": 9}),
        destination("api.example.com", "http", classes={"blocked": 9}),
    ]

    found = assessment(calls, mesh)

    (grant,) = found.ledger.grants
    assert (grant.unused_ports, grant.narrowed, found.narrowings.narrowed) == ((8443,), None, ())


def test_nothing_is_narrowed_over_too_few_days(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(WRITTEN)
    mesh, _ = load_mesh([str(tmp_path)])

    found = assessment([destination("api.example.com", classes={"registered": 9})], mesh, hours=24 * 7)

    assert found.narrowings.narrowed == ()


def test_what_a_proposal_shows_to_more_is_not_hidden_from_them(tmp_path: Path) -> None:
    (tmp_path / "mesh.yaml").write_text(
        WRITTEN.replace("status: {}\n", "")
        + "---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: default, namespace: ops}\n"
        'spec: {egress: [{hosts: ["istio-system/*"]}]}\n'
    )
    mesh, _ = load_mesh([str(tmp_path)])
    calls = [
        destination("api.example.com", classes={"registered": 9}),
        destination("api.example.com", classes={"blocked": 9}, namespace="ops"),
    ]

    found = assessment(calls, mesh)

    assert all("ops" in (grant.narrowed.export_to or ("ops",)) for grant in found.ledger.grants if grant.narrowed)
