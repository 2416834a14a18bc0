"""What detectors are told beside the destination."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from analyzer.detection.detector import _most_at_once, context_of
from analyzer.settings import Settings
from tests.detection.building import START, destination

_MOMENTS = st.lists(st.integers(0, 3600).map(lambda second: START + timedelta(seconds=second)), max_size=30)


def test_one_address_under_two_protocols_is_one_target() -> None:
    some = [destination(None, protocol, port=8080, ip="203.0.113.1") for protocol in ("http", "tcp")]

    probing = context_of(some, Settings(), None).ports_of_address[("shop", "web"), "203.0.113.1"]

    assert (probing.targets, probing.entries) == (1, 20)


def test_named_destinations_are_nobodys_targets() -> None:
    context = context_of([destination("api.partner.example")], Settings(), None)

    assert not context.ports_of_address
    assert not context.addresses_on_port


@given(_MOMENTS, st.integers(1, 60))
def test_as_many_are_tried_at_once_as_the_fullest_window_holds(times: list, minutes: int) -> None:
    window = timedelta(minutes=minutes)

    fullest = max((sum(start <= time <= start + window for time in times) for start in times), default=0)

    assert _most_at_once(times, window) == fullest
