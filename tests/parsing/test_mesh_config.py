"""The format of access logs, as the mesh itself was told it."""

import json
from pathlib import Path

import pytest

from analyzer.errors import UsageError
from analyzer.execution.local import ingest
from analyzer.parsing import known_formats
from analyzer.parsing.mesh_config import formats_of_mesh
from tests.lines import HTTP, text

FORMAT = "%START_TIME% %RESPONSE_CODE% %UPSTREAM_CLUSTER% %DOWNSTREAM_LOCAL_ADDRESS%"
LABELS = {"to": "%DOWNSTREAM_LOCAL_ADDRESS%", "in": {"cluster": "%UPSTREAM_CLUSTER%"}}
CONFIG_MAP = f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: istio, namespace: istio-system}}
data:
  mesh: |-
    accessLogFile: /dev/stdout
    accessLogFormat: |
      {FORMAT}
    extensionProviders:
    - name: json
      envoyFileAccessLog:
        path: /dev/stdout
        logFormat:
          labels: {json.dumps(LABELS)}
    - name: tracer
      zipkin: {{service: zipkin.istio-system, port: 9411}}
"""
TELEMETRY = """
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: default, namespace: istio-system}
spec:
  accessLogging:
  - providers:
    - name: json
"""


def names(folder: Path, *texts: str) -> list[str]:
    paths = []
    for number, content in enumerate(texts):
        (folder / f"{number}.yaml").write_text(content)
        paths.append(folder / f"{number}.yaml")
    return [log_format.name for log_format in formats_of_mesh(paths)]


def test_a_config_map_tells_its_format_and_those_of_its_providers(tmp_path: Path) -> None:
    assert names(tmp_path, CONFIG_MAP) == ["custom_text", "custom_json"]


def test_a_telemetry_resource_goes_with_the_file_that_defines_its_provider(tmp_path: Path) -> None:
    assert names(tmp_path, CONFIG_MAP, TELEMETRY) == ["custom_text", "custom_json"]
    with pytest.raises(UsageError, match="no file defines the provider 'json'"):
        names(tmp_path, TELEMETRY)


def test_the_built_in_provider_needs_no_definition(tmp_path: Path) -> None:
    assert names(tmp_path, TELEMETRY.replace("json", "envoy")) == list(known_formats())


@pytest.mark.parametrize(
    "content",
    [
        f"accessLogFile: /dev/stdout\naccessLogFormat: '{FORMAT}'\n",
        f"kind: IstioOperator\nspec:\n  meshConfig:\n    accessLogFormat: '{FORMAT}'\n",
        f"meshConfig:\n  accessLogFormat: '{FORMAT}'\n",
    ],
    ids=["MeshConfig", "IstioOperator", "Helm values"],
)
def test_a_mesh_config_is_found_wherever_it_stands(tmp_path: Path, content: str) -> None:
    assert names(tmp_path, content) == ["custom_text"]


def test_two_formats_of_one_kind_have_two_names(tmp_path: Path) -> None:
    other = f"meshConfig:\n  accessLogFormat: '{FORMAT} %PROTOCOL%'\n"

    assert names(tmp_path, f"accessLogFormat: '{FORMAT}'\n", other) == ["custom_text", "custom_text#2"]


def test_istios_own_string_and_no_string_are_istios_own_formats(tmp_path: Path) -> None:
    own = known_formats()["istio_text"].format_string  # type: ignore[attr-defined]

    assert names(tmp_path, f"accessLogFormat: '{own}'\n") == ["istio_text"]
    assert names(tmp_path, "accessLogFile: /dev/stdout\n") == list(known_formats())


@pytest.mark.parametrize("content", ["a: b\n", "{", "- 1\n"])
def test_a_file_that_says_nothing_of_access_logs_says_so(tmp_path: Path, content: str) -> None:
    with pytest.raises(UsageError):
        names(tmp_path, content)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        formats_of_mesh([tmp_path / "none.yaml"])


def test_both_formats_of_a_mesh_are_read_from_one_log(tmp_path: Path) -> None:
    (tmp_path / "istio.yaml").write_text(CONFIG_MAP)
    (tmp_path / "a.log").write_text(
        "2026-03-02T10:00:00.000Z 0 BlackHoleCluster 203.0.113.10:443\n"
        '{"to": "203.0.113.10:443", "in": {"cluster": "PassthroughCluster"}}\n' + text(HTTP) + "\n"
    )

    tally = ingest([str(tmp_path / "a.log")], str(tmp_path / "lake"), mesh_config=[str(tmp_path / "istio.yaml")])

    assert (tally.formats, tally.rejected) == ({"custom_json": 1, "custom_text": 1}, 1)
