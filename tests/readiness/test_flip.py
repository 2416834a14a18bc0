from dataclasses import replace

import pytest

from analyzer.evidence import Destination
from analyzer.mesh.model import Mesh
from tests.detection.building import destination, rule
from tests.proposals.building import mesh_of
from tests.readiness.building import assessment

API = {
    "name": "egress/api",
    "spec": {
        "hosts": ["api.example.com"],
        "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
        "resolution": "DNS",
    },
}


def only(*destinations: Destination, mesh: Mesh | None = None, **options):
    (namespace,) = assessment(destinations, mesh, **options).namespaces
    return namespace


def test_what_is_registered_already_is_ready() -> None:
    ready = only(destination("api.example.com", classes={"registered": 9}), mesh=mesh_of([API]))

    assert (ready.status, ready.proposals, ready.breaking.entries) == ("ready", (), 0)


def test_what_a_proposal_admits_is_ready_after_it() -> None:
    ready = only(destination("api.example.com"))

    assert (ready.status, ready.proposals) == ("ready_after_proposals", ("manifests/shop/api-example-com.yaml",))


def test_what_no_proposal_admits_breaks_with_its_rows_workloads_and_bytes() -> None:
    nameless = destination(None, "tcp", ip="203.0.113.5", port=9999, workload="batch")
    asked = replace(nameless.requests[0], bytes_received=40, bytes_sent=2)

    namespace = only(
        destination("api.example.com"), replace(nameless, requests=(asked,)), proposals={"tcp_addresses": False}
    )

    assert namespace.status == "not_ready"
    assert (namespace.breaking.entries, namespace.breaking.bytes, namespace.breaking.workloads) == (10, 42, ("batch",))
    ((key, outcome),) = [(row.key.name, row.decision.outcome) for row in namespace.rows]
    assert (key, outcome) == ("203.0.113.5:9999", "blocked")


def test_what_is_known_to_break_needs_no_more_evidence() -> None:
    nameless = destination(None, "tcp", ip="203.0.113.5", port=9999)

    assert only(nameless, hours=1, proposals={"tcp_addresses": False}).status == "not_ready"


def test_a_short_log_cannot_say_and_names_the_day() -> None:
    namespace = only(destination("api.example.com"), hours=6)

    assert namespace.status == "cannot_say_yet"
    assert namespace.because.endswith("could decide on 2026-04-01 if logs go on without a gap.")


def test_no_day_is_named_where_only_better_logs_would_tell() -> None:
    nameless = destination(None, "tcp", ip="203.0.113.5", port=443, classes={"passthrough": 5})

    namespace = only(destination("api.example.com"), nameless, proposals={"tcp_addresses": False})

    assert (namespace.status, namespace.unsure.entries) == ("cannot_say_yet", 5)
    assert "the server name: a TLS entry on the port makes Istio log it" in namespace.because


def test_a_few_unsure_entries_are_within_the_share_that_settings_allow() -> None:
    nameless = destination(None, "tcp", ip="203.0.113.5", port=443, classes={"passthrough": 5})

    namespace = only(
        destination("api.example.com"),
        nameless,
        proposals={"tcp_addresses": False},
        readiness={"max_unsure_share": 0.5},
    )

    assert namespace.status == "ready_after_proposals"


def test_what_is_denied_is_stopped_and_breaks_nothing() -> None:
    bad = destination("bad.example.com")

    namespace = only(bad, rules=[rule("deny", hosts=["bad.example.com"])])

    assert (namespace.status, namespace.stopped.entries, namespace.breaking.entries) == ("ready", 10, 0)


def test_what_is_refused_today_is_mended_or_refused_still() -> None:
    mended = destination("api.example.com", classes={"blocked": 7})
    refused = destination(None, "tcp", ip="203.0.113.5", port=9999, classes={"blocked": 3})

    namespace = only(mended, refused, proposals={"tcp_addresses": False})

    assert (namespace.status, namespace.mended.entries, namespace.refused.entries) == ("ready", 7, 3)
    assert namespace.mode_seen == "REGISTRY_ONLY"


def test_an_entry_that_the_line_cannot_place_is_unsure() -> None:
    nameless = destination(None, "tcp", ip="203.0.113.5", port=9999, classes={"unclassified": 3})

    assert only(nameless, proposals={"tcp_addresses": False}).unsure.entries == 3


@pytest.mark.parametrize(
    ("classes", "mode"), [({"passthrough": 1}, "ALLOW_ANY"), ({"passthrough": 1, "blocked": 1}, None)]
)
def test_the_policy_of_today_is_read_from_the_lines(classes: dict[str, int], mode: str | None) -> None:
    assert only(destination("api.example.com", classes=classes)).mode_seen == mode


def test_namespaces_are_told_apart() -> None:
    both = assessment(
        [
            destination("api.example.com", namespace="a"),
            destination("api.example.com", namespace="b", classes={"blocked": 1}),
        ]
    )

    assert [(item.namespace, item.entries) for item in both.namespaces] == [("a", 10), ("b", 1)]
