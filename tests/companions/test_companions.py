import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from analyzer.companions import Companions, Situation, known_companions, make_companions
from analyzer.companions.making import documents_of
from analyzer.errors import UsageError
from analyzer.evidence import Destination
from analyzer.mesh import load_mesh
from analyzer.mesh.loading import mesh_of as read_mesh
from analyzer.mesh.loading import service_entry_of
from analyzer.mesh.model import Endpoint, Gateway, Mesh, Port, ServiceEntry, Sidecar
from analyzer.mesh.scoping import EgressListener
from analyzer.proposals import propose
from analyzer.readiness import EvidenceMeter, NamespaceReadiness, Traffic
from analyzer.settings import Settings
from analyzer.simulation import Simulator
from analyzer.validation import validate
from analyzer.vocabulary import MANAGED_BY, MANAGED_BY_LABEL, Mode, Outcome, Readiness, Resolution, Severity
from tests.detection.building import destination, judged

KNOWN = {"server_not_verified_on_port", "static_without_endpoints"}
"""Findings that are meant: the proxy's own roots check the server; an entry that admits nobody."""
SHOP = (
    destination("api.partner.example"),
    destination("api.partner.example", "http"),
    destination("mirror.packages.example", "http", workload="reports"),
)


def situation(
    destinations: Sequence[Destination] = SHOP,
    *names: str,
    mesh: Mesh | None = None,
    version: str = "1.31",
    **said: Any,
) -> Situation:
    options = said.pop("options", {})
    proposals = {"companions": list(names), **options.pop("proposals", {})}
    configured = Settings.model_validate({"proposals": proposals, **options})
    verdicts = judged(destinations, **options)
    as_is = mesh or Mesh()
    namespaces = sorted({item.key.source_namespace for item in destinations if item.key.source_namespace})
    return Situation(
        judged=verdicts,
        destinations=destinations,
        proposals=propose(verdicts, as_is, configured, istio_version=version),
        mesh=as_is,
        settings=configured,
        istio_version=version,
        readiness=tuple(readiness(name) for name in namespaces),
        **said,
    )


def readiness(namespace: str, breaking: int = 0, status: Readiness = Readiness.READY) -> NamespaceReadiness:
    nothing = Traffic()
    return NamespaceReadiness(
        namespace=namespace,
        status=status,
        because="Nothing would break.",
        meter=EvidenceMeter(),
        entries=10,
        breaking=Traffic(breaking, 0, 1, ("web",)),
        stopped=nothing,
        unsure=nothing,
        refused=nothing,
        mended=nothing,
    )


def made(*arguments: Any, **said: Any) -> Companions:
    return make_companions(situation(*arguments, **said))


def specs(companions: Companions) -> dict[str, Any]:
    read = YAML(typ="safe", pure=True).load
    return {
        f.file.removeprefix("companions/"): read(f.text)["spec"] for f in companions.files if f.file[-5:] == ".yaml"
    }


def test_nothing_is_made_unasked() -> None:
    assert made() == Companions()


def test_an_unknown_companion_is_wrong_usage_that_names_those_that_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        made(SHOP, "side_car")

    assert "sidecar" in (caught.value.hint or "")


@pytest.mark.parametrize("version", ["1.31", "1.24", "1.20", "1.9"])
def test_every_object_is_what_this_istio_takes_and_says_whose_it_is(version: str) -> None:
    everything = made(SHOP, *known_companions(), version=version, coverage={"source_namespace": (0, 9)})

    documents = documents_of(everything.files)
    assert len(documents) > 10
    for document in documents:
        assert document.content["metadata"]["labels"] == {MANAGED_BY_LABEL: MANAGED_BY}
        assert {f"{MANAGED_BY}/entries", f"{MANAGED_BY}/reason"} <= set(document.content["metadata"]["annotations"])
    apart = [d for d in documents if "rollback" not in d.origin.file and "destination_rule" not in d.origin.file]
    found = {f.code for f in validate(apart, version) if f.severity is not Severity.INFO}
    assert found <= {*KNOWN, "host_in_two_namespaces"}


def test_an_object_that_kubernetes_refuses_is_not_written_and_said_to_be_so() -> None:
    companions = made(SHOP, "egress_gateway", options={"companions": {"gateway_namespace": "Not_A_Namespace"}})

    assert companions.files == ()
    assert "'Not_A_Namespace' is no namespace" in companions.notes[-1]


