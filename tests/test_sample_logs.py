"""The story of `sample_logs`, told again by every build."""

import json
import random
import shutil
from pathlib import Path

from tests.golden import ROOT, SAMPLE, files, run


def test_the_sample_logs_give_the_golden_report(tmp_path: Path) -> None:
    """Run `make golden` and read the diff where this fails on purpose."""
    run(tmp_path / "out")

    assert files(tmp_path / "out") == files(SAMPLE)


def test_the_number_of_workers_and_the_order_of_sources_change_no_byte(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("analyzer.execution.pool._WORTH_WORKERS", 0)
    sources = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "sample_logs").rglob("*.log*"))
    random.Random(1).shuffle(sources)

    run(tmp_path / "one")
    run(tmp_path / "two", workers=3, sources=tuple(sources))

    ours, theirs = files(tmp_path / "one"), files(tmp_path / "two")
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert (tmp_path / "one" / "report.html").read_bytes() == (tmp_path / "two" / "report.html").read_bytes()


def test_the_tally_is_the_one_that_the_readme_promises() -> None:
    summary = json.loads((SAMPLE / "summary.json").read_text())
    readme = " ".join((ROOT / "sample_logs" / "README.md").read_text().split())

    tally, classes = summary["tally"], summary["classes"]
    assert f"{tally['lines']} lines: {tally['entries']} entries and {tally['rejected']} rejected" in readme
    assert f"{classes['blocked']} entries blocked, {classes['passthrough']} let out unregistered" in readme
    assert f"{classes['in_mesh']} inside the mesh, {classes['inbound']} inbound" in readme


def test_the_forum_is_repaired_and_nothing_else_is_let_out() -> None:
    report = json.loads((SAMPLE / "report.json").read_text())
    manifest = (SAMPLE / "manifests" / "istioinaction" / "jsonplaceholder-typicode-com.yaml").read_text()

    for line in ("number: 80", "name: http", "protocol: HTTP", "resolution: DNS", "location: MESH_EXTERNAL", '- "."'):
        assert line in manifest
    outcome = {
        (d["source_workload"], d["host"] or d["destination_ip"]): d["outcome"] for d in report["replay"]["destinations"]
    }
    assert outcome["forum", "jsonplaceholder.typicode.com"] == "allowed"
    assert outcome["webapp", "exfil.attacker.example"] == "blocked"
    assert outcome["node-metrics", "169.254.169.254"] == "blocked"


def test_every_destination_that_a_manifest_is_for_is_allowed_by_it() -> None:
    report = json.loads((SAMPLE / "report.json").read_text())
    key = ("source_namespace", "source_workload", "host", "destination_ip", "destination_port", "application_protocol")
    outcome = {tuple(d[name] for name in key): d["outcome"] for d in report["replay"]["destinations"]}

    made_for = [tuple(d[name] for name in key) for p in report["proposals"] for d in p["destinations"]]

    assert len(made_for) >= 9
    assert {outcome[destination] for destination in made_for} == {"allowed"}


def test_the_download_is_proposed_only_where_its_name_was_logged() -> None:
    report = json.loads((SAMPLE / "report.json").read_text())

    named = [p for p in report["proposals"] if "raw-githubusercontent" in p["name"]]
    nameless = [n for n in report["not_proposed"] if n["destination"]["destination_ip"] == "203.0.113.20"]
    assert (len(named), len(nameless)) == (1, 1)
    assert "requested_server_name" in nameless[0]["reason"]


def test_every_line_of_the_sample_is_accounted_for(tmp_path: Path) -> None:
    tally = json.loads((SAMPLE / "summary.json").read_text())["tally"]

    assert tally["lines"] == tally["entries"] + tally["rejected"] + tally["duplicates"]
    shutil.rmtree(tmp_path, ignore_errors=True)
