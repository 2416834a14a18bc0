"""Hardly ever called."""

from tests.detection.building import destination, verdict


def test_one_call_may_be_a_slip() -> None:
    assert verdict(destination("api.partner.example", classes={"blocked": 1})) == ("review", "too_few_entries")


def test_how_many_are_enough_is_a_setting() -> None:
    one = destination("api.partner.example", classes={"blocked": 4})

    assert verdict(one)[0] == "legitimate"
    assert verdict(one, thresholds={"min_entries": 5})[0] == "review"
