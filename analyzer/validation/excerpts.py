"""Findings as a compiler prints them: place, message, the line with a caret below the column, what to write."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from analyzer.text import printable
from analyzer.validation.finding import NO_OBJECT, Finding
from analyzer.vocabulary import Severity

_WIDEST = 120
"""Characters of a line that are shown: a list of objects as JSON may be one line of megabytes."""
_BEFORE = 60
_CUT = "..."


def render(findings: Sequence[Finding]) -> Iterator[str]:
    """The lines of a listing, one finding after the other."""
    files: dict[str, list[str]] = {}
    for finding in findings:
        if finding.file not in files:
            files[finding.file] = _lines(finding)
        yield _headline(finding)
        yield from _excerpt(finding, files[finding.file])
        if finding.hint:
            yield f"       = hint: {printable(finding.hint)}"


def counted(findings: Sequence[Finding]) -> str:
    """How many findings of each severity there are, heaviest first."""
    counts = Counter(finding.severity for finding in findings)
    files = len({finding.file for finding in findings})
    said = [f"{counts[severity]} {severity}" for severity in Severity if counts[severity]]
    return f"{', '.join(said)} in {files} file{'s' if files != 1 else ''}" if said else "nothing to object to"


def _headline(finding: Finding) -> str:
    istio = f", {finding.istio_code}" if finding.istio_code else ""
    place = f"{finding.file}:{finding.line}:{finding.column}"
    what = "" if finding.object == NO_OBJECT else f"{finding.object}: "
    return printable(f"{place}: {finding.severity}[{finding.code}{istio}]: {what}{finding.message}")


def _excerpt(finding: Finding, lines: list[str]) -> Iterator[str]:
    """The line and the caret; signs that a terminal would obey are written out, and the caret moves with them."""
    if not 0 < finding.line <= len(lines):
        return
    line = lines[finding.line - 1].rstrip("\r")
    before, after = line[: finding.column - 1], line[finding.column - 1 :]
    if len(line) > _WIDEST and len(before) > _BEFORE:
        before = _CUT + before[-_BEFORE:]
    if len(before) + len(after) > _WIDEST:
        after = after[: _WIDEST - len(before)] + _CUT
    before, after = printable(before), printable(after)
    yield f"  {finding.line:>4} | {before}{after}"
    yield f"       | {' ' * len(before)}^"


def _lines(finding: Finding) -> list[str]:
    raw = finding.text
    if raw is None:
        path = Path(finding.file)
        raw = path.read_bytes() if path.is_file() else b""
    return raw.decode("utf-8-sig", "replace").split("\n")
