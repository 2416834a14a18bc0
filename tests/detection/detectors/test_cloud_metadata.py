"""Cloud metadata services."""

import pytest

from tests.detection.building import destination, verdict

_ADDRESSES = ["169.254.169.254", "fd00:ec2::254", "168.63.129.16", "100.100.100.200", "::ffff:169.254.169.254"]


@pytest.mark.parametrize("address", _ADDRESSES)
def test_a_metadata_address_is_denied(address: str) -> None:
    assert verdict(destination(None, "http", ip=address)) == ("denied", "cloud_metadata")


@pytest.mark.parametrize("host", ["metadata.google.internal", "x.metadata.google.internal"])
def test_a_metadata_name_is_denied(host: str) -> None:
    assert verdict(destination(host, "http")) == ("denied", "cloud_metadata")


def test_a_name_that_was_dialled_at_a_metadata_address_is_denied() -> None:
    assert verdict(destination("api.partner.example", "http", ip="169.254.169.254"))[0] == "denied"


def test_a_metadata_address_in_the_host_header_is_denied_wherever_it_was_sent() -> None:
    one = destination(None, "http", ip="203.0.113.10", authority="169.254.169.254:80")

    assert verdict(one) == ("denied", "cloud_metadata")


def test_it_is_found_among_many_addresses_that_were_dialled_under_one_name() -> None:
    one = destination("good.example", "http", ip="169.254.169.254", addresses=tuple(f"1.1.1.{n}" for n in range(16)))

    assert verdict(one) == ("denied", "cloud_metadata")


def test_a_number_that_is_its_address_is_found() -> None:
    assert verdict(destination(None, "http", authority="2852039166")) == ("denied", "cloud_metadata")
