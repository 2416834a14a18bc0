"""Findings as SARIF 2.1.0, which code scanning reads (docs.oasis-open.org/sarif/sarif/v2.1.0)."""

import hashlib
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from analyzer.text import printable
from analyzer.validation.finding import Finding
from analyzer.validation.rule import Rule, known_rules
from analyzer.vocabulary import Severity

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.DANGER: "warning", Severity.INFO: "note"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_UNREADABLE = {
    "id": "unreadable",
    "shortDescription": {"text": "A document is YAML or JSON, and a Kubernetes object."},
    "defaultConfiguration": {"level": "error"},
    "properties": {"severity": "error"},
}


def as_sarif(findings: Sequence[Finding], version: str) -> dict[str, Any]:
    """One run of this tool, `version` being the tool's own; every rule is described, broken or not."""
    rules = [*map(_described, known_rules()), _UNREADABLE]
    places = {described["id"]: index for index, described in enumerate(rules)}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "egress-audit", "semanticVersion": version, "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, places[finding.code]) for finding in findings],
            }
        ],
    }


def _described(rule: Rule) -> dict[str, Any]:
    tags = [tag for tag in (rule.istio_code, *rule.kinds) if tag]
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.summary},
        "help": {"text": f"Source: {rule.source}." + (f" Holds {rule.versions}." if rule.versions else "")},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"severity": rule.severity.value, **({"tags": tags} if tags else {})},
    }


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    hint = f" Write instead: {finding.hint}" if finding.hint else ""
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": _plain(f"{finding.object}: {finding.message}.{hint}")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(finding.file)},
                    "region": {"startLine": finding.line, "startColumn": finding.column},
                },
                "logicalLocations": [{"fullyQualifiedName": printable(finding.object), "kind": "object"}],
            }
        ],
        "partialFingerprints": {"egressAudit/v1": _fingerprint(finding)},
        "properties": {
            "severity": finding.severity.value,
            "document": finding.document,
            **({"istioCode": finding.istio_code} if finding.istio_code else {}),
        },
    }


def _plain(text: str) -> str:
    """Text of a manifest as a message: no control characters, no link, no placeholder (SARIF 3.11.5, 3.11.6)."""
    return printable(text).replace("](", "] (").replace("{", "{{").replace("}", "}}")


def _uri(file: str) -> str:
    """A path as a URI reference; standard input has no path, and gets a name."""
    if file == "-":
        return "stdin"
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _fingerprint(finding: Finding) -> str:
    """What stays the same when lines move: the object, the rule and what it says."""
    said = "\0".join((finding.object, finding.code, finding.message))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]
