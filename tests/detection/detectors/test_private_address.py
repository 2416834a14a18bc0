"""Private addresses without a name."""

import pytest

from tests.detection.building import destination, verdict


@pytest.mark.parametrize("address", ["10.244.1.7", "172.16.0.1", "192.168.1.1", "100.64.0.9", "fd12::1", "fe80::1"])
def test_a_private_address_is_internal(address: str) -> None:
    assert verdict(destination(None, "tcp", ip=address)) == ("internal", "private_address")


def test_a_network_that_the_settings_call_external_is_not() -> None:
    one = destination(None, "tcp", ip="10.9.0.5")

    assert verdict(one, networks={"external": ["10.9.0.0/16"]}) == ("review", "address_only")
