"""Names that a program made up, and honest ones that look it."""

import pytest

from tests.detection.building import destination, verdict


@pytest.mark.parametrize(
    "host", ["x7f3k9q2w8.xyz", "qxvbntrzkwp.top", "www.4f9a01c2d8e7b6a5.club", "b1x2c3wqrtplk.com"]
)
def test_two_signs_are_a_question(host: str) -> None:
    assert verdict(destination(host)) == ("review", "generated_name")


@pytest.mark.parametrize(
    "host",
    [
        "jsonplaceholder.typicode.com",
        "raw.githubusercontent.com",
        "static.cloudflareinsights.com",
        "hosted-compute-request-orchestrator-prod-eus-02.githubapp.com",
        "d15k2d11r6t6rl.cloudfront.net",
        "dr49lng3n1n2s.cloudfront.net",
        "deadbeefcafebabe00112233.s3.amazonaws.com",
        "shop.xyz",
        "xn--80ak6aa92e.xyz",
        "a1b2c3.example.com",
    ],
)
def test_one_sign_or_a_tenants_name_is_none(host: str) -> None:
    assert verdict(destination(host)) == ("legitimate", "valid_host")


def test_what_is_registered_was_decided_already() -> None:
    assert verdict(destination("x7f3k9q2w8.xyz", classes={"registered": 5}))[0] == "legitimate"
