"""Log lines of real shape, each with what a person said of it, through the whole ingest."""

import json
from pathlib import Path
from typing import Any

import pytest

from analyzer.execution.local import ingest
from analyzer.store import Lake

LINES = [
    json.loads(line) for line in (Path(__file__).parent / "data" / "labelled_lines.jsonl").read_text().splitlines()
]
COVERED = ("istio-", "json-default", "envoy-default", "not-access-log", "ztunnel", "json-custom")
CLASSES = {
    "blocked": {"blocked"},
    "passthrough": {"passthrough"},
    "registered": {"registered", "in_mesh"},
    "inbound": {"inbound"},
}
ARGUED = {
    "r148": "its end was left out by hand ('...'), so neither the client nor the route is there",
    "r151": "its middle was left out by hand ('...')",
    "r192": "its end was cut off inside the dialled address",
    "r251": "the server name was replaced by a remark with blanks",
    "r257": "its end was left out by hand ('...')",
    "r112": "Envoy's own format does not log the cluster, so it cannot say 'registered'",
    "r230": "Envoy's own format does not log the cluster, so it cannot say 'registered'",
}
"""Lines of which the label asks for more than the line holds."""


def judged(folder: Path, line: str) -> list[dict[str, Any]]:
    (folder / "a.log").write_text(line + "\n")
    ingest([str(folder / "a.log")], str(folder / "lake"))
    wanted = ["egress_class", "mechanism", "result", "host", "destination_ip", "destination_port"]
    entries = [row for batch in Lake(folder / "lake").entries(wanted) for row in batch.to_pylist()]
    return entries or [row for batch in Lake(folder / "lake").rejected() for row in batch.to_pylist()]


@pytest.mark.parametrize(
    "case",
    [case for case in LINES if case["format"].startswith(COVERED) and case["id"] not in ARGUED],
    ids=lambda case: case["id"],
)
def test_a_line_is_what_a_person_said_it_is(tmp_path: Path, case: dict[str, Any]) -> None:
    (found,) = judged(tmp_path, case["line"])

    if case["format"] == "not-access-log":
        assert found["reason"] == "not_an_access_log"
    elif case["outcome"] in CLASSES:
        assert found["egress_class"] in CLASSES[case["outcome"]]
    elif case["outcome"] == "failed":
        assert found["result"] != "ok"
    else:
        assert found["egress_class"] in ("unclassified", "no_route")


@pytest.mark.parametrize("case", [case for case in LINES if case["id"] in ARGUED], ids=lambda case: case["id"])
def test_a_line_that_lost_what_its_label_needs_is_not_guessed_at(tmp_path: Path, case: dict[str, Any]) -> None:
    found = judged(tmp_path, case["line"])

    assert all(row.get("egress_class", "unclassified") == "unclassified" for row in found)
    assert all(row.get("reason", "truncated") in ("truncated", "not_an_access_log") for row in found)
