import html
import json
import re
from pathlib import Path

import pytest

from analyzer.execution.auditing import audit
from analyzer.execution.local import ingest
from analyzer.pipeline import Audit
from analyzer.report import as_html, as_json, build
from analyzer.report.page import _prose, as_columns, embedded, from_columns
from analyzer.settings import Settings
from analyzer.text import printable
from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, text

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "'; alert(1); //",
    "<b>bold</b><a href=javascript:alert(1)>x</a>",
    "\u202egpj.exe \u2028 \u200b",
    "{{ 7*7 }} {% raw %}",
    "&lt;script&gt;",
    "x" * 10_000,
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Audit:
    folder = tmp_path_factory.mktemp("hostile")
    lines = []
    for text_of_theirs in HOSTILE:
        lines += [text(BLOCKED_HTTP, user_agent=text_of_theirs, authority="a.example.com")] * 3
        lines += [text(BLOCKED_HTTP, authority=text_of_theirs.replace(" ", "").replace('"', ""))] * 3
        lines += [text(BLOCKED_TCP, requested_server_name="ok.example"), text_of_theirs]
    (folder / "a.log").write_text("\n".join(lines) + "\n")
    ingest([str(folder / "a.log")], str(folder / "lake"), labels={"source_namespace": "shop"})
    return audit(str(folder / "lake"), settings=Settings(), istio_version="1.31")


def data_of(page: str) -> dict:
    (content,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(content)


def test_the_page_and_its_json_twin_agree(hostile: Audit) -> None:
    model = build(hostile)
    twin, page = json.loads(json.dumps(as_json(model))), as_html(model)

    data = data_of(page)

    assert from_columns(data["destinations"]) == twin["destinations"]
    listed = [
        m | {"yaml": m["yaml"].split("\n"), "diff": (m["diff"] or "").split("\n")}
        for s in twin["sections"]
        for b in s["blocks"]
        for m in b.get("manifests", [])
    ]
    assert from_columns(data["manifests"]) == listed
    assert [proposal["yaml"].split("\n") for proposal in twin["proposals"]] == [m["yaml"] for m in listed]
    figures = {b["id"]: b["figure"] for s in twin["sections"] for b in s["blocks"] if "figure" in b}
    assert data["figures"] == figures
    assert twin["headline"] in page


def test_log_text_is_never_markup(hostile: Audit) -> None:
    page = as_html(build(hostile))

    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "<a href=javascript" not in page
    assert "\u202e" not in page
    assert "\u2028" not in page
    assert page.count("</script>") == 3


def test_the_script_of_the_figures_is_in_the_page_once(hostile: Audit) -> None:
    page = as_html(build(hostile))

    assert page.count("plotly.js (basic - minified) v") == 1


def test_the_bands_are_drawn_from_what_other_programs_read(hostile: Audit) -> None:
    model = build(hostile)
    page = html.unescape(as_html(model))

    (flows,) = (section for section in json.loads(json.dumps(as_json(model)))["sections"] if section["name"] == "flows")
    rows = flows["blocks"][0]["alternative"]["rows"]
    assert rows
    for source, target, verdict, entries in rows:
        assert f'<path class="{verdict}"' in page
        assert f"<title>{printable(source)} → {printable(target)}: {entries:,} ({verdict})</title>" in page


def test_the_policy_forbids_every_request(hostile: Audit) -> None:
    page = as_html(build(hostile))

    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert "default-src &#39;none&#39;" in policy
    assert "unsafe-eval" not in policy
    assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?!data:|#)', page)


def test_the_same_audit_is_the_same_page(hostile: Audit) -> None:
    assert as_html(build(hostile)) == as_html(build(hostile))


def test_columns_and_back_is_the_same() -> None:
    rows = [
        {"a": 1, "b": ["x", {"y": None}], "c": "x"},
        {"a": None, "b": [], "c": "</script>"},
        {"a": None, "b": ["a.log:7", "a.log:07", ":0", "7", "a:\n:12", f"x:{'9' * 30}"], "c": "::1"},
    ]

    packed = json.loads(embedded(as_columns(rows)))

    assert from_columns(packed) == rows


def test_an_empty_audit_is_a_page_too(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("junk\n")
    ingest([str(tmp_path / "a.log")], str(tmp_path / "lake"))

    page = as_html(build(audit(str(tmp_path / "lake"), settings=Settings(), istio_version="1.31")))

    assert "No outbound traffic" in page


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("log `%ROUTE_NAME%` (--mesh).", "log <code>%ROUTE_NAME%</code> (<code>--mesh</code>)."),
        ("`<img src=x>` and <b>", "<code>&lt;img src=x&gt;</code> and &lt;b&gt;"),
        ("a--b ` alone", "a--b ` alone"),
        (None, "–"),
    ],
)
def test_what_is_to_be_typed_is_set_apart_in_a_sentence_and_nothing_else_is(sentence: str | None, shown: str) -> None:
    assert _prose(sentence) == shown
