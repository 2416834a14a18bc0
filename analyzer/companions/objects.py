"""Companion objects as text: API version by Istio version, our label, the evidence as annotations, settled bytes."""

from collections.abc import Sequence
from typing import Any

from analyzer.companions.companion import CompanionFile
from analyzer.evidence import Destination
from analyzer.proposals.manifest_yaml import as_yaml
from analyzer.proposals.rendering import annotations_of
from analyzer.versions import version_of
from analyzer.vocabulary import MANAGED_BY, MANAGED_BY_LABEL

LABELS = {MANAGED_BY_LABEL: MANAGED_BY}
_GROUPS = {
    "AuthorizationPolicy": ("security.istio.io", "v1beta1"),
    "NetworkPolicy": ("networking.k8s.io", "v1"),
    "Telemetry": ("telemetry.istio.io", "v1alpha1"),
}
_NEWER = (1, 22)
"""Since then Istio serves all its kinds as v1."""


def manifest(
    companion: str,
    kind: str,
    reference: tuple[str, str],
    spec: dict[str, Any],
    *,
    reason: str,
    seen: Sequence[Destination],
    istio_version: str,
    file: str | None = None,
) -> CompanionFile:
    """One object in one file; `reference` is its namespace and name, `seen` what it was made for."""
    namespace, name = reference
    document = {
        "apiVersion": _api_version(kind, istio_version),
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": LABELS,
            "annotations": dict(sorted(annotations_of(seen, reason).items())),
        },
        "spec": spec,
    }
    path = file or f"{namespace}/{kind.lower()}-{name}.yaml"
    return CompanionFile(companion, f"companions/{companion}/{path}", as_yaml(document), reason)


def _api_version(kind: str, istio_version: str) -> str:
    group, older = _GROUPS.get(kind, ("networking.istio.io", "v1beta1"))
    newer = group.endswith(".istio.io") and version_of(istio_version) >= _NEWER
    return f"{group}/{'v1' if newer else older}"
