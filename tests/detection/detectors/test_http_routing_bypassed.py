"""TCP where HTTP was to be expected."""

from tests.detection.building import destination, judged, verdict


def test_tcp_on_port_80_is_reported_as_such() -> None:
    assert verdict(destination(None, "tcp", port=80)) == ("review", "http_routing_bypassed")


def test_tcp_on_a_port_where_the_namespace_speaks_http_is_reported_too() -> None:
    http, tcp = (
        destination("api.example.com", "http", port=8080),
        destination(None, "tcp", port=8080, ip="203.0.113.77"),
    )

    codes = {item.key.application_protocol: item.reasons[0].code for item in judged([http, tcp])}

    assert codes == {"http": "valid_host", "tcp": "http_routing_bypassed"}


def test_tcp_on_a_port_of_its_own_is_no_such_thing() -> None:
    other = destination("api.example.com", "http", port=5432, namespace="elsewhere")

    assert judged([other, destination(None, "tcp", port=5432)])[1].reasons[0].code == "address_only"


def test_the_reason_says_how_much_left_the_mesh() -> None:
    (only,) = judged([destination(None, "tcp", port=80, classes={"passthrough": 3, "blocked": 2})])

    assert "3 entries left the mesh" in only.reasons[0].text
