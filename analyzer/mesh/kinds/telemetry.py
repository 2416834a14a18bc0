"""Telemetry: which access logs are written at all."""

from analyzer.mesh.fields import Fields, common, mapping, mappings, optional_text, selector, text
from analyzer.mesh.kinds import MeshKind
from analyzer.mesh.objects import Document
from analyzer.mesh.scoping import AccessLogging, Telemetry


def telemetry_of(document: Document) -> Telemetry:
    """A Telemetry document as a value. Raises `ValueError` or `TypeError` where a field has the wrong shape."""
    spec = mapping(document.content, "spec")
    return Telemetry(
        **common(document),
        selector=selector(spec, "selector", "matchLabels"),
        access_logging=tuple(_access_logging(item) for item in mappings(spec, "accessLogging")),
    )


def _access_logging(item: Fields) -> AccessLogging:
    return AccessLogging(
        tuple(text(provider, "name") for provider in mappings(item, "providers")),
        item.get("disabled") is True,
        optional_text(mapping(item, "filter"), "expression"),
        optional_text(mapping(item, "match"), "mode"),
    )


KIND = MeshKind("Telemetry", "telemetry.istio.io", "telemetries", telemetry_of)
