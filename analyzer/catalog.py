"""What this build knows: every part by name, with what it says of itself."""

from typing import Any

from analyzer.detection import known_detectors
from analyzer.parsing import known_formats
from analyzer.parsing.envelopes import known_envelopes
from analyzer.proposals import known_manifest_kinds
from analyzer.report import known_sections
from analyzer.settings import Settings


def catalog() -> dict[str, list[dict[str, str]]]:
    """Formats, envelopes, detectors, manifest kinds, report sections and settings, each with name and what it is."""
    return {
        "formats": [_part(name, part.reference) for name, part in known_formats().items()],
        "envelopes": [_part(name, part.reference) for name, part in known_envelopes().items()],
        "detectors": [_part(part.name, f"{part.verdict}: {part.summary}") for part in known_detectors()],
        "manifest_kinds": [_part(name, part.summary) for name, part in known_manifest_kinds().items()],
        "sections": [_part(part.name, part.title) for part in known_sections()],
        "settings": list(_settings(Settings, "")),
    }


def _part(name: str, about: str) -> dict[str, str]:
    return {"name": name, "about": about}


def _settings(model: Any, prefix: str) -> list[dict[str, str]]:
    """Every setting with its default and its description."""
    found: list[dict[str, str]] = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if hasattr(inner, "model_fields"):
            found += _settings(inner, f"{prefix}{name}.")
        elif field.description:
            found.append(_part(f"{prefix}{name}", f"{field.description} (default: {field.default!r})"))
    return found
