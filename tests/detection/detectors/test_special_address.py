"""Addresses that nobody outside has."""

import pytest

from tests.detection.building import destination, verdict


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0", "::", "224.0.0.251", "ff02::1", "255.255.255.255"])
def test_a_special_address_is_denied(address: str) -> None:
    assert verdict(destination(None, "tcp", ip=address)) == ("denied", "special_address")


def test_an_ipv4_loopback_in_ipv6_clothes_is_denied() -> None:
    assert verdict(destination(None, "tcp", ip="::ffff:127.0.0.1"))[0] == "denied"
