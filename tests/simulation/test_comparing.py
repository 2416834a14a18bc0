from datetime import UTC, datetime

from analyzer.evidence import Destination
from analyzer.simulation import Simulator
from analyzer.simulation.comparing import compare, comparison_as_json
from analyzer.vocabulary import EgressClass, Mechanism, Result
from tests.simulation.building import mesh_in, request


def destination(protocol: str, asked: str) -> Destination:
    seen, one = datetime(2026, 3, 2, tzinfo=UTC), request(protocol, asked)
    return Destination(
        one.key, 1, {EgressClass.BLOCKED: 1}, {Result.OK: 1}, {Mechanism.BLOCK_ALL: 1}, 0, 0, seen, seen, 1, 1,
        requests=(one,),
    )  # fmt: skip


def changes(before: list[str], after: list[str], *destinations: Destination) -> dict[str | None, str]:
    replays = [Simulator(mesh_in({"entries": entries})).replay(destinations) for entries in (before, after)]
    return {item.after.key.host: item.change.value for item in compare(*replays)}


A, B = destination("tls", "203.0.113.9:443 a.example.com"), destination("tls", "203.0.113.9:443 b.example.com")


def test_what_is_let_out_and_what_is_stopped_is_told_apart() -> None:
    found = changes(["a.example.com:443/TLS"], ["b.example.com:443/TLS"], A, B)

    assert found == {"a.example.com": "newly_blocked", "b.example.com": "newly_allowed"}


def test_another_entry_for_the_same_outcome_is_a_change() -> None:
    assert changes(["*.example.com:443/TLS NONE"], ["a.example.com:443/TLS named other"], A) == {
        "a.example.com": "changed"
    }


def test_the_same_manifests_change_nothing() -> None:
    assert changes(["a.example.com:443/TLS"], ["a.example.com:443/TLS"], A, B) == {}


def test_a_comparison_counts_entries_by_change() -> None:
    replays = [Simulator(mesh_in({"entries": entries})).replay([A]) for entries in ([], ["a.example.com:443/TLS"])]

    told = comparison_as_json(compare(*replays))

    assert told["changes"] == {"newly_allowed": 1, "newly_blocked": 0, "changed": 0}
    assert (told["destinations"][0]["before"]["outcome"], told["destinations"][0]["after"]["by"]) == (
        "blocked", "egress/e1",
    )  # fmt: skip
