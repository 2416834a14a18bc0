"""What a client makes the proxy believe, through the whole audit: the log says it, and nothing rests on it."""

from pathlib import Path

import pytest

from analyzer.execution.auditing import audit
from analyzer.execution.local import ingest
from analyzer.pipeline import Audit
from analyzer.settings import Settings
from analyzer.store import Lake
from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, HTTP, TCP, text

PASSED = HTTP | {"upstream_cluster": "PassthroughCluster", "route_name": "allow_any"}


def audited(folder: Path, *lines: str) -> Audit:
    (folder / "a.log").write_text("\n".join(lines) + "\n")
    ingest([str(folder / "a.log")], str(folder / "lake"), labels={"source_namespace": "shop"})
    return audit(str(folder / "lake"), settings=Settings(), istio_version="1.31")


def codes(found: Audit) -> dict[str, list[str]]:
    return {item.destination.name: [reason.code for reason in item.reasons] for item in found.judged}


def stored(folder: Path, column: str) -> list[object]:
    return [row[column] for batch in Lake(folder / "lake").entries([column]) for row in batch.to_pylist()]


def test_the_source_of_a_request_with_a_forwarded_for_is_unknown(tmp_path: Path) -> None:
    audited(
        tmp_path,
        text(PASSED, x_forwarded_for="1.2.3.4", downstream_remote_address="1.2.3.4:0", authority="a.example.com"),
        text(PASSED, x_forwarded_for="::bad", downstream_remote_address="[2001:db8::bad]:0", authority="a.example.com"),
        text(PASSED, authority="a.example.com"),
    )

    assert stored(tmp_path, "downstream_remote_address") == [None, None, "10.0.0.1:50000"]


@pytest.mark.parametrize(
    "line",
    [
        text(TCP, upstream_cluster="outbound|443||*.wild.test", requested_server_name="x.wild.test",
             upstream_host="203.0.113.10:443"),
        text(HTTP, upstream_cluster="outbound|80||*.wild.test", authority="x.wild.test", route_name="default"),
    ],
    ids=["server name", "host"],
)  # fmt: skip
def test_a_wildcard_entry_that_lets_the_client_choose_the_address_is_remarked_on(tmp_path: Path, line: str) -> None:
    found = codes(audited(tmp_path, *[line] * 5))

    assert all("address_unchecked" in reasons for reasons in found.values())


def test_an_entry_that_is_resolved_by_the_proxy_is_not(tmp_path: Path) -> None:
    line = text(TCP, upstream_cluster="outbound|443||*.wild.test", requested_server_name="x.wild.test",
                upstream_host="198.51.100.7:443")  # fmt: skip

    assert "address_unchecked" not in codes(audited(tmp_path, *[line] * 5))["x.wild.test:443"]


def test_a_good_name_does_not_hide_the_metadata_service(tmp_path: Path) -> None:
    hidden = text(PASSED, authority="good.example.com", downstream_local_address="169.254.169.254:80",
                  upstream_host="169.254.169.254:80")  # fmt: skip
    others = [
        text(
            PASSED,
            authority="good.example.com",
            downstream_local_address=f"1.1.1.{n}:80",
            upstream_host=f"1.1.1.{n}:80",
        )
        for n in range(40)
    ]

    assert codes(audited(tmp_path, hidden, *others))["good.example.com:80"][0] == "cloud_metadata"


def test_http_that_goes_round_http_routing_is_reported_as_such(tmp_path: Path) -> None:
    around = text(TCP, downstream_local_address="203.0.113.10:80", upstream_cluster="PassthroughCluster",
                  upstream_host="203.0.113.10:80")  # fmt: skip

    assert codes(audited(tmp_path, *[around] * 5))["203.0.113.10:80"][0] == "http_routing_bypassed"


def test_a_forged_outcome_neither_proves_nor_proposes(tmp_path: Path) -> None:
    forged = 'x" 200 - via_upstream - "-" 5 5 1 1 "-" "curl'

    found = audited(tmp_path, *[text(BLOCKED_HTTP, user_agent=forged, authority="evil.example.com")] * 9)

    (only,) = found.judged
    assert (only.verdict, only.reasons[0].code, found.proposals.proposed) == ("suspicious", "tampered_lines", ())
    assert only.destination.by_class == {"blocked": 9}


def test_a_quote_that_fools_nobody_does_not_make_a_destination_suspicious(tmp_path: Path) -> None:
    found = audited(tmp_path, *[text(BLOCKED_HTTP, user_agent='My "Fancy" App', authority="api.example.com")] * 9)

    assert [item.verdict for item in found.judged] == ["legitimate"]


def test_a_server_name_that_envoy_marked_names_nothing(tmp_path: Path) -> None:
    line = text(BLOCKED_TCP, requested_server_name="invalid:good.example.com_")

    (only,) = audited(tmp_path, *[line] * 5).judged

    assert (only.key.host, only.verdict, only.reasons[0].code) == (None, "suspicious", "odd_name")


@pytest.mark.parametrize("path", ["web-0_shop_app-{id}.log", "shop_web-0_0a0a0a0a-0a0a-0a0a/app/0.log"])
def test_an_application_that_writes_like_a_proxy_is_none(tmp_path: Path, path: str) -> None:
    file = tmp_path / path.format(id="0a" * 32)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text(PASSED, authority="good.example.com") + "\n\nhello\n")

    tally = ingest([str(tmp_path)], str(tmp_path / "lake"))

    assert (tally.lines, tally.entries, tally.rejected_by_reason) == (2, 0, {"not_an_access_log": 2})


@pytest.mark.parametrize("path", ["web-0_shop_istio-proxy-{id}.log", "shop_web-0_0a0a0a0a-0a0a-0a0a/istio-proxy/0.log"])
def test_the_proxy_of_the_same_pod_is_believed(tmp_path: Path, path: str) -> None:
    file = tmp_path / path.format(id="0a" * 32)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text(PASSED, authority="good.example.com") + "\n")

    assert ingest([str(tmp_path)], str(tmp_path / "lake")).entries == 1
    assert stored(tmp_path, "source_pod") == ["web-0"]