@settings(max_examples=10)
@given(st.permutations([*SHOP, destination("other.example", "tls", namespace="ops")]))
def test_the_order_of_the_evidence_changes_no_byte(shuffled: list[Destination]) -> None:
    expected = made([*SHOP, destination("other.example", "tls", namespace="ops")], *known_companions())

    assert made(shuffled, *known_companions()) == expected


def test_a_sidecar_lists_its_own_namespace_the_control_plane_and_the_neighbours_it_calls() -> None:
    neighbour = destination("web.front.svc.cluster.local", "http", port=80, classes={"in_mesh": 5})

    files = specs(made([*SHOP, neighbour], "sidecar"))

    assert files["sidecar/01-shop.yaml"] == {
        "egress": [{"hosts": ["./*", "front/*", "istio-system/*"]}],
        "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
    }
    assert files["sidecar/rollback/01-shop.yaml"] == {
        "egress": [{"hosts": ["*/*"]}],
        "outboundTrafficPolicy": {"mode": "ALLOW_ANY"},
    }


def test_a_sidecar_hides_nothing_where_the_log_does_not_name_the_neighbour() -> None:
    nameless = destination(None, "tcp", ip="10.0.0.7", port=9000, classes={"in_mesh": 5})

    files = specs(made([*SHOP, nameless], "sidecar"))

    assert files["sidecar/01-shop.yaml"]["egress"] == [{"hosts": ["*/*"]}]


def test_a_log_that_was_not_watched_long_enough_hides_nothing() -> None:
    asked = situation(SHOP, "sidecar")
    short = replace(readiness("shop"), meter=EvidenceMeter(lacks=("13 more days",)))

    files = specs(make_companions(replace(asked, readiness=(short,))))

    assert files["sidecar/01-shop.yaml"]["egress"] == [{"hosts": ["*/*"]}]


def test_an_entry_that_was_not_given_may_stand_anywhere_so_that_nothing_is_hidden_or_closed() -> None:
    unknown = destination("www.partner.example", port=8443, classes={"registered": 5})

    files = specs(made([*SHOP, unknown], "sidecar", "network_policy"))

    assert files["sidecar/01-shop.yaml"]["egress"] == [{"hosts": ["*/*"]}]
    policy = files["network_policy/shop/networkpolicy-egress-audit-egress.yaml"]
    assert [port["port"] for port in policy["egress"][2]["ports"]] == [80, 443, 8443]


def test_what_is_let_out_without_the_sidecar_is_let_out_with_it() -> None:
    asked = situation(SHOP, "sidecar")
    hosts = specs(make_companions(asked))["sidecar/01-shop.yaml"]["egress"][0]["hosts"]

    listed = Sidecar(namespace="shop", name="default", egress=(EgressListener(tuple(hosts)),), proposed=True)
    after = Simulator(asked.applied.over(Mesh(sidecars=(listed,))), mode=Mode.REGISTRY_ONLY, istio_version="1.31")

    assert all(after.decide(r).outcome is Outcome.ALLOWED for d in SHOP for r in d.requests)


def test_a_rollout_begins_where_nothing_breaks() -> None:
    asked = situation([*SHOP, destination("b.example", namespace="ops"), destination("c.example", namespace="web")])
    ready = (
        readiness("ops", 7, Readiness.NOT_READY),
        readiness("shop", 3, Readiness.NOT_READY),
        readiness("web", 0, Readiness.CANNOT_SAY_YET),
    )
    wanted = asked.settings.model_copy(
        update={"proposals": asked.settings.proposals.model_copy(update={"companions": ("sidecar",)})}
    )

    files = make_companions(replace(asked, settings=wanted, readiness=ready)).files

    steps = [file.file for file in files if "rollback" not in file.file and file.file.endswith(".yaml")]
    assert steps == [f"companions/sidecar/{name}.yaml" for name in ("01-web", "02-shop", "03-ops")]
    assert "7 entries" in next(file.text for file in files if file.file.endswith("ROLLOUT.md"))


_OWN = """\
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: mine, namespace: shop}
spec:
  # what the shop needs
  egress:
    - hosts: ["istio-system/*"]
  ingress:
    - port: {number: 9080, name: http, protocol: HTTP}
      defaultEndpoint: 127.0.0.1:8080
"""


