"""Addresses that Istio made up."""

import pytest

from tests.detection.building import destination, verdict


@pytest.mark.parametrize("address", ["240.240.180.115", "2001:2::5"])
def test_an_allocated_address_is_a_stale_entry_and_no_destination(address: str) -> None:
    assert verdict(destination(None, "tcp", ip=address, port=81)) == ("internal", "auto_allocated_address")


def test_a_name_at_an_allocated_address_is_judged_by_its_name() -> None:
    assert verdict(destination("api.partner.example", ip="240.240.0.7")) == ("legitimate", "valid_host")
