"""Which verdict wins, and what is said beside it."""

from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.detection import judge, known_detectors
from analyzer.settings import Settings
from analyzer.vocabulary import Verdict
from tests.detection.building import START, destination, judged, rule, verdict


def test_a_valid_name_that_works_is_legitimate() -> None:
    assert verdict(destination("api.partner.example")) == ("legitimate", "valid_host")


def test_an_explicit_deny_stands_before_an_explicit_allow() -> None:
    rules = [rule("allow", hosts=["api.partner.example"]), rule("deny", suffixes=["*.partner.example"])]

    assert verdict(destination("api.partner.example"), rules=rules) == ("denied", "denied_by_settings")


@pytest.mark.parametrize(
    "one",
    [
        destination(None, "tcp", ip="10.1.2.3"),
        destination("db.shop.svc.cluster.local", "http"),
        destination("api.partner.example", tampered_entries=3),
        destination("api.partner.example", classes={"blocked": 1}),
    ],
    ids=["private", "cluster name", "tampered", "too few"],
)
def test_an_explicit_allow_stands_before_every_heuristic(one: object) -> None:
    everything = [rule("allow", ports=[80, 443, 5432])]

    assert verdict(one, rules=everything) == ("legitimate", "allowed_by_settings")


def test_an_allow_rule_does_not_open_the_metadata_service() -> None:
    allowed = [rule("allow", cidrs=["169.254.0.0/16"])]

    assert verdict(destination(None, "http", ip="169.254.169.254"), rules=allowed) == ("denied", "cloud_metadata")


def test_a_name_is_not_allowed_for_an_address_it_was_dialled_at() -> None:
    allowed = [rule("allow", cidrs=["203.0.113.0/24"])]
    one = destination("api.partner.example", tampered_entries=1, ip="203.0.113.10")

    assert verdict(one, rules=allowed) == ("suspicious", "tampered_lines")


def test_a_name_is_denied_for_an_address_it_was_dialled_at() -> None:
    denied = [rule("deny", cidrs=["203.0.113.0/24"])]

    assert verdict(destination("api.partner.example", ip="203.0.113.10"), rules=denied)[0] == "denied"


def test_an_expired_rule_no_longer_counts_and_says_so() -> None:
    settings = Settings.model_validate({"rules": [rule("deny", ports=[443], expires="2026-03-01", ticket="SEC-7")]})

    (only,), notes = judge([destination("api.partner.example")], settings, START)

    assert only.verdict is Verdict.LEGITIMATE
    assert notes == ("the rule to deny 443 expired on 2026-03-01 and no longer counts (owner platform, SEC-7)",)


def test_a_rule_still_counts_on_the_day_it_expires() -> None:
    settings = Settings.model_validate({"rules": [rule("deny", ports=[443], expires="2026-03-02")]})

    (only,), notes = judge([destination("api.partner.example")], settings, date(2026, 3, 2))

    assert only.verdict is Verdict.DENIED
    assert notes == ()


def test_a_rule_of_one_workload_says_nothing_of_another() -> None:
    rules = [rule("deny", hosts=["api.partner.example"], workloads=["batch"])]

    assert verdict(destination("api.partner.example", workload="web"), rules=rules)[0] == "legitimate"
    assert verdict(destination("api.partner.example", workload="batch"), rules=rules)[0] == "denied"


def test_all_reasons_for_the_verdict_are_given_and_the_deciding_one_first() -> None:
    one = destination(None, "tcp", classes={"blocked": 1})

    (only,) = judged([one])

    assert [reason.code for reason in only.reasons] == ["address_only", "too_few_entries"]


def test_thin_evidence_is_no_question_where_a_neighbour_proves_the_need() -> None:
    few = destination("api.partner.example", workload="cron", classes={"blocked": 1})
    many = destination("api.partner.example", workload="web", classes={"blocked": 40})

    cron, web = judged([many, few])

    assert (cron.verdict, cron.reasons[0].code) == (Verdict.LEGITIMATE, "proven_by_neighbour")
    assert web.reasons[0].code == "valid_host"


def test_a_neighbour_in_another_namespace_proves_nothing() -> None:
    few = destination("api.partner.example", namespace="shop", classes={"blocked": 1})
    many = destination("api.partner.example", namespace="ops", classes={"blocked": 40})

    assert judged([many, few])[1].verdict is Verdict.REVIEW


def test_what_a_rule_allows_one_workload_is_not_proven_for_its_neighbour() -> None:
    rules = [rule("allow", hosts=["api.partner.example"], workloads=["web"])]
    few = destination("api.partner.example", workload="cron", classes={"blocked": 1})

    assert judged([few, destination("api.partner.example")], rules=rules)[0].verdict is Verdict.REVIEW


def test_a_suspicious_workload_is_not_cleared_by_its_neighbour() -> None:
    forged = destination("api.partner.example", workload="cron", tampered_entries=1)

    assert judged([forged, destination("api.partner.example")])[0].verdict is Verdict.SUSPICIOUS


def test_a_public_name_at_a_private_address_is_judged_by_its_name_and_noted() -> None:
    (only,) = judged([destination("api.partner.example", ip="10.1.2.3")])

    assert only.verdict is Verdict.LEGITIMATE
    assert "name_at_private_address" in [reason.code for reason in only.reasons]


def test_an_unknown_source_is_noted() -> None:
    (only,) = judged([destination("api.partner.example", namespace=None)])

    assert only.reasons[-1].code == "source_unknown"


def test_verdicts_are_in_order_of_key_whatever_the_order_of_input() -> None:
    some = [destination(host, workload=name) for host in ("b.example", "a.example") for name in ("y", "x")]
    mixed = some.copy()
    Random(1).shuffle(mixed)

    assert judged(some) == judged(mixed)
    assert [item.key for item in judged(some)] == sorted((item.key for item in some), key=lambda key: key.order)


def test_every_detector_says_in_one_sentence_what_it_looks_for() -> None:
    for detector in known_detectors():
        assert detector.summary.endswith("."), detector.name
        assert type(detector).__doc__, detector.name


def test_no_two_detectors_share_a_position() -> None:
    positions = [detector.position for detector in known_detectors()]

    assert sorted(set(positions)) == positions


@given(st.text(max_size=80), st.sampled_from(["http", "tls", "tcp", "grpc"]), st.integers(1, 65535))
def test_any_host_at_all_gets_a_verdict_whose_reasons_a_terminal_can_show(host: str, protocol: str, port: int) -> None:
    (only,) = judged([destination(host or None, protocol, port=port)])

    assert only.reasons
    assert all("\x1b" not in reason.text and "\n" not in reason.text for reason in only.reasons)
