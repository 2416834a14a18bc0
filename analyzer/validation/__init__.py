"""Istio's own rules on manifests, and what it takes in silence and does otherwise than it says."""

from analyzer.validation.excerpts import counted, render
from analyzer.validation.finding import Finding, finding_as_json
from analyzer.validation.rule import Rule, known_rules
from analyzer.validation.sarif import as_sarif
from analyzer.validation.validating import validate, validate_paths

__all__ = [
    "Finding",
    "Rule",
    "as_sarif",
    "counted",
    "finding_as_json",
    "known_rules",
    "render",
    "validate",
    "validate_paths",
]
