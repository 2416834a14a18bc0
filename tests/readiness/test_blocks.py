"""The cause of each block: what a mesh operator wrote, what was asked for, and what is said of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from analyzer.mesh import load_mesh
from analyzer.mesh.model import Mesh
from analyzer.readiness import Block
from analyzer.vocabulary import Result
from tests.detection.building import destination, rule
from tests.proposals.building import mesh_of
from tests.readiness.building import assessment
from tests.simulation.building import mesh_in


def entry(name: str, *hosts: str, ports: str = "443/TLS", **spec: Any) -> dict[str, Any]:
    numbers = [port.partition("/") for port in ports.split()]
    declared = [{"number": int(n), "name": f"p{n}", "protocol": protocol} for n, _, protocol in numbers]
    return {"name": name, "spec": {"hosts": list(hosts), "ports": declared, "resolution": "DNS", **spec}}


API = entry("egress/api", "api.example.com")


def blocks(*destinations, mesh=(), **settings: Any) -> tuple[Block, ...]:
    return assessment(destinations, mesh_of(mesh), **settings).blocks


@dataclass
class Case:
    mesh: list[dict[str, Any]]
    code: str
    repair: str
    object: str | None = "ServiceEntry/egress/api"
    proven: bool | None = True
    host: str | None = "api.example.com"
    protocol: str = "tls"
    asked: dict[str, Any] = field(default_factory=dict)


CASES = {
    "nothing is registered": Case(
        [entry("egress/other", "other.example.com", ports="80/HTTP")],
        "no_entry", "Add an entry for api.example.com with port 443 TLS.", None,
    ),
    "the port is missing": Case(
        [entry("egress/api", "api.example.com", ports="80/HTTP")], "port_missing", "Add port 443 TLS to it.",
    ),
    "the protocol is wrong": Case(
        [entry("egress/api", "api.example.com", ports="443/HTTP")],
        "protocol_wrong", "Make the protocol of its port 443 TLS.",
    ),
    "plain HTTP at a TLS port": Case(
        [entry("egress/api", "api.example.com", ports="8443/TLS")],
        "protocol_wrong", "Make the protocol of its port 8443 HTTP.", protocol="http", asked={"port": 8443},
    ),
    "it is not exported here": Case(
        [entry("egress/api", "api.example.com", exportTo=["."])], "not_exported", "Add shop to its `exportTo`.",
    ),
    "a wildcard does not cover its apex": Case(
        [entry("egress/api", "*.api.example.com", resolution="NONE")],
        "name_differs", "Add api.example.com to its `hosts`.",
    ),
    "www is another name": Case(
        [entry("egress/api", "www.api.example.com")], "name_differs", "Add api.example.com to its `hosts`.",
    ),
    "a trailing dot in the entry": Case(
        [entry("egress/api", "api.example.com.")], "name_differs", "Write its host without the trailing dot.",
    ),
    "upper case in the entry": Case(
        [entry("egress/api", "API.example.com", ports="80/HTTP")],
        "name_differs", "Write API.example.com in lower case.", protocol="http",
    ),
    "the entry stands at another address": Case(
        [entry("egress/api", "api.example.com", addresses=["203.0.113.99"])],
        "address_differs", "Take its `addresses` out: the server name is enough.",
    ),
    "a TCP entry lacks the address": Case(
        [entry("egress/api", "db.example.com", ports="5432/TCP", addresses=["203.0.113.0/28"], resolution="NONE")],
        "no_entry", "Find out whose address it is; then an entry by its addresses, port 5432.", None, None,
        host=None, protocol="tcp", asked={"ip": "203.0.113.40"},
    ),
    "an address has an entry without the port": Case(
        [entry("egress/api", "db.example.com", ports="5433/TCP", addresses=["203.0.113.0/28"], resolution="NONE")],
        "port_missing", "Add port 5432 TCP to it.", host=None, protocol="tcp", asked={"ip": "203.0.113.4"},
    ),
    "an entry of one's own namespace hides the port of a shared one": Case(
        [API, entry("shop/api", "api.example.com", ports="80/HTTP")],
        "port_missing", "Add port 443 TLS to it.", "ServiceEntry/shop/api",
    ),
    "another entry's addresses take the connection": Case(
        [API, entry("egress/net", "net.example.org", addresses=["203.0.113.0/28"], resolution="NONE")],
        "captured", "Take `addresses` out of egress/net, or narrow them.", "ServiceEntry/egress/net", None,
    ),
    "another entry without a name check takes it": Case(
        [entry("egress/other", "other.example.org", addresses=["203.0.113.10"])],
        "captured", "Take its `addresses` out: without them the server name tells hosts apart.",
        "ServiceEntry/egress/other", False,
    ),
    "two entries that do not merge": Case(
        [
            entry("egress/api", "api.example.com", ports="80/HTTP"),
            entry("egress/b", "api.example.com", resolution="NONE"),
        ],
        "cannot_work", "Make one entry of those for this host, or give them the same resolution, labels and exportTo.",
        "ServiceEntry/egress/b", None,
    ),
    "an address that Istio made up and nobody has": Case(
        [API], "auto_allocated",
        "Have the client look the name up again; give --mesh an export with `status.addresses` to see whose it is.",
        None, None, host=None, protocol="tcp", asked={"ip": "240.240.0.9"},
    ),
    "a connection without a name on a port of names": Case(
        [API], "name_unknown",
        "Make the proxy log it: a TLS entry on the port makes Istio read server names, %REQ(:AUTHORITY)% is the Host.",
        None, None, host=None, protocol="tcp", asked={"port": 443},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_cause_of_a_block_and_its_smallest_repair(case: Case) -> None:
    asked = destination(case.host, case.protocol, classes={"blocked": 7}, **case.asked)

    (block,) = blocks(asked, mesh=case.mesh)

    cause = block.cause
    assert (cause.code, cause.repair, cause.object) == (case.code, case.repair, case.object)
    assert (block.refused, block.entries, block.proven) == (7, 7, case.proven)
    assert cause.place == (
        None if case.object is None else case.object.replace("/", "-").replace("ServiceEntry-", "mesh/") + ".yaml:1"
    )


NAMED = {
    "kind": "VirtualService",
    "metadata": {"name": "named", "namespace": "egress"},
    "spec": {
        "hosts": ["a.example.com", "api.example.com"],
        "tls": [{"match": [{"sniHosts": ["a.example.com"]}], "route": [{"destination": {"host": "a.example.com"}}]}],
    },
}
ASTRAY = {
    "kind": "VirtualService",
    "metadata": {"name": "astray", "namespace": "egress"},
    "spec": {"hosts": ["api.example.com"], "http": [{"route": [{"destination": {"host": "nowhere.example.com"}}]}]},
}
POD = {
    "kind": "Pod",
    "metadata": {"name": "jobs-1", "namespace": "egress", "labels": {"app": "jobs"}},
    "status": {"podIP": "10.1.0.1"},
}


@pytest.mark.parametrize(
    ("entries", "documents", "protocol", "port", "cause"),
    [
        (["api.example.com:443/TLS in zeta", "api.example.com:8443/TLS in alpha"], [], "tls", 8443,
         ("port_missing", "ServiceEntry/zeta/e1", "Add port 8443 TLS to it.")),
        (["api.example.com:443/TLS", "api.example.com:8443/TLS in ops exp shop"], [], "tls", 443,
         ("port_missing", "ServiceEntry/ops/e2", "Add port 443 TLS to it.")),
        (["a.example.com,api.example.com:443/TLS"], [NAMED], "tls", 443,
         ("captured", "VirtualService/egress/named", "Add api.example.com to the `sniHosts` of a route of it.")),
        (["api.example.com:80/HTTP named astray"], [ASTRAY], "http", 80,
         ("cannot_work", "VirtualService/egress/astray", "Mend the route that takes it, or add one.")),
        (["*.example.com:443/TLS"], [], "tls", 443,
         ("cannot_work", "ServiceEntry/egress/e1", "Make its `resolution` NONE, or add `endpoints`.")),
        (["api.example.com:443/TLS DYNAMIC_DNS"], [], "tls", 443,
         ("cannot_work", "ServiceEntry/egress/e1", "Make its `resolution` NONE for a wildcard, DNS for a full name.")),
        (["api.example.com:443/TLS STATIC selects app=vm"], [POD], "tls", 443,
         ("cannot_work", "ServiceEntry/egress/e1",
          "Let its `workloadSelector` select what runs, or give it `endpoints` in its place.")),
        (["p.example.com:8080/HTTP_PROXY"], [], "tls", 8080,
         ("cannot_work", "ServiceEntry/egress/e1", "Make the protocol of its port 8080 HTTP or TCP.")),
        (["*-eu.example.com:443/TLS NONE", "api.example.com:443/TLS"], [], "tls", 443,
         ("cannot_work", "ServiceEntry/egress/e1",
          "Write names for port 443 that begin with `*.` or no star, each in one entry or route alone.")),
        (["api.example.com:443/TLS exp ~"], [], "tls", 443,
         ("not_exported", "ServiceEntry/egress/e1", "Write shop in place of `~`.")),
    ],
    ids=["another namespace's is the older", "another's is exported by name", "a route without the name",
         "a route to nowhere, of a VirtualService named like its entry", "a wildcard that DNS should resolve",
         "DYNAMIC_DNS of a full name", "a selector of nothing", "HTTP_PROXY", "a partial wildcard", "shown to nobody"],
)  # fmt: skip
def test_the_object_that_must_change_is_named_with_its_repair(
    entries: list[str], documents: list[Any], protocol: str, port: int, cause: tuple[str, str, str]
) -> None:
    asked = destination("api.example.com", protocol, port=port, classes={"blocked": 7})

    (block,) = assessment([asked], mesh_in({"entries": entries, "documents": documents})).blocks

    assert (block.cause.code, block.cause.object, block.cause.repair) == cause


def test_what_the_switch_would_refuse_has_a_cause_as_well() -> None:
    (block,) = blocks(destination("api.example.com"), mesh=[entry("egress/api", "api.example.com", ports="80/HTTP")])

    assert (block.cause.code, block.refused, block.entries) == ("port_missing", 0, 10)


def test_what_the_mesh_admits_by_now_was_refused_before_its_entry() -> None:
    (block,) = blocks(destination("api.example.com", classes={"blocked": 2}), mesh=[API])

    assert block.cause.code == "registered_since"


def test_a_failure_on_the_far_side_is_no_matter_of_policy() -> None:
    failing = destination(
        "api.example.com",
        classes={"registered": 8},
        failures_when_let_through=6,
        by_result={Result.OK: 2, Result.TIMEOUT: 6},
    )

    (block,) = blocks(failing, mesh=[API])

    assert (block.cause.code, block.entries) == ("upstream_failure", 6)
    assert "timeout 6" in block.cause.because


def test_what_is_denied_is_not_to_be_mended() -> None:
    bad = destination("api.example.com", classes={"blocked": 3})

    (block,) = blocks(
        bad,
        mesh=[entry("egress/api", "api.example.com", ports="80/HTTP")],
        rules=[rule("deny", hosts=["api.example.com"])],
    )

    assert block.cause.repair.startswith("Nothing, unless a person decides otherwise: it is judged denied")


def test_a_proposal_that_mends_it_is_named() -> None:
    (block,) = blocks(destination("api.example.com"))

    assert (block.proposal, block.proven) == ("manifests/shop/api-example-com.yaml", True)


def test_without_a_mesh_nothing_is_claimed_of_it() -> None:
    (block,) = blocks(destination("api.example.com", classes={"blocked": 2}))

    assert block.cause.because == "The mesh was not given (--mesh); no entry is known for api.example.com:443."


def test_in_cluster_traffic_has_no_cause() -> None:
    assert blocks(destination("web.shop.svc.cluster.local", "http", classes={"in_mesh": 4})) == ()


IN_CLUSTER = """\
apiVersion: v1
kind: Service
metadata: {name: search, namespace: shop}
spec:
  clusterIP: 10.96.0.9
  ports: [{name: http, port: 80}]
