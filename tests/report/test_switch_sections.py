"""The sections about the switch: what the page shows is what report.json holds."""

import html
import json

import pytest

from analyzer.evidence import DestinationKey
from analyzer.execution.auditing import audit
from analyzer.execution.local import ingest
from analyzer.mesh import load_mesh
from analyzer.report import as_html, as_json, build
from analyzer.report.model import ReportModel
from analyzer.settings import Settings
from tests.golden import ROOT
from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, TCP, text

SECTIONS = ("readiness", "causes", "side_effects", "ledger")
PARTNER = {"requested_server_name": "www.partner.example", "upstream_cluster": "outbound|443||www.partner.example"}


def model(folder, days: int, **readiness: int) -> ReportModel:
    """A partner called every hour through an entry, beside a mesh with mistakes."""
    hours = [f"2026-03-{2 + n // 24:02}T{n % 24:02}:30:00.000Z" for n in range(days * 24)]
    lines = [text(TCP, start_time=hour, upstream_host="203.0.113.10:443", **PARTNER) for hour in hours]
    lines += [text(BLOCKED_HTTP, authority="jsonplaceholder.typicode.com")] * 2
    lines += [text(BLOCKED_TCP, downstream_local_address="203.0.113.54:5432")] * 2
    (folder / "web.log").write_text("\n".join(lines) + "\n")
    ingest([str(folder / "web.log")], str(folder / "lake"), labels={"source_namespace": "shop"})
    mesh, _ = load_mesh([str(ROOT / "tests" / "data" / "mesh")])
    settings = Settings.model_validate({"readiness": readiness})
    return build(audit(str(folder / "lake"), settings=settings, mesh=mesh, istio_version="1.31"))


@pytest.fixture(scope="module")
def long_log(tmp_path_factory) -> ReportModel:
    return model(tmp_path_factory.mktemp("long"), 3, min_unused_days=2)


def test_every_cell_of_the_twin_stands_on_the_page(long_log: ReportModel) -> None:
    page = html.unescape(as_html(long_log))
    twin = json.loads(json.dumps(as_json(long_log)))

    tables = [block for s in twin["sections"] if s["name"] in SECTIONS for block in s["blocks"] if "rows" in block]
    assert len(tables) >= 5
    for cell in (cell for table in tables for row in table["rows"] for cell in row):
        assert (f"{cell:,}" if isinstance(cell, int) else "–" if cell is None else cell) in page


def test_the_tables_are_made_from_what_other_programs_read(long_log: ReportModel) -> None:
    assessment = long_log.data["assessment"]

    counts = {fact.label: fact.value for s in long_log.sections if s.name == "readiness" for fact in s.facts}
    assert sum(long_log.data["readiness"].values()) == sum(counts.values()) == len(assessment["namespaces"])
    causes = {cause["code"] for cause in assessment["causes"]}
    (by_cause,) = [b for s in long_log.sections if s.name == "causes" for b in s.blocks if b.caption == "By cause"]
    assert {row[0] for row in by_cause.rows} == causes == {"port_missing", "registered_since"}


def test_every_destination_has_its_causes(long_log: ReportModel) -> None:
    listed = [
        {**{name: destination[name] for name in DestinationKey._fields}, **cause}
        for destination in long_log.data["destinations"]
        for cause in destination["causes"]
    ]

    assert sorted(listed, key=str) == sorted(long_log.data["assessment"]["causes"], key=str)


def test_the_ledger_shows_the_narrowed_manifest(long_log: ReportModel) -> None:
    (partner,) = [g for g in long_log.data["assessment"]["ledger"]["grants"] if g["reference"] == "egress/partner"]

    assert (partner["unused_ports"], partner["unused_hosts"]) == ((8443,), ("old.partner.example",))
    assert partner["file"] == "narrowed/egress/partner.yaml"
    assert "old.partner.example" not in partner["narrowed"].partition("\nspec:\n")[2]
    assert partner["narrowed"] in html.unescape(as_html(long_log))


def test_a_ledger_over_a_short_log_says_when_it_will_be_long_enough(tmp_path) -> None:
    (ledger,) = [section for section in model(tmp_path, 3).sections if section.name == "ledger"]

    assert ledger.blocks == ()
    assert ledger.lead.endswith("It will be on 2026-04-02, if logs go on without a gap.")


def test_without_a_mesh_there_is_no_ledger(tmp_path) -> None:
    (tmp_path / "a.log").write_text(text(BLOCKED_HTTP))
    ingest([str(tmp_path / "a.log")], str(tmp_path / "lake"))

    built = build(audit(str(tmp_path / "lake"), settings=Settings(), istio_version="1.31"))

    leads = {section.name: section.lead for section in built.sections}
    assert leads["ledger"] == "No mesh documents were given (--mesh), so there is no ledger."
