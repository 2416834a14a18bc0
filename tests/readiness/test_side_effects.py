from typing import Any

from analyzer.readiness import SideEffect
from tests.detection.building import destination
from tests.proposals.building import mesh_of
from tests.readiness.building import assessment
from tests.readiness.test_blocks import entry


def effects(*destinations, mesh=(), **settings: Any) -> tuple[SideEffect, ...]:
    return assessment(destinations, mesh_of(mesh), **settings).side_effects


def test_an_entry_that_takes_a_port_captures_whoever_uses_it() -> None:
    greedy = entry("egress/greedy", "db.example.com", ports="443/TCP")
    others = [destination(f"{name}.example.org", ip=f"203.0.113.{n}") for n, name in enumerate("abcd")]

    captures, opens = effects(*others, mesh=[greedy])

    assert (captures.code, captures.reference, captures.entries, captures.destinations) == (
        "captures_others", "egress/greedy", 40, 4,
    )  # fmt: skip
    assert captures.because == (
        "TCP on 443 takes 4 other destinations, 40 entries: a.example.org, b.example.org, c.example.org and 1 more."
    )
    assert (opens.code, opens.entries, opens.place) == ("opens_port", 40, "mesh/egress-greedy.yaml:1")


def test_none_without_addresses_opens_its_port_whether_or_not_the_log_shows_it() -> None:
    (effect,) = effects(destination("api.example.com"), mesh=[
        entry("egress/db", "db.example.com", ports="5432/TCP", resolution="NONE")
    ])  # fmt: skip

    assert (effect.code, effect.entries) == ("opens_port", 0)
    assert effect.because == (
        "NONE without addresses opens 5432 (TCP) to any address; nothing in this log went that way."
    )


def test_what_an_open_port_lets_out_is_counted_by_address() -> None:
    nameless = [destination(None, "tcp", ip=f"203.0.113.{n}") for n in (1, 2)]

    (effect,) = effects(*nameless, mesh=[entry("egress/db", "db.example.com", ports="5432/TCP", resolution="NONE")])

    assert (effect.entries, effect.destinations) == (20, 2)
    assert effect.because.endswith("20 entries to 2 addresses in this log.")


def test_an_address_on_a_tls_port_skips_the_name_check() -> None:
    (effect,) = effects(
        destination("api.example.com"), mesh=[entry("egress/api", "api.example.com", addresses=["203.0.113.10"])]
    )

    assert (effect.code, effect.entries) == ("skips_name_check", 10)


def test_names_and_addresses_that_are_checked_have_no_side_effect() -> None:
    assert effects(destination("api.example.com"), mesh=[entry("egress/api", "api.example.com")]) == ()


def test_what_is_proposed_captures_nobody() -> None:
    found = assessment(
        [destination("api.example.com"), destination(None, "tcp", ip="203.0.113.5", port=5432)]
    ).proposed_side_effects

    assert [effect.code for effect in found] == []
