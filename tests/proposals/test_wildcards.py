"""When several hosts become one wildcard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.mesh.names import covers
from analyzer.proposals.wildcards import Family, families

_TLS = {443: "TLS"}


def _of(*hosts: str) -> dict:
    return dict.fromkeys(hosts, _TLS)


def test_nothing_widens_unless_the_settings_ask_for_it() -> None:
    assert families(_of("a.es.example", "b.es.example"), 0) == []


def test_enough_hosts_under_one_suffix_are_a_family() -> None:
    assert families(_of("a.es.example", "b.es.example"), 2) == [
        Family("es.example", ((443, "TLS"),), ("a.es.example", "b.es.example"))
    ]


def test_the_deepest_suffix_that_has_enough_is_taken() -> None:
    found = families(_of("a.eu.es.example", "b.eu.es.example", "www.es.example"), 2)

    assert [family.suffix for family in found] == ["eu.es.example"]


def test_hosts_at_different_depths_meet_at_the_owners_domain() -> None:
    found = families(_of("a.eu.es.example", "b.us.es.example"), 2)

    assert [family.suffix for family in found] == ["es.example"]


def test_the_apex_is_no_member() -> None:
    assert families(_of("es.example", "a.es.example"), 2) == []


def test_a_port_of_one_host_does_not_open_for_the_family() -> None:
    wanted = _of("a.es.example", "b.es.example") | {"c.es.example": {443: "TLS", 9443: "TLS"}}

    (family,) = families(wanted, 2)

    assert family.hosts == ("a.es.example", "b.es.example")
    assert family.ports == ((443, "TLS"),)


def test_a_port_in_two_protocols_makes_no_family() -> None:
    wanted = {
        "a.es.example": {443: "TLS"},
        "b.es.example": {443: "TLS"},
        "c.es.example": {443: "HTTP"},
        "d.es.example": {443: "HTTP"},
    }

    assert families(wanted, 2) == []


@pytest.mark.parametrize(
    "suffix",
    ["com", "co.uk", "s3.amazonaws.com", "eu-west-1.amazonaws.com", "cloudfront.net", "blob.core.windows.net",
     "azurewebsites.net", "vault.azure.net", "s3.cn-north-1.amazonaws.com.cn", "acme.jfrog.io", "okta.com",
     "github.io", "githubusercontent.com", "storage.googleapis.com", "herokuapp.com"],
)  # fmt: skip
def test_nothing_widens_over_names_of_other_people(suffix: str) -> None:
    assert families(_of(*(f"{name}.{suffix}" for name in "abcde")), 2) == []


@given(st.sets(st.from_regex(r"([ab]\.){1,3}es\.example", fullmatch=True)), st.integers(1, 4))
def test_a_family_covers_its_hosts_and_no_host_has_two(hosts: set, after: int) -> None:
    found = families(_of(*hosts), after)

    members = [host for family in found for host in family.hosts]
    assert len(set(members)) == len(members)
    assert all(covers(f"*.{family.suffix}", host) for family in found for host in family.hosts)
    assert all(len(family.hosts) >= after for family in found)
