"""What a proposal carries, and how the road ends where evidence is odd."""

from dataclasses import replace

import pytest

from analyzer.errors import UsageError
from analyzer.evidence import Destination
from analyzer.proposals import placed, proposals_as_json
from analyzer.settings import Settings
from analyzer.vocabulary import Outcome
from tests.detection.building import destination, rule
from tests.proposals.building import mesh_of, proposals_for


@pytest.mark.parametrize(("version", "api"), [("1.21", "v1beta1"), ("1.22", "v1"), ("1.31", "v1")])
def test_the_api_version_is_one_that_the_istio_version_serves(version: str, api: str) -> None:
    (only,) = proposals_for([destination("api.partner.example")], None, version).proposed

    assert only.yaml.startswith(f"apiVersion: networking.istio.io/{api}\n")


def test_an_unsupported_istio_version_is_refused() -> None:
    with pytest.raises(UsageError):
        proposals_for([destination("api.partner.example")], None, "1.2")


def test_every_manifest_carries_its_evidence() -> None:
    some = [
        destination("api.partner.example", workload="web", classes={"blocked": 4}),
        destination("api.partner.example", "http", workload="batch", classes={"passthrough": 3}),
    ]

    (only,) = proposals_for(some).proposed

    annotations = dict(line.strip().split(": ", 1) for line in only.yaml.splitlines() if "egress-audit/" in line)
    assert annotations == {
        "egress-audit/entries": '"7"',
        "egress-audit/first-seen": '"2026-03-02T09:00:00Z"',
        "egress-audit/last-seen": '"2026-03-02T09:00:30Z"',
        "egress-audit/workloads": '"batch, web"',
        "egress-audit/reason": '"7 entries from batch, web: 4 refused, 3 let out without an entry."',
    }


def test_all_manifests_have_the_same_labels_because_merging_asks_for_it() -> None:
    rules = [rule("allow", ports=[5432])]
    some = [destination("api.partner.example"), destination(None, "tcp", ip="203.0.113.5")]

    found = proposals_for(some, rules=rules).proposed

    assert {tuple(item.object.labels.items()) for item in found} == {
        (("app.kubernetes.io/managed-by", "egress-audit"),)
    }


def test_an_edited_entry_keeps_its_owners_labels_and_is_annotated() -> None:
    ports = [{"number": 80, "name": "http", "protocol": "HTTP"}]
    spec = {"hosts": ["api.partner.example"], "ports": ports, "resolution": "DNS"}
    mesh = [{"name": "shop/api", "labels": {"team": "a"}, "spec": spec}]

    (only,) = proposals_for([destination("api.partner.example")], mesh_of(mesh)).proposed

    assert dict(only.object.labels) == {"team": "a"}
    assert "managed-by" not in only.yaml
    assert "egress-audit/reason" in only.yaml


def test_a_person_who_allowed_an_address_is_named_in_the_manifest() -> None:
    rules = [rule("allow", ports=[5432])]

    (only,) = proposals_for([destination(None, "tcp", ip="203.0.113.5")], rules=rules).proposed

    assert "Allowed by settings: agreed (owner platform)." in only.reason
    assert 'egress-audit/needs-review: "true"' in only.yaml


def test_a_wildcard_says_what_it_widens() -> None:
    some = [destination(f"{name}.es.example") for name in "ab"]

    (only,) = proposals_for(some, proposals={"wildcard_after_hosts": 2}).proposed

    assert "Admits every name below es.example" in only.reason
    assert only.needs_review


def test_one_odd_request_among_good_ones_is_a_warning_and_no_refusal() -> None:
    good = destination("api.partner.example")
    dotted = replace(good.requests[0], requested_server_name="api.partner.example.", entries=2)
    both = replace(good, requests=(*good.requests, dotted), entries=12)

    found = proposals_for([both])

    assert len(found.proposed) == 1
    assert len(found.warnings) == 1
    assert "api.partner.example:443 of web: 2 entries would be blocked." in found.warnings[0]


def test_a_destination_of_which_nothing_would_get_out_is_not_proposed() -> None:
    good = destination("api.partner.example")
    dotted = replace(good, requests=(replace(good.requests[0], requested_server_name="api.partner.example."),))

    found = proposals_for([dotted])

    assert [item.code for item in found.not_proposed] == ["not_admitted"]


def test_a_manifest_does_not_claim_a_caller_whom_it_does_not_help() -> None:
    good = destination("api.partner.example", workload="web")
    other = destination("api.partner.example", workload="batch")
    dotted = replace(other, requests=(replace(other.requests[0], requested_server_name="api.partner.example."),))

    found = proposals_for([good, dotted])

    assert [key.source_workload for key in found.proposed[0].destinations] == ["web"]
    assert [(item.key.source_workload, item.code) for item in found.not_proposed] == [("batch", "not_admitted")]


def test_forged_workload_names_cannot_write_into_the_manifest() -> None:
    forged = destination("api.partner.example", workload='x"\n  ports: []\x1b[31m')

    (only,) = proposals_for([forged]).proposed
    (honest,) = proposals_for([destination("api.partner.example")]).proposed

    assert "\x1b" not in only.yaml
    assert only.yaml.count("\n") == honest.yaml.count("\n")


def test_inbound_traffic_is_nobodys_business_here() -> None:
    found = proposals_for([destination("api.partner.example", "http", classes={"inbound": 5})])

    assert (found.proposed, found.not_proposed) == ((), ())


def test_a_destination_is_replayed_from_the_default_namespace_where_its_own_is_unknown() -> None:
    settings = Settings.model_validate({"proposals": {"default_namespace": "edge"}})
    unknown: Destination = destination("api.partner.example", namespace=None)

    moved = placed(unknown, settings)

    assert moved.key == unknown.key
    assert {request.key.source_namespace for request in moved.requests} == {"edge"}


def test_the_json_has_the_keys_of_the_contract() -> None:
    some = [destination("api.partner.example"), destination("rare.example", classes={"blocked": 1})]

    document = proposals_as_json(proposals_for(some), {Outcome.ALLOWED: 10})

    assert set(document) == {"proposals", "not_proposed", "patches", "coverage"}
    assert {"file", "kind", "namespace", "name", "destinations", "entries", "reason"} <= set(document["proposals"][0])
    assert set(document["not_proposed"][0]) == {"destination", "verdict", "code", "reason"}
    assert document["coverage"] == {"allowed": 10}
