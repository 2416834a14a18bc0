"""Whether the mesh may be switched to REGISTRY_ONLY: what would break, why, and how much the log can prove."""

from analyzer.readiness.assessing import Assessment, assess
from analyzer.readiness.flip import Breaking, NamespaceReadiness, Traffic
from analyzer.readiness.meter import EvidenceMeter, Gap, Meters

__all__ = [
    "Assessment",
    "Breaking",
    "EvidenceMeter",
    "Gap",
    "Meters",
    "NamespaceReadiness",
    "Traffic",
    "assess",
]
