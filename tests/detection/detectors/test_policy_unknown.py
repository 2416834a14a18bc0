"""Lines that do not say by whose leave."""

from tests.detection.building import destination, verdict


def test_a_line_that_cannot_say_is_a_question() -> None:
    one = destination("api.partner.example", "http", classes={"unclassified": 9})

    assert verdict(one) == ("review", "policy_unknown")


def test_one_line_that_can_say_is_enough() -> None:
    one = destination("api.partner.example", "http", classes={"unclassified": 9, "blocked": 1})

    assert verdict(one)[0] == "legitimate"
