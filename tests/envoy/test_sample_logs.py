"""The sample logs are what a real Envoy writes today."""

import pytest

from tests.envoy.sample_logs import ROOT, Day, files, tell

pytestmark = pytest.mark.xdist_group("envoy")


def test_the_sample_logs_are_what_envoy_writes_to_the_letter(day: Day) -> None:
    """Run `make samples golden` and read the diff where this fails on purpose."""
    written = dict(files(tell(day)))

    kept = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in ROOT.rglob("*.log*")}
    assert written.keys() == kept.keys()
    assert [name for name, content in written.items() if kept[name] != content] == []