@pytest.mark.parametrize("former", ["", "ALLOW_ANY"])
def test_a_sidecar_that_is_there_already_is_switched_as_it_stands(tmp_path: Path, former: str) -> None:
    policy = f"  outboundTrafficPolicy: {{mode: {former}}}\n" if former else ""
    (tmp_path / "mine.yaml").write_text(_OWN + policy)
    mesh = load_mesh([str(tmp_path)])[0]

    companions = made(SHOP, "sidecar", mesh=mesh)

    step = next(file.text for file in companions.files if file.file == "companions/sidecar/01-shop.yaml")
    assert "# what the shop needs" in step
    found = specs(companions)
    there, back = found["sidecar/01-shop.yaml"], found["sidecar/rollback/01-shop.yaml"]
    hosts = ["istio-system/*", "./api.partner.example", "./mirror.packages.example"]
    assert there["egress"] == back["egress"] == [{"hosts": hosts}]
    assert there["outboundTrafficPolicy"] == {"mode": "REGISTRY_ONLY"}
    assert back.get("outboundTrafficPolicy") == ({"mode": former} if former else None)
    assert there["ingress"] == back["ingress"]
    assert companions.notes == ()


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        ('"./*"', "istio-system/api.partner.example, istio-system/istio-egressgateway.istio-system.svc.cluster.local"),
        ('"./*", "istio-system/*"', ""),
    ],
)
def test_a_sidecar_that_hides_the_gateway_is_said(tmp_path: Path, lists: str, said: str) -> None:
    (tmp_path / "mine.yaml").write_text(_OWN.replace('"istio-system/*"', lists))

    companions = made([destination("api.partner.example")], "egress_gateway", mesh=load_mesh([str(tmp_path)])[0])

    notes = [note for note in companions.notes if "hides the gateway" in note]
    assert notes == (
        [f"Sidecar shop/mine hides the gateway from its callers: add {said} to its egress hosts."] * bool(said)
    )


