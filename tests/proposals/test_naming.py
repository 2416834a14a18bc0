"""Object names from hosts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.mesh.names import is_dns1123_label, is_valid_host
from analyzer.proposals.naming import address_name, object_name

_LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
_HOSTS = st.builds(
    lambda star, labels: star + ".".join(labels), st.sampled_from(["", "*."]), st.lists(_LABELS, min_size=1, max_size=6)
).filter(is_valid_host)
_CONFUSABLE = st.text("ab-.", min_size=1, max_size=9).map(lambda text: f"{text}.example").filter(is_valid_host)


@given(_HOSTS)
def test_every_valid_host_gets_a_name_that_kubernetes_takes(host: str) -> None:
    assert is_dns1123_label(object_name(host))


@given(_HOSTS | _CONFUSABLE, _HOSTS | _CONFUSABLE)
def test_two_hosts_never_share_a_name(one: str, other: str) -> None:
    assert (object_name(one) == object_name(other)) == (one == other)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("jsonplaceholder.typicode.com", "jsonplaceholder-typicode-com"),
        ("a.b-c.example", "a-b--c-example"),
        ("a-b.c.example", "a--b-c-example"),
        ("*.es.example", "wildcard-es-example"),
    ],
)
def test_names_are_readable(host: str, name: str) -> None:
    assert object_name(host) == name


def test_a_host_called_wildcard_is_not_taken_for_one() -> None:
    assert object_name("wildcard.es.example") != object_name("*.es.example")


def test_a_long_host_is_cut_and_told_apart_by_a_digest() -> None:
    one, other = (object_name(f"{'x' * 60}.{name}.example") for name in ("a", "b"))

    assert one != other
    assert len(one) <= 63


@pytest.mark.parametrize("address", ["203.0.113.10", "2001:db8::1", "::1"])
def test_every_address_gets_a_name_that_kubernetes_takes(address: str) -> None:
    assert is_dns1123_label(address_name(address, 65535))
