"""Read the logs, propose, apply, send the same traffic again: what is legitimate works, all else is refused."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from analyzer.vocabulary import NEWEST_ISTIO, Outcome, Verdict
from tests.envoy.loop import Destination, Key, go_round, part_of
from tests.envoy.sample_logs import Day
from tests.envoy.servers import World
from tests.envoy.story import Part
from tests.envoy.variety import open_mesh

pytestmark = pytest.mark.xdist_group("envoy")
UNREADABLE = ("shop", "payments", "192.0.2.33", 80)
"""Its requests had no readable Host, so what the route would have been cannot be said."""


@pytest.fixture(scope="module", params=[Part.NOON, Part.AFTERNOON, Part.MORNING])
def rounds(
    request: pytest.FixtureRequest, world: World, day: Day, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[Key, Destination]:
    """A mesh that starts open, one that starts closed, and one that starts open and shows no server names."""
    return go_round(world, part_of(day, request.param), tmp_path_factory.mktemp(request.param))


def test_what_was_judged_legitimate_works_under_what_was_proposed(rounds: Mapping[Key, Destination]) -> None:
    legitimate = [one for one in rounds.values() if one.verdict is Verdict.LEGITIMATE]

    assert {one.key: one.reached for one in legitimate} == {
        one.key: one.tried - one.predicted.get(Outcome.BROKEN, 0) for one in legitimate
    }
    assert len(legitimate) >= 8


def test_services_of_the_mesh_work_as_before(rounds: Mapping[Key, Destination]) -> None:
    services = [one for key, one in rounds.items() if key[2].endswith(".svc.cluster.local")]

    assert services
    assert all(one.reached == one.tried == one.worked_before for one in services)


def test_everything_else_is_refused(rounds: Mapping[Key, Destination]) -> None:
    others = [
        one
        for key, one in rounds.items()
        if one.verdict is not Verdict.LEGITIMATE and not key[2].endswith(".svc.cluster.local")
    ]

    assert {one.key: one.reached for one in others if one.reached} == {}
    assert len(others) >= 6


def test_the_replay_had_predicted_every_request(rounds: Mapping[Key, Destination]) -> None:
    certain = {key: one for key, one in rounds.items() if Outcome.CONDITIONAL not in one.predicted}

    assert rounds.keys() - certain.keys() <= {UNREADABLE}
    assert {key: one.reached for key, one in certain.items()} == {
        key: one.predicted.get(Outcome.ALLOWED, 0) for key, one in certain.items()
    }
    assert {key: sum(one.predicted.values()) for key, one in certain.items()} == {
        key: one.tried for key, one in certain.items()
    }


@pytest.mark.parametrize("version", ["1.29", NEWEST_ISTIO])
def test_every_kind_of_proposal_lets_through_what_it_is_for_and_nothing_else(
    world: World, tmp_path: Path, version: str
) -> None:
    """gRPC, two protocols on a port, two ports of a host, odd spellings, a wildcard, addresses allowed by rule."""
    found = go_round(world, open_mesh(world, tmp_path / "before", version), tmp_path).values()

    allowed = [one for one in found if one.verdict is Verdict.LEGITIMATE]
    assert {one.key: one.reached for one in allowed} == {one.key: one.tried for one in allowed}
    assert {one.key[2]: one.reached for one in found if one not in allowed} == {"203.0.113.90": 0, "203.0.113.91": 0}
    assert {(one.key, frozenset(one.predicted)) for one in found} == {
        (one.key, frozenset({"allowed" if one.reached else "blocked"})) for one in found
    }
    assert len(allowed) == 19
