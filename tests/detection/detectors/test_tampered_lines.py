"""Forged lines."""

from tests.detection.building import destination, verdict


def test_one_forged_line_is_enough() -> None:
    assert verdict(destination("api.partner.example", tampered_entries=1)) == ("suspicious", "tampered_lines")
