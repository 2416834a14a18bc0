"""A finding: what is wrong with a manifest, where, how grave it is, and what to write instead."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzer.text import printable
from analyzer.vocabulary import Severity


@dataclass(frozen=True)
class Finding:
    """One rule that one document breaks; `line` and `column` count from 1, `object` is `<kind>/<namespace>/<name>`."""

    file: str
    line: int
    column: int
    document: int
    object: str
    code: str
    istio_code: str | None
    severity: Severity
    since: str | None
    message: str
    hint: str | None = None

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        """By place, then by code."""
        return (self.file, self.line, self.column, self.code, self.message)


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """A finding with the keys of the output contract."""
    return {
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "document": finding.document,
        "object": finding.object,
        "code": finding.code,
        "istio_code": finding.istio_code,
        "severity": finding.severity.value,
        "since": finding.since,
        "message": finding.message,
        "hint": finding.hint,
    }


def render(findings: Sequence[Finding]) -> Iterator[str]:
    """Findings as a compiler prints them: place, message, the line with a caret, what to write instead."""
    texts: dict[str, list[str]] = {}
    for finding in findings:
        istio = f", {finding.istio_code}" if finding.istio_code else ""
        yield (
            f"{finding.file}:{finding.line}:{finding.column}: "
            f"{finding.severity}[{finding.code}{istio}]: {finding.message}"
        )
        lines = texts.setdefault(finding.file, _lines(finding.file))
        if 0 < finding.line <= len(lines):
            shown = printable(lines[finding.line - 1])
            yield f"  {finding.line:>4} | {shown}"
            yield f"       | {' ' * (finding.column - 1)}^"
        if finding.hint:
            yield f"       = hint: {finding.hint}"


def _lines(file: str) -> list[str]:
    path = Path(file)
    return path.read_text(encoding="utf-8-sig", errors="replace").split("\n") if path.is_file() else []
