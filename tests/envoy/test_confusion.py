"""What the clients know happened, against what the analyzer reads out of the proxy's logs."""

from collections.abc import Mapping

import pytest

from analyzer.vocabulary import EgressClass, Mode, Result
from tests.envoy.access_logs import FORMATS
from tests.envoy.cases import cases
from tests.envoy.confusion import Compared, compare
from tests.envoy.running import Run, join_lines, lines_by_port, play
from tests.envoy.scenery import scenery
from tests.envoy.servers import World
from tests.envoy.truth import MODES

pytestmark = pytest.mark.xdist_group("envoy")
SEED = 1


@pytest.fixture(scope="module")
def runs(world: World, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Mode, Run]:
    folder = tmp_path_factory.mktemp("runs")
    return {mode: play(world, scenery(mode), cases(SEED), folder / mode) for mode in MODES}


@pytest.fixture(scope="module")
def compared(runs: Mapping[Mode, Run], tmp_path_factory: pytest.TempPathFactory) -> Mapping[Mode, list[Compared]]:
    folder = tmp_path_factory.mktemp("lakes")
    return {mode: list(compare(run, folder / mode)) for mode, run in runs.items()}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [log.name for log in FORMATS])
def test_every_line_is_read_as_what_happened(compared: Mapping[Mode, list[Compared]], mode: Mode, name: str) -> None:
    lines = [one for one in compared[mode] if one.log.name == name]

    assert {one.case: one.disagreements for one in lines if one.disagreements} == {}
    assert len(lines) > 90


@pytest.mark.parametrize("mode", MODES)
def test_every_case_leaves_the_lines_it_should_and_no_line_is_without_a_case(
    runs: Mapping[Mode, Run], mode: Mode
) -> None:
    run = runs[mode]
    found = lines_by_port(run.folder)

    left = {sent.case.name: len(found.pop(sent.own_port, ())) for sent in run.sent}
    assert left == {sent.case.name: sent.case.lines(mode) for sent in run.sent}
    assert found == {}


@pytest.mark.parametrize("mode", MODES)
def test_every_format_has_every_line(runs: Mapping[Mode, Run], mode: Mode) -> None:
    folder = runs[mode].folder

    lines = {log.name: log.file(folder).read_bytes().count(b"\n") for log in FORMATS}
    assert lines == dict.fromkeys(lines, len(join_lines(folder)))


@pytest.mark.parametrize("mode", MODES)
def test_nothing_that_was_refused_reached_a_server_and_what_passed_got_where_it_was_going(
    runs: Mapping[Mode, Run], mode: Mode
) -> None:
    for sent in runs[mode].sent:
        last = sent.case.truths(mode)[-1:]
        for truth in last:
            if truth.egress_class in (EgressClass.BLOCKED, EgressClass.NO_ROUTE, EgressClass.UNCLASSIFIED):
                assert sent.reply.reached is None, sent.case.name
            if truth.egress_class is EgressClass.PASSTHROUGH and truth.result is Result.OK:
                assert sent.reply.reached in (None, f"{sent.case.address}:{sent.case.port}"), sent.case.name
