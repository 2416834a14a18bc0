"""Names that no honest client sends."""

import pytest

from tests.detection.building import destination, judged, verdict

_SMUGGLED = [
    "api.partner.example@evil.example",
    "a.example,b.example",
    "a.example/x",
    "a\x1b[31m.example",
    "a\u202eb.example",
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