def test_a_sidecar_that_hides_the_entry_for_visibility_is_said(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(_OWN)

    companions = made([NAMELESS], "visibility", mesh=load_mesh([str(tmp_path)])[0])

    assert companions.notes == (
        "Sidecar shop/mine hides the entry that brings the inspector: add ./*.show-server-names.egress.internal to its "
        "egress hosts.",
    )


def test_a_namespace_that_is_switched_already_is_no_step(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(_OWN + "  outboundTrafficPolicy: {}\n")

    companions = made(SHOP, "sidecar", mesh=load_mesh([str(tmp_path)])[0])

    assert companions.files == ()
    assert companions.notes == ("shop is REGISTRY_ONLY already, by its Sidecar mine.",)


def test_a_sidecar_whose_document_is_not_at_hand_is_left_to_its_owner() -> None:
    own = Sidecar(namespace="shop", name="mine", egress=None)

    companions = made(SHOP, "sidecar", mesh=Mesh(sidecars=(own,)))

    assert companions.files == ()
    assert "shop has the Sidecar mine already" in companions.notes[0]


def test_tls_is_originated_where_a_host_was_seen_with_and_without() -> None:
    files = specs(made(SHOP, "destination_rule"))

    assert sorted(files) == [
        "destination_rule/shop/destinationrule-api-partner-example.yaml",
        "destination_rule/shop/serviceentry-api-partner-example.yaml",
    ]
    rule, entry = (files[name] for name in sorted(files))
    assert rule["trafficPolicy"]["portLevelSettings"] == [
        {"port": {"number": 80}, "tls": {"mode": "SIMPLE", "sni": "api.partner.example"}}
    ]
    assert [(port["number"], port.get("targetPort")) for port in entry["ports"]] == [(80, 443), (443, None)]


def test_a_gateway_serves_names_and_its_policy_looks_at_names_alone() -> None:
    files = specs(made(SHOP, "egress_gateway"))

    gateway = files["egress_gateway/istio-system/gateway-egress-audit.yaml"]
    assert [(s["port"]["protocol"], s["hosts"]) for s in gateway["servers"]] == [
        ("HTTP", ["api.partner.example", "mirror.packages.example"]),
        ("TLS", ["api.partner.example"]),
    ]
    policy = files["egress_gateway/istio-system/authorizationpolicy-egress-audit.yaml"]
    assert policy["rules"][1] == {"when": [{"key": "connection.sni", "values": ["api.partner.example"]}]}
    assert "from" not in str(policy)
    entry = files["egress_gateway/istio-system/serviceentry-api-partner-example.yaml"]
    assert (entry["resolution"], entry["exportTo"]) == ("DNS", ["."])


def test_a_gateway_that_serves_others_gets_no_policy_that_would_deny_them() -> None:
    other = Gateway(namespace="istio-system", name="other", selector={"istio": "egressgateway"})

    companions = made(SHOP, "egress_gateway", mesh=Mesh(gateways=(other,)))

    assert not [file for file in companions.files if "authorizationpolicy" in file.file]
    assert any("istio-system/other" in note for note in companions.notes)


def test_what_is_on_another_port_does_not_go_through_the_gateway() -> None:
    companions = made([destination("api.partner.example", port=8443)], "egress_gateway")

    assert companions.files == ()
    assert "api.partner.example:8443" in companions.notes[0]


def test_a_network_policy_leaves_open_what_entries_need_and_nothing_behind_a_gateway() -> None:
    beside = specs(made(SHOP, "network_policy"))["network_policy/shop/networkpolicy-egress-audit-egress.yaml"]
    behind = specs(made(SHOP, "network_policy", "egress_gateway"))
    closed = behind["network_policy/shop/networkpolicy-egress-audit-egress.yaml"]

    assert [port["port"] for port in beside["egress"][2]["ports"]] == [80, 443]
    assert len(closed["egress"]) == 2
    assert {port["protocol"] for rule in beside["egress"][1:] for port in rule["ports"]} == {"TCP"}


def test_a_network_policy_follows_an_entry_to_its_endpoints_used_or_not() -> None:
    database = ServiceEntry(
        namespace="shop",
        name="db",
        hosts=("db.example.com",),
        ports=(Port(5432, "tcp", "TCP"),),
        addresses=("192.0.2.1",),
        resolution=Resolution.STATIC,
        endpoints=(Endpoint("203.0.113.7", {"tcp": 15432}),),
    )

    files = specs(made(SHOP, "network_policy", "egress_gateway", mesh=Mesh((database,))))

    egress = files["network_policy/shop/networkpolicy-egress-audit-egress.yaml"]["egress"]
    assert egress[2:] == [
        {"to": [{"ipBlock": {"cidr": "203.0.113.7/32"}}], "ports": [{"protocol": "TCP", "port": 15432}]}
    ]


NAMELESS = destination(None, "tcp", ip="203.0.113.9", port=443, classes={"blocked": 9})


def test_nameless_tls_gets_an_inspector_by_an_entry_that_admits_nobody() -> None:
    asked = situation([NAMELESS], "visibility")
    (file,) = make_companions(asked).files

    spec = specs(Companions((file,)))["visibility/shop/serviceentry-egress-audit-visibility.yaml"]
    assert (spec["resolution"], "addresses" in spec, "endpoints" in spec) == ("STATIC", False, False)
    assert spec["ports"] == [{"number": 443, "name": "tls-443", "protocol": "TLS"}]
    assert spec["hosts"] == ["*.show-server-names.egress.internal"]  # a wildcard is never given an address


def test_an_inspector_that_is_there_is_enough_and_none_goes_where_the_server_speaks_first() -> None:
    named = destination("api.partner.example")
    database = destination(None, "tcp", ip="203.0.113.9", port=3306, classes={"blocked": 9})

    assert made([NAMELESS, named], "visibility").files == ()
    assert made([database], "visibility").files == ()


def test_fields_that_no_entry_has_are_logged_by_a_provider_that_has_them_all() -> None:
    files = specs(made(SHOP, "visibility", coverage={"source_namespace": (0, 30), "upstream_cluster": (30, 30)}))

    operator = files["visibility/istio-system/istiooperator-egress-audit-access-log.yaml"]
    (provider,) = operator["meshConfig"]["extensionProviders"]
    labels = provider["envoyFileAccessLog"]["logFormat"]["labels"]
    assert labels["source_namespace"] == "%ENVIRONMENT(POD_NAMESPACE)%"
    assert labels["upstream_cluster"] == "%UPSTREAM_CLUSTER_RAW%"
    assert labels["authority"] == "%REQ(:AUTHORITY)%"
    telemetry = files["visibility/istio-system/telemetry-egress-audit-access-log.yaml"]
    assert telemetry["accessLogging"][0]["providers"] == [{"name": provider["name"]}]


def script(*destinations: Destination) -> str:
    (file,) = made(destinations or SHOP, "probe").files
    return file.text


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_probe_is_clean_to_shellcheck(tmp_path: Path) -> None:
    (tmp_path / "probe.sh").write_text(script())

    subprocess.run(["shellcheck", "--shell=sh", "--severity=style", str(tmp_path / "probe.sh")], check=True)


FAKE = """#!/bin/sh
for last; do :; done
case "$*" in
    *"get statefulset/web") exit 0 ;;
    *" get "*) exit 1 ;;
    *"exec statefulset/web --"*) ;;
    *) exit 1 ;;
esac
case $last in
    *example.org*) {stranger} ;;
    telnet:*) exit 28 ;;
    *mirror*) printf 502; exit 0 ;;
    *) printf 200; exit 0 ;;
esac
"""


def probed(tmp_path: Path, stranger: str, *destinations: Destination) -> "subprocess.CompletedProcess[str]":
    (tmp_path / "probe.sh").write_text(script(*destinations))
    fake = tmp_path / "kubectl"
    fake.write_text(FAKE.format(stranger=stranger))
    fake.chmod(0o755)
    return subprocess.run(
        ["sh", str(tmp_path / "probe.sh")], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, text=True, capture_output=True
    )


def test_the_probe_passes_where_all_answer_and_strangers_are_refused(tmp_path: Path) -> None:
    done = probed(tmp_path, "exit 35", destination("api.partner.example"))

    assert (done.returncode, done.stderr) == (0, "3 passed, 0 failed, 0 skipped\n")
    assert done.stdout.splitlines()[0].split("\t")[:2] == ["pass", "shop"]


def test_the_probe_fails_where_a_sidecar_refuses_or_a_stranger_answers(tmp_path: Path) -> None:
    done = probed(tmp_path, "printf 200; exit 0", destination("mirror.packages.example", "http"))

    assert (done.returncode, done.stderr) == (1, "0 passed, 3 failed, 0 skipped\n")


def test_the_probe_skips_what_cannot_be_called(tmp_path: Path) -> None:
    done = probed(tmp_path, "exit 6", destination("api.partner.example"))

    assert done.stderr == "1 passed, 0 failed, 2 skipped\n"


@pytest.mark.parametrize("hostile", ["$(reboot)", "a; reboot", "a'b", "`x`", "-o/etc/x", "a\nb"])
def test_no_text_of_the_log_reaches_the_shell(hostile: str) -> None:
    lines = script(destination("api.partner.example"), destination("b.partner.example", workload=hostile))

    assert hostile not in lines


def test_the_entry_that_shows_names_lets_nobody_out() -> None:
    asked = situation([NAMELESS], "visibility")
    (document,) = documents_of(make_companions(asked).files)

    after = Simulator(
        asked.applied.over(Mesh((replace(service_entry_of(document), proposed=True),))),
        mode=Mode.REGISTRY_ONLY,
        istio_version="1.31",
    )

    forged = destination("a.show-server-names.egress.internal")
    assert [after.decide(request).outcome for request in forged.requests] == [Outcome.BROKEN]
    assert all(after.decide(request).outcome is not Outcome.ALLOWED for request in NAMELESS.requests)


@pytest.mark.parametrize("name", ["egress_gateway", "sidecar", "visibility", "destination_rule"])
def test_what_is_let_out_stays_so_with_a_companion_applied(name: str) -> None:
    asked = situation([*SHOP, NAMELESS], name)
    files = [file for file in make_companions(asked).files if "rollback" not in file.file]

    beside = read_mesh(documents_of(files), []).as_proposed()
    after = Simulator(asked.applied.over(beside), mode=Mode.REGISTRY_ONLY, istio_version="1.31")

    assert beside != Mesh() or name == "visibility"
    assert all(after.decide(r).outcome is Outcome.ALLOWED for d in SHOP for r in d.requests)
