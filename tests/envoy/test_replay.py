"""The replay against a real Envoy, feature by feature."""

from collections.abc import Mapping
from typing import Any

import pytest

from analyzer.mesh.model import Mesh
from analyzer.simulation import Simulator
from analyzer.simulation.replay import Decision
from analyzer.vocabulary import Mode, Outcome
from tests.envoy.bootstrap import Configuration
from tests.envoy.features import FEATURES, Trial, dns, entries, trials
from tests.envoy.running import join_lines, lines_by_port, play
from tests.envoy.servers import World
from tests.envoy.truth import MODES

pytestmark = pytest.mark.xdist_group("envoy")
TRIALS = tuple(trials())
REACHED = (Outcome.ALLOWED, Outcome.MISDIRECTED)


@pytest.fixture(scope="module")
def lines(world: World, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Mode, list[Mapping[str, Any]]]:
    """The line that each trial left, by mode."""
    return {mode: _lines(world, mode, tmp_path_factory) for mode in MODES}


def _lines(world: World, mode: Mode, folders: pytest.TempPathFactory) -> list[Mapping[str, Any]]:
    wanted = Configuration("app", mode, entries(), dns=dns(), connect_timeout="2s")
    run = play(world, wanted, [trial.case for trial in TRIALS], folders.mktemp(mode))
    written, numbers = join_lines(run.folder), lines_by_port(run.folder)
    return [written[numbers[sent.own_port][0] - 1] for sent in run.sent]


def did(line: Mapping[str, Any]) -> str:
    """What Envoy did: `blocked`, `broken`, `passthrough`, or the host whose cluster it went to."""
    cluster, flags = str(line["upstream_cluster"]), str(line["response_flags"]).split(",")
    if cluster == "BlackHoleCluster" or line["route_name"] == "block_all":
        return "blocked"
    if {"NC", "NR", "UH"} & set(flags):
        return "broken"
    return "passthrough" if cluster == "PassthroughCluster" else cluster.rpartition("|")[2]


def foretold(simulator: Simulator, trial: Trial) -> tuple[str, Decision]:
    """What the replay says of it, in the same words; where it says who would take it, that is held against it too."""
    decision = simulator.decide(trial.request)
    by = [entry.hosts[0] for entry in simulator.mesh.service_entries if entry.reference == decision.by]
    if decision.outcome is Outcome.CONDITIONAL and by:
        return by[0], decision
    if decision.outcome not in REACHED:
        return decision.outcome.value, decision
    return (by[0] if by else "passthrough"), decision


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("feature", FEATURES)
def test_the_replay_says_what_envoy_does(
    lines: Mapping[Mode, list[Mapping[str, Any]]], mode: Mode, feature: str
) -> None:
    simulator = Simulator(Mesh(service_entries=entries()), mode=mode)
    mine = [(trial, line) for trial, line in zip(TRIALS, lines[mode], strict=True) if trial.feature == feature]

    seen = {trial.text: did(line) for trial, line in mine}
    said = {trial.text: foretold(simulator, trial)[0] for trial, _ in mine}
    sure = {text: word for text, word in said.items() if word != Outcome.CONDITIONAL}
    assert sure == {text: seen[text] for text in sure}
    assert len(sure) >= len(said) / 2


def test_what_goes_to_another_host_than_it_asked_for_is_never_called_merely_allowed(
    lines: Mapping[Mode, list[Mapping[str, Any]]],
) -> None:
    simulator = Simulator(Mesh(service_entries=entries()))
    reached = [
        (trial, host, foretold(simulator, trial)[1])
        for trial, line in zip(TRIALS, lines[Mode.REGISTRY_ONLY], strict=True)
        if (host := did(line)) not in ("blocked", "broken") and trial.request.key.host is not None
    ]

    astray = [(trial, said) for trial, host, said in reached if not _covers(host, trial.request.key.host or "")]
    assert [
        trial.text for trial, said in astray if said.outcome is not Outcome.MISDIRECTED and not said.unguarded
    ] == []
    at_home = [said for trial, host, said in reached if _covers(host, trial.request.key.host or "")]
    assert all(said.outcome is Outcome.ALLOWED for said in at_home)
    assert len(astray) > 5


def _covers(pattern: str, host: str) -> bool:
    suffix = pattern.removeprefix("*")
    return host == pattern.lower() if suffix == pattern else host.endswith(suffix) and host != suffix
