"""What holds of every set of proposals, whatever the evidence."""

from collections import Counter
from dataclasses import replace
from io import StringIO
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from analyzer.evidence import Destination
from analyzer.mesh.model import Document, Mesh, Origin
from analyzer.mesh.names import is_dns1123_label
from analyzer.proposals import Action, Proposals
from analyzer.simulation import Simulator
from analyzer.validation import validate
from analyzer.vocabulary import NEWEST_ISTIO, EgressClass, Mode, Outcome, Severity, Verdict
from tests.detection.building import destination, judged
from tests.proposals.building import mesh_of, proposals_for

_HOSTS = [
    "a.es.example",
    "b.es.example",
    "c.d.es.example",
    "es.example",
    "a-b.example",
    "one.s3.amazonaws.com",
    "my_x.example",
]
_CLASSES = [
    {"blocked": 5},
    {"blocked": 6},
    {"passthrough": 9, "blocked": 1},
    {"registered": 7},
    {"blocked": 1},
    {"unclassified": 3},
]
_NAMED = [
    ("tls", 443),
    ("tls", 443),
    ("http", 80),
    ("grpc", 80),
    ("http", 443),
    ("tls", 8443),
    ("tcp", 5432),
    ("http", 15001),
]
_NAMELESS = [("tcp", 443), ("tcp", 5432), ("http", 80)]
_OUT = (Outcome.ALLOWED, Outcome.MISDIRECTED)


@st.composite
def _destinations(draw: st.DrawFn) -> Destination:
    host = draw(st.one_of(st.none(), st.just("a.es.example"), st.sampled_from(_HOSTS)))
    protocol, port = draw(st.sampled_from(_NAMED if host else _NAMELESS))
    return destination(
        host,
        protocol,
        port=port,
        ip=draw(st.sampled_from(["203.0.113.1", "203.0.113.2", "10.0.0.9", "2001:db8::7"])),
        namespace=draw(st.sampled_from(["shop", "shop", "ops", None])),
        workload=draw(st.sampled_from(["web", "batch"])),
        classes=draw(st.sampled_from(_CLASSES)),
        tampered_entries=draw(st.sampled_from([0, 0, 1])),
    )


def _distinct(some: list[Destination]) -> list[Destination]:
    return list({item.key: item for item in some}.values())


_EVIDENCE = st.lists(_destinations(), min_size=3, max_size=14).map(_distinct)
_RULES = st.lists(
    st.fixed_dictionaries(
        {
            "action": st.sampled_from(["allow", "deny"]),
            "owner": st.just("platform"),
            "reason": st.just("agreed"),
            "ports": st.sampled_from([(), (5432,), (443,), (80,)]),
            "hosts": st.sampled_from([("a.es.example",), ("es.example", "a-b.example")]),
            "cidrs": st.sampled_from([(), ("203.0.113.0/31",), ("10.0.0.0/8", "2001:db8::/32")]),
            "workloads": st.sampled_from([(), ("web",)]),
        }
    ),
    max_size=2,
)
_SETTINGS = st.fixed_dictionaries(
    {
        "rules": _RULES,
        "proposals": st.fixed_dictionaries(
            {
                "wildcard_after_hosts": st.sampled_from([0, 2]),
                "default_namespace": st.sampled_from([None, "edge", "shop"]),
                "export_to": st.sampled_from([(".",), ("*",)]),
            }
        ),
    }
)
_ENTRIES = [
    {
        "name": "shared/wild",
        "spec": {"hosts": ["*.es.example"], "ports": [{"number": 443, "name": "t", "protocol": "TLS"}]},
    },
    {
        "name": "shared/exact",
        "spec": {
            "hosts": ["a.es.example"],
            "resolution": "DNS",
            "ports": [{"number": 80, "name": "h", "protocol": "HTTP"}],
        },
    },
    {
        "name": "shared/open",
        "spec": {"hosts": ["db.example"], "ports": [{"number": 5432, "name": "t", "protocol": "TCP"}]},
    },
    {
        "name": "shop/a--b-example",
        "spec": {
            "hosts": ["x.example"],
            "resolution": "DNS",
            "ports": [{"number": 8443, "name": "t", "protocol": "TLS"}],
        },
    },
]
_ENTRIES += [
    {
        "name": "shared/bytes",
        "spec": {
            "hosts": ["a-b.example"],
            "resolution": "DNS",
            "ports": [{"number": 443, "name": "t", "protocol": "TCP"}],
        },
    },
    {
        "name": "shop/clear",
        "spec": {
            "hosts": ["es.example"],
            "resolution": "DNS",
            "ports": [
                {"number": 443, "name": "h", "protocol": "HTTP"},
                {"number": 80, "name": "t", "protocol": "TLS"},
            ],
        },
    },
    {"kind": "Sidecar", "name": "shop/default", "spec": {"egress": [{"hosts": ["istio-system/*"]}]}},
    {"kind": "Sidecar", "name": "ops/default", "spec": {"egress": [{"hosts": ["./*", "shared/es.example"]}]}},
]
_MESHES = st.lists(st.sampled_from(_ENTRIES), unique_by=lambda entry: entry["name"]).map(mesh_of)
_VERSIONS = st.sampled_from(["1.16", "1.21", "1.24", NEWEST_ISTIO])
_given = given(_EVIDENCE, _SETTINGS, _MESHES, _VERSIONS)


