"""An audit as a page that a person can sign, and as JSON that a program can read: one value, two faces."""

from analyzer.report.folder import write_output
from analyzer.report.model import (
    Fact,
    Figure,
    ManifestList,
    ReportModel,
    ReportSection,
    SectionModel,
    Table,
    known_sections,
)
from analyzer.report.page import as_html
from analyzer.report.sections.overview import headline
from analyzer.report.writing import as_json, build, write_report

__all__ = [
    "Fact",
    "Figure",
    "ManifestList",
    "ReportModel",
    "ReportSection",
    "SectionModel",
    "Table",
    "as_html",
    "as_json",
    "build",
    "headline",
    "known_sections",
    "write_output",
    "write_report",
]
