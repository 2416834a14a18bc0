"""What this build knows: every part by name, with what it says of itself."""

from typing import Any, get_args

from analyzer.companions import known_companions
from analyzer.detection import known_detectors
from analyzer.parsing import known_formats
from analyzer.parsing.custom_json import CustomJson
from analyzer.parsing.custom_text import CustomText
from analyzer.parsing.envelopes import known_envelopes
from analyzer.proposals import known_manifest_kinds
from analyzer.report import known_sections
from analyzer.settings import Settings
from analyzer.sources import known_sources
from analyzer.validation import Rule, known_rules


def catalog() -> dict[str, list[dict[str, str]]]:
    """Every part with its name and what it is, by what kind of part it is."""
    return {
        "formats": [
            *(_part(name, part.reference) for name, part in known_formats().items()),
            *(_part(kind.name, f"`--format`, `--mesh-config`: {kind.reference}") for kind in (CustomJson, CustomText)),
        ],
        "sources": [_part(name, kind.reference) for name, kind in known_sources().items()],
        "envelopes": [_part(name, part.reference) for name, part in known_envelopes().items()],
        "detectors": [_part(part.name, f"{part.verdict}: {part.summary}") for part in known_detectors()],
        "manifest_kinds": [_part(name, part.summary) for name, part in known_manifest_kinds().items()],
        "companions": [_part(name, part.summary) for name, part in known_companions().items()],
        "rules": [_part(rule.code, _rule(rule)) for rule in known_rules()],
        "sections": [_part(part.name, part.title) for part in known_sections()],
        "settings": list(_settings(Settings, "")),
    }


def _part(name: str, about: str) -> dict[str, str]:
    return {"name": name, "about": about}


def _rule(rule: Rule) -> str:
    """How grave, Istio's own code, on which kinds and since when, what it asks for, and whose rule it is."""
    scope = [*([rule.istio_code] if rule.istio_code else []), ", ".join(rule.kinds) or "every kind"]
    scope += [rule.versions] if rule.versions else []
    return f"{rule.severity} ({'; '.join(scope)}): {rule.summary} Source: {rule.source}."


def _settings(model: Any, prefix: str) -> list[dict[str, str]]:
    """Every setting with its default and its description."""
    found: list[dict[str, str]] = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        items = next((part for part in get_args(inner) if hasattr(part, "model_fields")), None)
        if hasattr(inner, "model_fields"):
            found += _settings(inner, f"{prefix}{name}.")
        elif items is not None:
            found += _settings(items, f"{prefix}{name}[].")
        elif field.description:
            default = "required" if field.is_required() else f"default: {field.default!r}"
            found.append(_part(f"{prefix}{name}", f"{field.description} ({default})"))
    return found
