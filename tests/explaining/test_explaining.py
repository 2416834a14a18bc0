"""From what a person types to the chain from log line to decision, beside a mesh with mistakes."""

import pytest

from analyzer.errors import UsageError
from analyzer.execution.auditing import audit
from analyzer.execution.local import ingest
from analyzer.explaining import explain, explanation_as_json, explanation_as_text
from analyzer.mesh import load_mesh
from analyzer.pipeline import Audit
from analyzer.settings import Settings
from tests.golden import ROOT
from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, TCP, text

PAYMENTS = "api.payments-saas.example"
AT_PAYMENTS = {"downstream_local_address": "198.51.100.31:443", "requested_server_name": PAYMENTS}
LET_OUT = {"upstream_cluster": "PassthroughCluster", "upstream_host": "198.51.100.31:443"}
ELSEWHERE = {"downstream_local_address": "198.51.100.61:80"}
LOG = [
    *[text(BLOCKED_TCP, **AT_PAYMENTS)] * 18,
    *[text(TCP, **AT_PAYMENTS, **LET_OUT)] * 18,
    *[text(BLOCKED_HTTP, authority=f"eu-{n}.es.search-cloud.example", **ELSEWHERE) for n in (1, 2, 3, 4) for _ in "ab"],
    *[text(BLOCKED_TCP, downstream_local_address="203.0.113.54:5432")] * 3,
    *[text(BLOCKED_HTTP, authority="jsonplaceholder.typicode.com", downstream_local_address="203.0.113.10:80")] * 3,
    text(BLOCKED_TCP, downstream_local_address="203.0.113.10:80"),
    text(BLOCKED_HTTP, authority="www.partner.example", **ELSEWHERE),
]


@pytest.fixture(scope="module")
def known(tmp_path_factory) -> Audit:
    folder = tmp_path_factory.mktemp("explaining")
    (folder / "payments.log").write_text("\n".join(LOG) + "\n")
    ingest([str(folder / "payments.log")], str(folder / "lake"), labels={"source_namespace": "shop"}, workers=1)
    mesh, _ = load_mesh([str(ROOT / "tests" / "data" / "mesh")])
    return audit(str(folder / "lake"), settings=Settings(), mesh=mesh, istio_version="1.31")


@pytest.mark.parametrize(
    ("what", "names"),
    [
        (PAYMENTS, {f"{PAYMENTS}:443"}),
        (PAYMENTS.upper() + ".", {f"{PAYMENTS}:443"}),
        (f"{PAYMENTS}:443", {f"{PAYMENTS}:443"}),
        (f"https://{PAYMENTS}/charge?id=1", {f"{PAYMENTS}:443"}),
        ("*.es.search-cloud.example", {f"eu-{n}.es.search-cloud.example:80" for n in (1, 2, 3, 4)}),
        ("*.es.search-cloud.example:80", {f"eu-{n}.es.search-cloud.example:80" for n in (1, 2, 3, 4)}),
        ("203.0.113.54", {"203.0.113.54:5432"}),
        ("::ffff:203.0.113.54", {"203.0.113.54:5432"}),
        ("203.0.113.54:5432", {"203.0.113.54:5432"}),
        ("203.0.113.48/28", {"203.0.113.54:5432"}),
        ("198.51.100.31", {f"{PAYMENTS}:443"}),
    ],
)
def test_a_destination_is_found_by_whatever_names_it(known: Audit, what: str, names: set[str]) -> None:
    assert {explanation.judged.destination.name for explanation in explain(known, what)} == names


@pytest.mark.parametrize(
    ("what", "problem", "hint"),
    [
        ("api.payment-saas.example", "no destination api.payment-saas.example", f"did you mean {PAYMENTS}?"),
        (f"{PAYMENTS}:80", "ServiceEntry egress/payments-saas (", f"the log shows {PAYMENTS} on port 443"),
        ("db.partner.example", "ServiceEntry egress/database (", "did you mean"),
        ("192.0.2.1", "no destination 192.0.2.1", "egress-audit destinations"),
        ("https://", "names no destination", "a host"),
    ],
)
def test_what_the_log_does_not_show_is_answered_with_what_comes_near(
    known: Audit, what: str, problem: str, hint: str
) -> None:
    with pytest.raises(UsageError) as error:
        explain(known, what)

    assert problem in str(error.value)
    assert hint in str(error.value.hint)


def test_the_chain_goes_from_the_lines_to_the_replay(known: Audit) -> None:
    (explanation,) = explain(known, PAYMENTS)
    found = explanation_as_json(explanation)

    assert {fate["mechanism"]: fate["entries"] for fate in found["fates"]} == {
        "blackhole_cluster": 18,
        "passthrough_cluster": 18,
    }
    assert all(fate["example"].rpartition(":")[2].isdigit() and fate["field"] for fate in found["fates"])
    assert [name["name"] for name in found["names"]] == [PAYMENTS]
    assert found["manifests"] == ["egress/payments-saas"]
    assert found["touching"][0]["place"].endswith("tests/data/mesh/egress.yaml:2")
    (cause,) = found["causes"]
    assert (cause["code"], cause["repair"], cause["proven"]) == (
        "protocol_wrong", "Make the protocol of its port 443 TLS.", True,
    )  # fmt: skip
    assert (found["replay_as_is"]["outcome"], found["replay"]["outcome"]) == ("blocked", "allowed")
    assert found["proposal"]["file"] == "manifests/egress/payments-saas.yaml"
    assert found["proposals"] == [found["proposal"]]


def test_people_read_the_same_chain_in_the_same_order(known: Audit) -> None:
    (explanation,) = explain(known, PAYMENTS)

    labels = [line[2:11].strip() for line in explanation_as_text(explanation) if line.startswith("  ")]

    assert [label for label in labels if label] == [
        "lines", "name", "legitimate"[:9], "manifest", "as it is", "cause", "proposed", "replayed",
    ]  # fmt: skip


def test_a_name_that_others_used_for_an_address_is_called_a_hint(known: Audit) -> None:
    (explanation,) = explain(known, "203.0.113.10:80")

    assert [(name.name, "hint" in name.learned_from) for name in explanation.names] == [
        ("jsonplaceholder.typicode.com", True)
    ]