def _placed(some: list[Destination], told: dict[str, Any]) -> list[Destination]:
    """Evidence as it is replayed: from the default namespace where none is known."""
    from analyzer.proposals import placed
    from analyzer.settings import Settings

    return [placed(item, Settings.model_validate(told)) for item in some]


def _simulators(found: Proposals, mesh: Mesh, version: str) -> tuple[Simulator, Simulator]:
    proposed = found.mesh
    return Simulator(mesh, istio_version=version), Simulator(mesh.over(proposed), istio_version=version)


def _document(file: str, text: str) -> Document:
    content = YAML().load(StringIO(text))
    metadata = content["metadata"]
    return Document(
        content["kind"], content["apiVersion"], metadata["namespace"], metadata["name"], content, Origin(file)
    )


@_given
def test_every_outbound_destination_is_either_proposed_or_explained(
    evidence: list[Destination], told: dict[str, Any], mesh: Mesh, version: str
) -> None:
    found = proposals_for(evidence, mesh, version, **told)

    made = Counter(key for item in found.proposed if item.kind != "Sidecar" for key in item.destinations)
    shown = Counter(key for item in found.proposed if item.kind == "Sidecar" for key in item.destinations)
    assert (made | shown) + Counter(item.key for item in found.not_proposed) == Counter(item.key for item in evidence)


@_given
def test_only_legitimate_destinations_are_proposed(
    evidence: list[Destination], told: dict[str, Any], mesh: Mesh, version: str
) -> None:
    legitimate = {item.key for item in judged(evidence, **told) if item.verdict is Verdict.LEGITIMATE}

    found = proposals_for(evidence, mesh, version, **told)

    assert {key for item in found.proposed for key in item.destinations} <= legitimate


@_given
def test_what_is_proposed_is_admitted(
    evidence: list[Destination], told: dict[str, Any], mesh: Mesh, version: str
) -> None:
    found = proposals_for(evidence, mesh, version, **told)

    _, after = _simulators(found, mesh, version)
    proposed = {key for item in found.proposed for key in item.destinations}
    allowed = {item.key for item in judged(evidence, **told) if item.reasons[0].code == "allowed_by_settings"}
    for item in _placed(evidence, told):
        if item.key in proposed:
            decisions = [after.decide(request) for request in item.requests]
            assert {decision.outcome for decision in decisions} == {Outcome.ALLOWED}
            assert item.key in allowed or not any(decision.unguarded for decision in decisions)


@_given
def test_nobody_else_is_let_out_and_nobody_is_stopped(
    evidence: list[Destination], told: dict[str, Any], mesh: Mesh, version: str
) -> None:
    found = proposals_for(evidence, mesh, version, **told)

    before, after = _simulators(found, mesh, version)
    others = [item for item in judged(evidence, **told) if item.verdict is not Verdict.LEGITIMATE]
    for item in _placed([other.destination for other in others], told):
        for request in item.requests:
            assert after.decide(request).outcome not in _OUT or before.decide(request).outcome in _OUT
    for item in _placed(evidence, told):
        for request in item.requests:
            assert before.decide(request).outcome is not Outcome.ALLOWED or after.decide(request).outcome in _OUT


@_given
def test_istio_and_we_ourselves_have_nothing_to_say_against_a_proposal(
    evidence: list[Destination], told: dict[str, Any], mesh: Mesh, version: str
) -> None:
    found = proposals_for(evidence, None, version, **told)

    documents = [_document(item.file, item.yaml) for item in found.proposed]
    assert [finding for finding in validate(documents, version) if finding.severity is not Severity.INFO] == []


@_given
def test_names_are_valid_and_used_once(
    evidence: list[Destination], told: dict[str, Any], mesh: Mesh, version: str
) -> None:
    found = proposals_for(evidence, mesh, version, **told)

    files = [item.file for item in found.proposed]
    assert len(set(files)) == len(files)
    assert all(is_dns1123_label(item.name) and is_dns1123_label(item.namespace) for item in found.proposed)
    created = {item.object.reference for item in found.proposed if item.action is Action.CREATE}
    assert not created & {item.reference for item in mesh.service_entries}


@_given
@settings(max_examples=40)
def test_the_order_of_the_evidence_changes_no_byte(
    evidence: list[Destination], told: dict[str, Any], mesh: Mesh, version: str
) -> None:
    mixed = evidence.copy()
    Random(7).shuffle(mixed)
    turned = Mesh(tuple(reversed(mesh.service_entries)), sidecars=tuple(reversed(mesh.sidecars)))

    assert proposals_for(evidence, mesh, version, **told) == proposals_for(mixed, turned, version, **told)


@_given
@settings(max_examples=40)
def test_what_is_applied_is_not_proposed_again(
    evidence: list[Destination], told: dict[str, Any], mesh: Mesh, version: str
) -> None:
    # With no mesh given, what the log calls registered is believed; with one, the mesh must show it.
    evidence = [item for item in evidence if EgressClass.REGISTERED not in item.by_class]
    found = proposals_for(evidence, mesh, version, **told)
    applied = mesh.over(_applied(found.mesh))

    again = proposals_for(evidence, applied, version, **told)

    assert again.proposed == ()


def _applied(proposed: Mesh) -> Mesh:
    return Mesh(
        service_entries=tuple(replace(entry, proposed=False) for entry in proposed.service_entries),
        sidecars=proposed.sidecars,
    )


def test_the_default_mode_is_registry_only() -> None:
    assert Simulator(Mesh()).mode is Mode.REGISTRY_ONLY
