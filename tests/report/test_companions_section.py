"""What was made on request stands on the page to the letter, and what was not asked for takes no room there."""

import html
import json
from pathlib import Path

import pytest

from analyzer.execution.auditing import audit
from analyzer.execution.local import ingest
from analyzer.pipeline import Audit
from analyzer.report import as_html, as_json, build
from analyzer.report.model import SectionModel
from analyzer.settings import Settings
from tests.lines import BLOCKED_HTTP, text


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("companions")
    (folder / "a.log").write_text("\n".join([text(BLOCKED_HTTP)] * 5) + "\n")
    ingest([str(folder / "a.log")], str(folder / "lake"), labels={"source_namespace": "shop", "source_workload": "web"})
    return str(folder / "lake")


def audited(lake: str, *companions: str) -> Audit:
    settings = Settings.model_validate({"proposals": {"companions": companions}})
    return audit(lake, settings=settings, istio_version="1.31")


def section(found: Audit) -> list[SectionModel]:
    return [section for section in build(found).sections if section.name == "companions"]


def test_every_companion_stands_on_the_page_to_the_letter(lake: str) -> None:
    found = audited(lake, "probe", "sidecar")
    model = build(found)
    twin, page = json.loads(json.dumps(as_json(model))), html.unescape(as_html(model))

    assert len(twin["companions"]) == len(found.companions.files) > 3
    for file, listed in zip(found.companions.files, twin["companions"], strict=True):
        assert listed == {"file": file.file, "companion": file.companion, "reason": file.reason}
        assert f"{file.file.removeprefix('companions/')}: {file.reason}</summary>" in page
        assert f"<code>{file.text}</code>" in page


def test_where_no_companion_was_asked_for_there_is_no_section(lake: str) -> None:
    assert section(audited(lake)) == []
