"""A finding: what is wrong with a manifest, where, how grave it is, and what to write instead."""

from dataclasses import dataclass, field
from typing import Any

from analyzer.vocabulary import Severity

NO_OBJECT = "-"
"""Stands for the object where a document could not be read as one."""


@dataclass(frozen=True)
class Finding:
    """One rule that one document breaks; `line` and `column` count from 1, `object` is `<kind>/<namespace>/<name>`.

    `text` is the whole file as it was read, for whoever shows the line.
    """

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
    text: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def order(self) -> tuple[str, int, int, str, str, str]:
        """By place, then by code."""
        return (self.file, self.line, self.column, self.code, self.object, self.message)


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