"""
NARROW = """\
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: shop}
spec:
  egress:
  - hosts: ["./*", istio-system/*]
"""


def loaded(folder: Path, text: str, *entries: dict[str, Any]) -> Mesh:
    (folder / "more.yaml").write_text(text)
    return load_mesh([str(folder)])[0].over(mesh_of(entries))


def test_a_sidecar_that_does_not_list_the_entry_is_named(tmp_path: Path) -> None:
    mesh = loaded(tmp_path, NARROW, API)

    (block,) = assessment([destination("api.example.com", classes={"blocked": 4})], mesh).blocks

    cause = block.cause
    assert (cause.code, cause.object, block.proven) == ("sidecar_list", "Sidecar/shop/default", True)
    assert cause.repair == "Add egress/api.example.com to `egress.hosts` of Sidecar shop/default."
    assert cause.place == f"{tmp_path}/more.yaml:1"


def test_a_service_that_lacks_the_port_is_named(tmp_path: Path) -> None:
    asked = destination("search.shop.svc.cluster.local", "http", port=9200, classes={"blocked": 4})

    (block,) = assessment([asked], loaded(tmp_path, IN_CLUSTER)).blocks

    assert (block.cause.code, block.cause.object) == ("port_missing", "Service/shop/search")
    assert block.cause.because == "Service shop/search does not have port 9200 (it has 80)."
