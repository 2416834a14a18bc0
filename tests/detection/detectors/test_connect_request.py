"""CONNECT through a forward proxy."""

from tests.detection.building import destination, judged


def test_connect_names_the_proxy_to_register() -> None:
    one = destination("api.partner.example", "http", port=3128, connect=True, classes={"no_route": 5})

    (only,) = judged([one])

    assert only.reasons[0].code == "connect_request"
    assert "203.0.113.10" in only.reasons[0].text
