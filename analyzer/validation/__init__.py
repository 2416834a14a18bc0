"""Istio's own rules on ServiceEntry manifests, and what it takes in silence and does otherwise than it says."""

from analyzer.validation.finding import Finding, finding_as_json, render
from analyzer.validation.rule import Rule, known_rules
from analyzer.validation.validating import validate, validate_paths

__all__ = ["Finding", "Rule", "finding_as_json", "known_rules", "render", "validate", "validate_paths"]
