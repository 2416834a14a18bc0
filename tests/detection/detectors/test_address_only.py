"""Destinations without a name."""

from dataclasses import replace

from tests.detection.building import destination, judged, verdict


def test_an_address_without_a_name_is_a_question() -> None:
    assert verdict(destination(None, "tcp", ip="203.0.113.10")) == ("review", "address_only")


def test_on_a_port_of_tls_it_says_how_to_see_the_name() -> None:
    (only,) = judged([destination(None, "tcp", port=443)])

    assert "TLS port 443" in only.reasons[0].text
    assert "requested_server_name" in only.reasons[0].text


def test_an_address_in_the_host_header_asks_for_the_name() -> None:
    (only,) = judged([destination(None, "http", port=8080)])

    assert "Have the client use the name" in only.reasons[0].text


def test_neither_name_nor_address_says_so() -> None:
    one = destination(None, "tcp")
    nowhere = replace(one, key=one.key._replace(destination_ip=None), addresses=())

    assert verdict(nowhere) == ("review", "no_destination")
