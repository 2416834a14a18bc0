"""Names that no honest client sends."""

import pytest

from tests.detection.building import destination, judged, verdict

_SMUGGLED = [
    "api.partner.example@evil.example",
    "a.example,b.example",
    "a.example/x",
    "a\x1b[31m.example",
    "a\u202eb.example",
    "%",
    "=cmd()",
    "api.partner.example@reviews.shop.svc.cluster.local",
]


@pytest.mark.parametrize("host", _SMUGGLED)
def test_bytes_that_no_host_name_has_are_suspicious(host: str) -> None:
    assert verdict(destination(host, "http")) == ("suspicious", "odd_name")


def test_the_reason_writes_control_characters_out() -> None:
    (only,) = judged([destination("a\x1b[31m.example", "http")])

    assert "\x1b" not in only.reasons[0].text


def test_a_server_name_that_envoy_called_invalid_is_suspicious() -> None:
    assert verdict(destination(None, "tls", invalid_sni_entries=1)) == ("suspicious", "odd_name")


def test_an_underscore_is_merely_unusual() -> None:
    assert verdict(destination("my_host.example.com", "http"))[0] == "review"


@pytest.mark.parametrize("host", ["api.example.com:99999", "api.example.com:abc", "a.example\u0085"])
def test_what_is_no_port_and_no_letter_is_suspicious(host: str) -> None:
    assert verdict(destination(host, "http")) == ("suspicious", "odd_name")


@pytest.mark.parametrize("written", ["3405803786", "0xcb.0x71.10", "203.0.28938", "0313.0161.0.012"])
def test_an_address_in_a_notation_that_hides_it_is_suspicious(written: str) -> None:
    assert verdict(destination(None, "http", ip="203.0.113.10", authority=written)) == ("suspicious", "odd_name")
