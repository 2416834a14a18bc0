"""Beacons, and the regular calls of honest services."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analyzer.evidence.rhythm import Rhythm
from analyzer.execution.auditing import audit
from analyzer.execution.local import ingest
from analyzer.settings import Settings
from tests.detection.building import destination, verdict
from tests.lines import BLOCKED_TCP, TCP, text

START = datetime(2026, 3, 2, tzinfo=UTC)
CLOCK = Rhythm(1440, 60.0, 1.0, 1.0)


def _line(base: dict, minutes: float, place: str, sent: int = 512) -> str:
    moment = (START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return text(base, start_time=moment, downstream_local_address=place, bytes_received=sent)


def _codes(folder: Path, *lines: str, workloads: tuple[str, ...] = ("web",)) -> set[tuple[str, str]]:
    for workload in workloads:
        path = folder / f"{workload}.log"
        path.write_text("\n".join(lines) + "\n")
        labels = {"source_namespace": "shop", "source_workload": workload, "source_pod": f"{workload}-0"}
        extra = _line(TCP, 0, f"203.0.113.99:{8000 + len(workload)}")  # or the files would be one source
        path.write_text("\n".join((*lines, *[extra] * len(workload))) + "\n")
        ingest([str(path)], str(folder / "lake"), labels=labels)
    found = audit(str(folder / "lake"), settings=Settings(), istio_version="1.31").judged
    return {(item.verdict.value, item.reasons[0].code) for item in found if item.key.destination_ip == "203.0.113.10"}


@pytest.mark.parametrize("base", [TCP, BLOCKED_TCP])
def test_a_clock_on_an_odd_port_without_a_name_is_a_beacon(tmp_path: Path, base: dict) -> None:
    lines = [_line(base, minute, "203.0.113.10:4444", 0 if base is BLOCKED_TCP else 512) for minute in range(60)]

    assert _codes(tmp_path, *lines) == {("suspicious", "beacon")}


@pytest.mark.parametrize("place", ["203.0.113.10:443", "203.0.113.10:5432"])
def test_a_clock_on_the_port_of_a_known_service_is_none(tmp_path: Path, place: str) -> None:
    assert _codes(tmp_path, *(_line(BLOCKED_TCP, minute, place) for minute in range(60))) == {
        ("review", "address_only")
    }


def test_irregular_calls_few_calls_and_calls_of_several_workloads_are_none(tmp_path: Path) -> None:
    place = "203.0.113.10:4444"
    for name, lines, workloads in (
        ("irregular", [_line(BLOCKED_TCP, (n * n * 7) % 1401, place) for n in range(60)], ("web",)),
        ("few", [_line(BLOCKED_TCP, minute, place) for minute in range(22)], ("web",)),
        ("shared", [_line(BLOCKED_TCP, minute, place) for minute in range(60)], ("web", "backend")),
    ):
        (tmp_path / name).mkdir()
        assert _codes(tmp_path / name, *lines, workloads=workloads) == {("review", "address_only")}, name


def test_what_was_refused_is_scored_by_its_gaps_alone() -> None:
    rhythm = CLOCK._replace(sizes=0.5)

    assert verdict(destination(None, "tcp", classes={"blocked": 1440}, rhythm=rhythm)) == ("suspicious", "beacon")
    assert verdict(destination(None, "tcp", classes={"passthrough": 1440}, rhythm=rhythm))[0] == "review"


def test_the_threshold_is_a_setting() -> None:
    one = destination(None, "tcp", rhythm=CLOCK)

    assert verdict(one)[1] == "beacon"
    assert verdict(one, thresholds={"beacon_calls": 2000})[1] == "address_only"


def test_a_name_is_judged_as_a_name() -> None:
    assert verdict(destination("api.partner.example", classes={"passthrough": 1440}))[0] == "legitimate"
