"""Let through and failing."""

from tests.detection.building import destination, verdict


def test_what_mostly_fails_when_let_through_is_a_question() -> None:
    one = destination("api.partner.example", failures_when_let_through=6)

    assert verdict(one) == ("review", "mostly_failing")


def test_half_failing_is_not_mostly() -> None:
    assert verdict(destination("api.partner.example", failures_when_let_through=5))[0] == "legitimate"


def test_refused_entries_are_no_failures() -> None:
    assert verdict(destination("api.partner.example", classes={"blocked": 10}))[0] == "legitimate"


def test_the_share_is_of_what_was_let_through() -> None:
    one = destination("api.partner.example", classes={"blocked": 96, "passthrough": 4}, failures_when_let_through=3)

    assert verdict(one)[0] == "review"
