"""Scans, and what merely looks like one."""

from analyzer.vocabulary import Verdict
from tests.detection.building import destination, judged


def _sweep(count: int, *, port: int = 22, minutes: float = 0.0, **facts: object) -> list:
    return [
        destination(None, "tcp", port=port, ip=f"203.0.113.{number}", minutes=minutes * number, **facts)
        for number in range(1, count + 1)
    ]


def _verdicts(destinations: list, **settings: object) -> set:
    return {item.verdict for item in judged(destinations, **settings)}


def test_many_ports_of_one_address_are_a_scan() -> None:
    some = [destination(None, "tcp", port=7000 + step, classes={"blocked": 1}) for step in range(15)]

    assert _verdicts(some) == {Verdict.SUSPICIOUS}


def test_one_port_fewer_is_none() -> None:
    some = [destination(None, "tcp", port=7000 + step, classes={"blocked": 1}) for step in range(14)]

    assert _verdicts(some) == {Verdict.REVIEW}


def test_ports_that_answer_are_no_scan() -> None:
    some = [destination(None, "tcp", port=7000 + step, classes={"passthrough": 1}) for step in range(40)]

    assert _verdicts(some) == {Verdict.REVIEW}


def test_many_addresses_on_one_port_are_a_sweep() -> None:
    assert _verdicts(_sweep(30, classes={"blocked": 1})) == {Verdict.SUSPICIOUS}


def test_shards_that_answer_are_no_sweep() -> None:
    assert _verdicts(_sweep(60, classes={"passthrough": 1})) == {Verdict.REVIEW}


def test_a_refused_client_that_comes_back_to_its_addresses_is_no_sweep() -> None:
    assert _verdicts(_sweep(40, port=443, classes={"blocked": 12})) == {Verdict.REVIEW}


def test_a_refused_client_that_follows_dns_answers_for_hours_is_no_sweep() -> None:
    assert _verdicts(_sweep(60, port=443, classes={"blocked": 1}, minutes=5)) == {Verdict.REVIEW}


def test_retrying_one_refused_host_is_no_scan() -> None:
    assert _verdicts([destination(None, "tcp", port=443, classes={"blocked": 5000})]) == {Verdict.REVIEW}


def test_two_workloads_do_not_add_up_to_a_scan() -> None:
    some = [
        destination(None, "tcp", port=7000 + step, workload=f"w{step % 2}", classes={"blocked": 1})
        for step in range(20)
    ]

    assert _verdicts(some) == {Verdict.REVIEW}


def _named(count: int, host: str, *, entries: int = 1, minutes: float = 0.0, fate: str = "blocked") -> list:
    return [
        destination(host.format(n), "http", minutes=minutes * n, classes={fate: entries}) for n in range(1, count + 1)
    ]


def test_many_names_that_were_hardly_tried_are_a_sweep() -> None:
    assert _verdicts(_named(30, "www.site{}.example")) == {Verdict.SUSPICIOUS}
    assert _verdicts(_named(29, "www.site{}.example")) == {Verdict.REVIEW}


def test_shards_of_one_domain_are_no_sweep() -> None:
    assert _verdicts(_named(60, "shard-{}.partner.example.com")) == {Verdict.REVIEW}


def test_names_that_answer_or_come_slowly_or_again_are_no_sweep() -> None:
    assert _verdicts(_named(60, "www.site{}.example", fate="passthrough")) == {Verdict.REVIEW}
    assert _verdicts(_named(60, "www.site{}.example", minutes=5)) == {Verdict.REVIEW}
    assert _verdicts(_named(60, "www.site{}.example", entries=2)) == {Verdict.LEGITIMATE}


def test_the_thresholds_are_settings() -> None:
    assert _verdicts(_sweep(5, classes={"blocked": 1}), thresholds={"scan_hosts": 5}) == {Verdict.SUSPICIOUS}
