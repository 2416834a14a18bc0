"""Names that no manifest may hold."""

import pytest

from analyzer.vocabulary import HostSource
from tests.detection.building import destination, verdict


@pytest.mark.parametrize("host", ["my_host.example.com", "a..example.com", "x" * 64 + ".example.com", "a.123"])
def test_a_name_that_istio_refuses_is_a_question(host: str) -> None:
    assert verdict(destination(host, "http")) == ("review", "invalid_host_name")


def test_a_name_longer_than_any_dns_name_is_for_a_person() -> None:
    longest = ".".join(["a" * 63] * 3 + ["b" * 62])

    assert verdict(destination(longest, "http")) == ("review", "invalid_host_name")


def test_a_wildcard_is_the_name_of_an_entry_and_of_no_client() -> None:
    of_an_entry = destination("*.example.com", "tls", classes={"registered": 3}, host_sources=(HostSource.CLUSTER,))
    of_a_client = destination("*.example.com", "http", host_sources=(HostSource.AUTHORITY,))

    assert verdict(of_an_entry) == ("legitimate", "valid_host")
    assert verdict(of_a_client) == ("review", "invalid_host_name")
