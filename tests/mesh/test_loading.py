"""Mesh documents in every shape that people have them in."""

import io
from pathlib import Path

import pytest

from analyzer.errors import ManifestError
from analyzer.mesh import load_mesh
from analyzer.mesh.model import Mesh
from analyzer.mesh.routing import StringMatch
from analyzer.mesh.scoping import OutboundPolicy, Visibility
from analyzer.vocabulary import Mode, Resolution

ENTRY = """\
apiVersion: networking.istio.io/{version}
kind: ServiceEntry
metadata: {{name: {name}, namespace: shop, creationTimestamp: 2026-01-02T03:04:05Z}}
spec:
  hosts: [{name}.example.com]
  ports: [{{number: 443, name: tls, protocol: tls}}]
"""


def load(tmp_path: Path, text: str, name: str = "mesh.yaml") -> Mesh:
    mesh, warnings = load_with_warnings(tmp_path, text, name)
    assert warnings == []
    return mesh


def load_with_warnings(tmp_path: Path, text: str, name: str = "mesh.yaml") -> tuple[Mesh, list[str]]:
    (tmp_path / name).write_text(text, encoding="utf-8")
    mesh, warnings = load_mesh([str(tmp_path / name)])
    return mesh, [str(warning).removeprefix(f"{tmp_path}/") for warning in warnings]


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha3"])
def test_every_served_version_of_the_api_is_read(tmp_path: Path, version: str) -> None:
    entry = load(tmp_path, ENTRY.format(version=version, name="a")).service_entries[0]

    assert (entry.reference, entry.hosts, entry.ports[0].protocol) == ("shop/a", ("a.example.com",), "TLS")
    assert (entry.resolution, entry.creation_timestamp) == (Resolution.NONE, "2026-01-02T03:04:05Z")


def test_another_group_of_the_same_kind_is_not_istios(tmp_path: Path) -> None:
    text = ENTRY.format(version="v1", name="a").replace("networking.istio.io", "example.com")

    assert load(tmp_path, text).service_entries == ()


def test_helm_output_with_comments_and_empty_documents_is_read_with_places(tmp_path: Path) -> None:
    text = "---\n# Source: chart/a.yaml\n---\n# Source: chart/b.yaml\n" + ENTRY.format(version="v1", name="b")

    origin = load(tmp_path, text).service_entries[0].origin
    assert origin is not None
    assert (origin.document, origin.line) == (2, 5)


def test_a_list_of_kubectl_gives_each_item_its_own_line(tmp_path: Path) -> None:
    text = """\
apiVersion: v1
kind: List
items:
- apiVersion: networking.istio.io/v1
  kind: ServiceEntry
  metadata: {name: a, namespace: x}
  spec: {hosts: [a.example], ports: []}
- apiVersion: networking.istio.io/v1
  kind: ServiceEntry
  metadata: {name: b, namespace: x}
  spec: {hosts: [b.example], ports: []}
"""
    assert [entry.origin.line for entry in load(tmp_path, text).service_entries] == [4, 8]


def test_items_of_a_typed_list_need_not_say_what_they_are(tmp_path: Path) -> None:
    text = """\
{"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntryList", "metadata": {}, "items": [
  {"metadata": {"name": "a", "namespace": "x"}, "spec": {"hosts": ["a.example"], "ports": []}}]}
"""
    assert load(tmp_path, text, "list.json").service_entries[0].hosts == ("a.example",)


def test_an_empty_list_is_an_empty_mesh(tmp_path: Path) -> None:
    assert load(tmp_path, "apiVersion: v1\nkind: List\nitems: []\nmetadata: {resourceVersion: ''}\n") == Mesh()


def test_json_that_yaml_does_not_take_is_read_all_the_same(tmp_path: Path) -> None:
    entry = (
        '{"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", '
        '"metadata": {"name": "%s", "annotations": {"x": "\\ud83d\\ude00"}}, "spec": {"hosts": ["a.example"]}}'
    )

    mesh = load(tmp_path, f"{entry % 'a'}\n{entry % 'b'}\n", "two.json")
    assert [item.name for item in mesh.service_entries] == ["a", "b"]


