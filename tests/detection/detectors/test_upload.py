"""Uploads to nobody in particular, and what merely moves many bytes."""

import pytest

from analyzer.vocabulary import Verdict
from tests.detection.building import destination, judged, verdict

LARGE = {"bytes_received": 100_000_000, "bytes_sent": 1_000_000}


def test_a_large_upload_to_an_address_without_a_name_is_suspicious() -> None:
    assert verdict(destination(None, "tcp", **LARGE)) == ("suspicious", "upload")


@pytest.mark.parametrize(
    "facts",
    [
        {"bytes_received": 99_000_000},
        {"bytes_received": 100_000_000, "bytes_sent": 20_000_000},
        {"bytes_received": 100_000_000, "days_seen": 2},
        {"bytes_received": 1_000, "bytes_sent": 900_000_000},
    ],
)
def test_a_small_or_slow_upload_and_a_download_are_not(facts: dict) -> None:
    assert verdict(destination(None, "tcp", **facts)) == ("review", "address_only")


def test_what_has_a_name_or_is_private_or_known_to_others_is_not() -> None:
    two = [destination(None, "tcp", workload=name, **LARGE) for name in ("web", "api")]

    assert verdict(destination("backup.example.com", **LARGE))[0] == "legitimate"
    assert verdict(destination(None, "tcp", ip="10.2.3.4", **LARGE))[0] == "internal"
    assert {item.verdict for item in judged(two)} == {Verdict.REVIEW}


def test_the_limit_is_a_setting() -> None:
    limit = {"upload_megabytes": 1}

    assert verdict(destination(None, "tcp", bytes_received=2_000_000), thresholds=limit)[0] == "suspicious"
