from pathlib import Path

from ruamel.yaml import YAML

from analyzer.mesh import load_mesh
from tests.detection.building import destination
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

    document = YAML(typ="safe").load(found.narrowed["shop/api"])
    assert document["metadata"] == {"name": "api", "namespace": "shop", "labels": {"team": "web"}}
    assert document["spec"] == {
        "hosts": ["api.example.com"],
        "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
        "resolution": "DNS",
        "subjectAltNames": ["api.example.com"],
        "exportTo": ["."],
    }
    assert "status" not in document