def test_a_broken_document_is_a_warning_with_its_place_and_costs_no_other(tmp_path: Path) -> None:
    text = f"{ENTRY.format(version='v1', name='a')}---\nkind: [\n---\n{ENTRY.format(version='v1', name='b')}"

    mesh, warnings = load_with_warnings(tmp_path, text)
    assert [entry.name for entry in mesh.service_entries] == ["a", "b"]
    assert len(warnings) == 1
    assert warnings[0].startswith("mesh.yaml:9: document 2: not YAML or JSON: ")


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("just text\n", "mesh.yaml:1: document 1: not a Kubernetes object"),
        ("a: 1\n", "mesh.yaml:1: document 1: not a Kubernetes object: kind or metadata is missing"),
        ("a: 1\na: 2\n", "mesh.yaml:2: document 1: not YAML or JSON: found duplicate key 'a'"),
        (
            ENTRY.format(version="v1", name="a").replace("[a.example.com]", "a.example.com"),
            "mesh.yaml:1: document 1: ServiceEntry/shop/a: cannot be read: hosts must be a list",
        ),
        (
            ENTRY.format(version="v1", name="a") + "  resolution: SOMEHOW\n",
            "mesh.yaml:1: document 1: ServiceEntry/shop/a: cannot be read: 'SOMEHOW' is not a valid Resolution",
        ),
    ],
)
def test_what_is_not_understood_is_a_warning(tmp_path: Path, text: str, warning: str) -> None:
    assert load_with_warnings(tmp_path, text)[1] == [warning]


def test_a_hostile_depth_is_a_warning(tmp_path: Path) -> None:
    _, warnings = load_with_warnings(tmp_path, "a: " + "[" * 100_000)

    assert len(warnings) == 1


def test_aliases_are_shared_and_not_copied(tmp_path: Path) -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24)
    )

    _, warnings = load_with_warnings(tmp_path, bomb)
    assert len(warnings) == 1


def test_secrets_are_not_looked_into_and_other_kinds_are_ignored(tmp_path: Path) -> None:
    text = """\
apiVersion: v1
kind: Secret
metadata: {name: s}
data: {password: aGVsbG8=}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: t}, data: {a: b}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: d}}
---
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [a.yaml]
"""
    assert load(tmp_path, text) == Mesh()


def test_standard_input_and_folders_are_sources_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.yml").write_text(ENTRY.format(version="v1", name="a"))
    (tmp_path / "deep" / "notes.txt").write_text("not: a manifest")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(ENTRY.format(version="v1", name="b").encode())))

    mesh, warnings = load_mesh([str(tmp_path), "-"])
    assert [entry.name for entry in mesh.service_entries] == ["a", "b"]
    assert warnings == []


def test_a_path_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ManifestError, match="no such file"):
        load_mesh(["/nowhere/at/all"])


def test_a_service_takes_protocols_from_app_protocol_and_port_names(tmp_path: Path) -> None:
    text = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, annotations: {networking.istio.io/exportTo: "., ops"}}
spec:
  clusterIP: 10.96.0.7
  selector: {app: web}
  ports:
  - {port: 80, name: http-web, targetPort: 8080}
  - {port: 81, name: web, targetPort: named}
  - {port: 82, name: x, appProtocol: https}
  - {port: 83, name: grpc-web-x}
  - {port: 3306, name: db}
  - {port: 53, name: dns, protocol: UDP}
  - {port: 84, name: whatever, appProtocol: kubernetes.io/h2c}
"""
    service = load(tmp_path, text).services[0]
    protocols = ["HTTP", "", "HTTPS", "GRPC-WEB", "TCP", "UDP", "HTTP2"]
    assert [port.protocol for port in service.ports] == protocols
    assert (service.cluster_ips, service.export_to, service.is_headless) == (("10.96.0.7",), (".", "ops"), False)


@pytest.mark.parametrize(
    ("spec", "headless", "external"),
    [
        ("{clusterIP: None, ports: []}", True, None),
        ("{type: ExternalName, externalName: db.example.com}", False, "db.example.com"),
        ("{clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1, 'fd00::1']}", False, None),
    ],
)
def test_headless_and_external_services_are_told_apart(
    tmp_path: Path, spec: str, headless: bool, external: str | None
) -> None:
    service = load(tmp_path, f"apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {spec}\n").services[0]

    assert (service.is_headless, service.external_name) == (headless, external)


def test_a_sidecar_says_what_is_imported_and_an_empty_policy_is_registry_only(tmp_path: Path) -> None:
    text = """\
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: app}
spec:
  workloadSelector: {labels: {app: web}}
  outboundTrafficPolicy: {}
  egress:
  - port: {number: 443, protocol: TLS, name: tls}
    hosts: ["egress/*"]
  - hosts: ["./*", "~/*"]
