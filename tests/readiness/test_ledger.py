from typing import Any

from analyzer.mesh.model import Mesh
from analyzer.readiness import Grant, Ledger
from tests.detection.building import destination
from tests.proposals.building import mesh_of
from tests.readiness.building import ENOUGH, assessment
from tests.readiness.test_blocks import entry

LEAVES = {"classes": {"registered": 10}}


def ledger(*destinations, mesh, hours: int = ENOUGH, **settings: Any) -> Ledger:
    return assessment(destinations, mesh if isinstance(mesh, Mesh) else mesh_of(mesh), hours=hours, **settings).ledger


def grant(*destinations, mesh, **settings: Any) -> Grant:
    (only,) = ledger(*destinations, mesh=mesh, **settings).grants
    return only


API = destination("api.example.com", **LEAVES)


def test_nothing_is_called_unused_before_the_log_is_long_enough() -> None:
    short = ledger(API, mesh=[entry("egress/api", "api.example.com")], hours=30 * 24)

    assert (short.is_long_enough, short.grants, str(short.decides_on)) == (False, (), "2026-04-02")


def test_an_entry_that_nobody_used_is_unused() -> None:
    found = grant(API, mesh=[entry("egress/old", "old.example.com")])

    assert (found.status, found.entries, found.narrowed) == ("unused", 0, None)


def test_who_may_stands_beside_who_did() -> None:
    found = grant(
        API,
        destination("other.example.com", namespace="pay"),
        mesh=[entry("egress/api", "api.example.com")],
    )

    assert (found.may, found.did, found.workloads) == (("pay", "shop"), ("shop",), ("shop/web",))
    assert (found.status, found.export_to) == ("wider_than_used", ("shop",))


def test_an_entry_used_in_its_own_namespace_alone_could_be_exported_to_it_alone() -> None:
    assert grant(API, mesh=[entry("shop/api", "api.example.com")]).export_to == (".",)


def test_ports_and_hosts_that_nobody_used_are_left_out_of_the_narrowed_entry() -> None:
    found = grant(API, mesh=[
        entry("shop/api", "api.example.com", "old.example.com", ports="443/TLS 8443/TLS", exportTo=["."])
    ])  # fmt: skip

    assert (found.unused_ports, found.unused_hosts) == ((8443,), ("old.example.com",))
    assert found.narrowed is not None
    assert (found.narrowed.hosts, [port.number for port in found.narrowed.ports]) == (("api.example.com",), [443])


def test_a_wildcard_is_exchanged_for_the_names_that_were_seen() -> None:
    found = grant(API, mesh=[entry("shop/all", "*.example.com", resolution="NONE", exportTo=["."])])

    assert [(wide.pattern, wide.names) for wide in found.wide] == [("*.example.com", 1)]
    assert found.narrowed is not None
    assert found.narrowed.hosts == ("api.example.com",)


def test_what_may_have_gone_through_an_entry_counts_as_use() -> None:
    nameless = destination(None, "tcp", ip="203.0.113.77", port=443, classes={"passthrough": 3})

    found = grant(nameless, mesh=[entry("shop/api", "api.example.com", exportTo=["."])])

    assert (found.status, found.may_have, found.narrowed) == ("used", 3, None)


def test_a_caller_without_a_namespace_forbids_a_narrower_export() -> None:
    unknown = destination("api.example.com", namespace=None, **LEAVES)

    assert grant(unknown, mesh=[entry("egress/api", "api.example.com")]).export_to is None


def test_an_entry_that_is_used_as_it_stands_is_left_alone() -> None:
    found = grant(API, mesh=[entry("shop/api", "api.example.com", exportTo=["."])])

    assert (found.status, found.narrowed) == ("used", None)
