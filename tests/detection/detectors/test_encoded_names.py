"""Data in names, and the hashes that content networks and object stores are full of."""

import hashlib

from analyzer.detection.labels import encoded_below, entropy
from analyzer.vocabulary import Verdict
from tests.detection.building import destination, judged


def _verdicts(hosts: list[str], **settings: object) -> set:
    return {item.verdict for item in judged([destination(host) for host in hosts], **settings)}


def _hashes(count: int) -> list[str]:
    return [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in range(count)]


def test_many_names_with_data_below_one_domain_are_tunnelling() -> None:
    assert _verdicts([f"{name}.t.attacker.example" for name in _hashes(10)]) == {Verdict.SUSPICIOUS}
    assert _verdicts([f"{name}.t.attacker.example" for name in _hashes(9)]) == {Verdict.LEGITIMATE}
    assert _verdicts([f"{name}.t.attacker.example" for name in _hashes(3)], thresholds={"encoded_names": 3}) == {
        Verdict.SUSPICIOUS
    }


def test_names_that_services_give_to_their_tenants_are_not_counted() -> None:
    for suffix in ("cloudfront.net", "s3.eu-west-1.amazonaws.com", "blob.core.windows.net"):
        assert _verdicts([f"{name}.{suffix}" for name in _hashes(20)]) == {Verdict.LEGITIMATE}


def test_many_plain_names_below_one_domain_are_ordinary() -> None:
    assert _verdicts([f"eu-west-{number}.api.partner.example" for number in range(60)]) == {Verdict.LEGITIMATE}


def test_entropy_alone_tells_neither_hexadecimal_nor_a_long_honest_name() -> None:
    measured = {
        name: round(entropy(name), 2)
        for name in (
            "d15k2d11r6t6rl",
            "dr49lng3n1n2s",
            "deadbeefcafebabe00112233",
            "hosted-compute-request-orchestrator-prod-eus-02",
        )
    }

    assert list(measured.values()) == [3.04, 3.33, 3.20, 3.71]
    assert encoded_below("deadbeefcafebabe00112233.attacker.example") == "attacker.example"
    assert encoded_below("d15k2d11r6t6rl.attacker.example") is None