"""
    sidecar = load(tmp_path, text).sidecars[0]
    assert sidecar.outbound_policy == OutboundPolicy(Mode.REGISTRY_ONLY)
    assert sidecar.egress is not None
    assert [listener.port and listener.port.number for listener in sidecar.egress] == [443, None]
    assert sidecar.workload_selector == {"app": "web"}


def test_the_mesh_configuration_is_read_out_of_its_config_map(tmp_path: Path) -> None:
    text = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    outboundTrafficPolicy: {mode: REGISTRY_ONLY}
    defaultServiceExportTo: ["."]
    rootNamespace: istio-config
    accessLogFile: /dev/stdout
    accessLogFormat: "[%START_TIME%]\\n"
    defaultConfig:
      proxyMetadata:
        ISTIO_META_DNS_CAPTURE: "true"
        ISTIO_META_DNS_AUTO_ALLOCATE: true
    serviceEntryVisibility:
      defaultVisibility: NAMESPACE
      applyToSidecars: true
      policies:
      - visibility: PUBLIC
        matchingRules:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: egress}}
  meshNetworks: 'networks: {}'
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other, namespace: istio-system}
data: {mesh: "outboundTrafficPolicy: {mode: ALLOW_ANY}"}
"""
    mesh = load(tmp_path, text)
    config = mesh.config
    assert len(mesh.mesh_configs) == 1
    assert (config.outbound_policy.mode, config.service_export_to, config.root_namespace) == (
        Mode.REGISTRY_ONLY,
        (".",),
        "istio-config",
    )
    assert config.proxy_metadata == {"ISTIO_META_DNS_CAPTURE": "true", "ISTIO_META_DNS_AUTO_ALLOCATE": "true"}
    assert config.access_log_format == "[%START_TIME%]\n"
    assert (config.default_visibility, config.visibility_applies_to_sidecars) == (Visibility.NAMESPACE, True)
    selector = config.visibility_policies[0].selectors[0]
    assert selector is not None
    assert selector.matches({"kubernetes.io/metadata.name": "egress"})
    assert not selector.matches({})


def test_without_a_config_map_istios_own_defaults_hold() -> None:
    config = Mesh().config

    assert (config.outbound_policy.mode, config.root_namespace) == (Mode.ALLOW_ANY, "istio-system")


def test_a_virtual_service_keeps_its_routes_matches_and_what_no_log_holds(tmp_path: Path) -> None:
    text = """\
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: a, namespace: shop}
spec:
  hosts: [api.example.com]
  http:
  - name: old
    match: [{uri: {prefix: /Old}, ignoreUriCase: true, headers: {x-team: {exact: a}}, port: 80}]
    redirect: {uri: /new}
  - match: [{method: {regex: "GET|HEAD"}}]
    delegate: {name: more}
  - route: [{destination: {host: api.example.com, subset: v1, port: {number: 443}}, weight: 100}]
  tls:
  - match: [{sniHosts: [api.example.com], port: 443, gateways: [mesh]}]
    route: [{destination: {host: gate.ops.svc.cluster.local}}]
  tcp:
  - match: [{destinationSubnets: [10.0.0.0/8]}]
    route: [{destination: {host: db.example.com}}]
"""
    found = load(tmp_path, text).virtual_services[0]
    first, second, third = found.http
    assert found.gateways == ("mesh",)
    assert first.matches[0].uri == StringMatch("prefix", "/Old", True)
    assert (first.matches[0].others, first.answer, second.delegate) == (("headers.x-team",), "redirect", "shop/more")
    assert (third.destinations[0].subset, third.destinations[0].port) == ("v1", 443)
    assert (found.tls[0].matches[0].sni_hosts, found.tcp[0].matches[0].destination_subnets) == (
        ("api.example.com",),
        ("10.0.0.0/8",),
    )


def test_rules_gateways_workloads_and_telemetry_are_read(tmp_path: Path) -> None:
    text = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: d}
