"""Registered names at foreign addresses."""

from tests.detection.building import destination, verdict


def test_a_registered_name_at_a_foreign_address_is_suspicious() -> None:
    one = destination("a.wild.example", classes={"registered": 5}, misaddressed_entries=2)

    assert verdict(one) == ("suspicious", "misaddressed")
