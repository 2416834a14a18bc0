"""Names and addresses, however somebody writes them."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.classification.names import address_of, is_disguised_address, name_of_authority, name_of_sni


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("192.168.1.1", "192.168.1.1"),
        ("192.168.1.1:8080", "192.168.1.1"),
        ("192.168.1.1.", "192.168.1.1"),
        ("3232235777", "192.168.1.1"),
        ("0xC0A80101", "192.168.1.1"),
        ("0300.0250.1.1", "192.168.1.1"),
        ("0x7f.1", "127.0.0.1"),
        ("127.1:80", "127.0.0.1"),
        ("[::ffff:10.0.0.1]:80", "10.0.0.1"),
        ("::1", "::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[2001:DB8::1]:443", "2001:db8::1"),
    ],
)
def test_an_address_is_an_address_in_every_notation(written: str, address: str) -> None:
    assert name_of_authority(written)[:2] == (None, address)


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("API.Partner.TEST", "api.partner.test", None),
        ("api.partner.test.:80", "api.partner.test", 80),
        ("api.partner.test:", "api.partner.test", None),
        ("api.partner.test:99999", "api.partner.test:99999", None),
        ("api.partner.test:abc", "api.partner.test:abc", None),
        ("user@evil.example:80", "user@evil.example", 80),
        ("a.example,b.example", "a.example,b.example", None),
        ("1.2.3.4.5", "1.2.3.4.5", None),
        ("256.1.1.1", "256.1.1.1", None),
        ("a_b.example", "a_b.example", None),
    ],
)
def test_only_a_port_and_one_dot_are_taken_off_a_name(written: str, host: str, port: int | None) -> None:
    assert name_of_authority(written) == (host, None, port)


@pytest.mark.parametrize("written", ["", ":80", "."])
def test_nothing_is_no_name(written: str) -> None:
    assert name_of_authority(written).host is None


def test_a_server_name_that_envoy_marked_is_no_name() -> None:
    assert name_of_sni("invalid:a.example__2026") == (None, None, None)


def test_a_server_name_that_is_an_address_is_no_name() -> None:
    assert (name_of_sni("1.2.3.4.")[:2], name_of_sni("2130706433")[:2]) == ((None, "1.2.3.4"), (None, "127.0.0.1"))


@given(st.ip_addresses(v=4))
def test_only_the_plain_notation_is_no_disguise(address: ipaddress.IPv4Address) -> None:
    assert not is_disguised_address(str(address))
    assert name_of_authority(str(int(address))).literal == str(address)
    assert name_of_authority(hex(int(address))).literal == str(address)


@given(st.text())
def test_no_text_is_too_odd_for_a_host_header(text: str) -> None:
    name = name_of_authority(text)

    assert (name.port or 0) <= 65535
    assert name.literal is None or ipaddress.ip_address(name.literal)


@given(st.text() | st.integers(0).map(lambda number: f"1.1.1.1:{number}"))
def test_no_text_is_too_odd_for_an_address(text: str) -> None:
    assert (address_of(text).port or 0) <= 65535


@given(
    st.lists(
        st.integers(0, 300).map(str) | st.sampled_from(["", "00", "01", "1 ", "+1", "\u0661"]), min_size=3, max_size=5
    )
)
def test_an_address_is_what_python_takes_for_one(parts: list[str]) -> None:
    text = ".".join(parts)
    try:
        address = str(ipaddress.IPv4Address(text))
    except ValueError:
        address = None

    assert address_of(f"{text}:80").ip == address


def test_a_port_of_thousands_of_digits_is_none() -> None:
    assert address_of("1.1.1.1:" + "9" * 9000) == (None, None)