spec:
  host: api.example.com
  subsets: [{name: v1, labels: {version: v1}}]
  trafficPolicy: {tls: {mode: SIMPLE}, portLevelSettings: [{port: {number: 443}, tls: {mode: DISABLE}}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g}
spec:
  selector: {istio: egressgateway}
  servers: [{port: {number: 443, name: tls, protocol: TLS}, hosts: [api.example.com], tls: {mode: PASSTHROUGH}}]
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: w, labels: {a: x}}
spec: {address: 192.0.2.1, labels: {b: y}, ports: {tcp: 5432}}
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: t, namespace: istio-system}
spec: {accessLogging: [{providers: [{name: envoy}], filter: {expression: response.code >= 400}, disabled: true}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
"""
    mesh = load(tmp_path, text)
    rule, gateway, entry = mesh.destination_rules[0], mesh.gateways[0], mesh.workload_entries[0]
    assert (rule.subsets, rule.tls_mode, rule.port_tls_modes) == ({"v1": {"version": "v1"}}, "SIMPLE", {443: "DISABLE"})
    assert (gateway.servers[0].tls_mode, gateway.servers[0].hosts) == ("PASSTHROUGH", ("api.example.com",))
    assert (entry.labels, entry.address, entry.ports) == ({"a": "x", "b": "y"}, "192.0.2.1", {"tcp": 5432})
    assert mesh.telemetries[0].access_logging[0].disabled
    assert mesh.namespaces[0].labels["kubernetes.io/metadata.name"] == "app"


POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: shop
  labels: {{app: web, pod-template-hash: 5d4f}}
  annotations:
    proxy.istio.io/config: |
      proxyMetadata: {{ISTIO_META_DNS_CAPTURE: "true"}}
  ownerReferences: [{{kind: {kind}, name: {owner}, controller: true}}]
status: {{podIPs: [{{ip: 10.1.0.9}}], phase: {phase}}}
"""


@pytest.mark.parametrize(
    ("kind", "owner", "workload"),
    [
        ("ReplicaSet", "web-5d4f", "web"),
        ("StatefulSet", "db", "db"),
        ("Job", "nightly-28413360", "nightly"),
        ("Job", "once", "once"),
    ],
)
def test_a_pod_belongs_to_the_workload_that_istio_names(tmp_path: Path, kind: str, owner: str, workload: str) -> None:
    pod = load(tmp_path, POD.format(name="p", kind=kind, owner=owner, phase="Running")).pods[0]

    assert (pod.workload, pod.addresses, pod.proxy_metadata) == (
        workload,
        ("10.1.0.9",),
        {"ISTIO_META_DNS_CAPTURE": "true"},
    )


def test_a_pod_that_has_ended_holds_no_address(tmp_path: Path) -> None:
    assert load(tmp_path, POD.format(name="p", kind="Job", owner="j", phase="Succeeded")).pods == ()


def test_an_endpoint_slice_gives_the_ready_addresses_of_its_service(tmp_path: Path) -> None:
    text = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
endpoints:
- {addresses: [10.1.0.9], conditions: {ready: true}, targetRef: {kind: Pod, name: web-x}}
- {addresses: [10.1.0.8], conditions: {ready: false}}
"""
    found = load(tmp_path, text).endpoint_slices[0]
    assert (found.service, found.addresses) == ("web", {"10.1.0.9": "web-x"})


def test_applying_over_replaces_by_kind_namespace_and_name_and_keeps_the_age(tmp_path: Path) -> None:
    old = load(tmp_path, ENTRY.format(version="v1", name="a") + "---\n" + ENTRY.format(version="v1", name="b"))
    new = load(
        tmp_path,
        ENTRY.format(version="v1", name="b")
        .replace("443", "8443")
        .replace(", creationTimestamp: 2026-01-02T03:04:05Z", ""),
    ).as_proposed()

    entries = {entry.name: entry for entry in old.over(new).service_entries}
    assert entries["b"].ports[0].number == 8443
    assert (entries["b"].creation_timestamp, entries["b"].proposed) == ("2026-01-02T03:04:05Z", False)
    assert set(entries) == {"a", "b"}


@pytest.mark.parametrize(
    ("spec", "allocated"),
    [
        ("resolution: DNS", {"api.example.com": ("240.240.0.5",)}),
        ("resolution: NONE", {}),
        ("{resolution: STATIC, addresses: [192.0.2.1]}", {}),
    ],
)
def test_an_applied_entry_keeps_the_addresses_that_were_allocated_to_what_it_replaces(
    tmp_path: Path, spec: str, allocated: dict[str, tuple[str, ...]]
) -> None:
    head = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: a, namespace: shop}\n"
    status = (
        "status: {addresses: [{value: 240.240.0.5, host: api.example.com}, {value: 240.240.0.6, host: b.example}]}\n"
    )
    old = load(tmp_path, f"{head}spec: {{hosts: [api.example.com, b.example], resolution: DNS}}\n{status}")
    new = load(tmp_path, f"{head}spec: {{hosts: [api.example.com], {spec.strip('{}')}}}\n").as_proposed()

    (entry,) = old.over(new).service_entries

    assert dict(entry.auto_addresses) == allocated


def test_what_does_not_exist_yet_is_no_mesh_as_it_is(tmp_path: Path) -> None:
    assert load(tmp_path, ENTRY.format(version="v1", name="a")).as_proposed().is_empty


def test_of_two_documents_for_one_object_the_later_holds(tmp_path: Path) -> None:
    text = ENTRY.format(version="v1", name="a") + "---\n" + ENTRY.format(version="v1", name="a").replace("443", "8443")

    assert [entry.ports[0].number for entry in load(tmp_path, text).service_entries] == [8443]
