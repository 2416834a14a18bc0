"""Names that no manifest may hold."""

import pytest

from tests.detection.building import destination, verdict


@pytest.mark.parametrize("host", ["my_host.example.com", "a..example.com", "x" * 64 + ".example.com", "a.123"])
def test_a_name_that_istio_refuses_is_a_question(host: str) -> None:
    assert verdict(destination(host, "http")) == ("review", "invalid_host_name")


def test_a_name_longer_than_any_dns_name_is_for_a_person() -> None:
    longest = ".".join(["a" * 63] * 3 + ["b" * 62])

    assert verdict(destination(longest, "http")) == ("review", "invalid_host_name")
