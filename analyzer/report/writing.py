"""Build the report once, then write it twice: as JSON and as a page."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from analyzer.errors import TRY_WRITING, AnalyzerError, Place, UsageError, because
from analyzer.pipeline import Audit
from analyzer.proposals import proposals_as_json
from analyzer.report.folder import as_text, write_file
from analyzer.report.model import REPORT_VERSION, ReportModel, known_sections
from analyzer.report.page import as_html
from analyzer.report.sections.overview import headline
from analyzer.shapes import assessment_as_json, companions_as_json, destinations_as_json, summary_as_json
from analyzer.simulation import replay_as_json


def build(audit: Audit) -> ReportModel:
    """Say everything that the report says."""
    proposals = proposals_as_json(audit.proposals, audit.replay.coverage)
    data = {
        "version": REPORT_VERSION,
        **summary_as_json(audit),
        "destinations": destinations_as_json(audit),
        "proposals": [
            {**shape, "yaml": proposal.yaml}
            for shape, proposal in zip(proposals["proposals"], audit.proposals.proposed, strict=True)
        ],
        "not_proposed": proposals["not_proposed"],
        "companions": companions_as_json(audit),
        "replay": replay_as_json(audit.replay),
        "assessment": assessment_as_json(audit.assessment),
        "rejected_examples": [asdict(example) for example in audit.rejected_examples],
        "field_coverage": [asdict(coverage) for coverage in audit.field_coverage],
        "settings_notes": list(audit.settings_notes),
    }
    built = (section.build(audit) for section in known_sections())
    return ReportModel(headline(audit), tuple(section for section in built if section is not None), data)


def as_json(model: ReportModel) -> dict[str, Any]:
    """The report as plain data."""
    return {**model.data, "headline": model.headline, "sections": [asdict(section) for section in model.sections]}


def write_report(audit: Audit, path: str | Path) -> Path:
    """Write the page and, beside it, its JSON twin; return the page's path.

    Raises `AnalyzerError` where the file cannot be written, and `UsageError` where it has the name of its twin.
    """
    page = Path(path)
    if page.suffix == ".json":
        hint = f"name the page: {page.with_suffix('.html')}; its JSON twin is written beside it"
        raise UsageError("the page is HTML", Place(str(path)), hint)
    model = build(audit)
    try:
        write_file(page.with_suffix(".json"), as_text(as_json(model)))
        return write_file(page, as_html(model))
    except OSError as error:
        raise AnalyzerError(f"cannot be written: {because(error)}", Place(str(path)), TRY_WRITING) from error
