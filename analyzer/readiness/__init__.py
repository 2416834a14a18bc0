"""Whether the mesh may be switched to REGISTRY_ONLY: what would break, why, and how much the log can prove."""

from analyzer.readiness.assessing import Assessment, assess
from analyzer.readiness.blocks import Block
from analyzer.readiness.cause import Cause
from analyzer.readiness.flip import Breaking, NamespaceReadiness, Traffic
from analyzer.readiness.ledger import Grant, Ledger, WideWildcard
from analyzer.readiness.meter import EvidenceMeter, Gap, Meters
from analyzer.readiness.narrowing import Narrowing, Narrowings
from analyzer.readiness.side_effects import SideEffect

__all__ = [
    "Assessment",
    "Block",
    "Breaking",
    "Cause",
    "EvidenceMeter",
    "Gap",
    "Grant",
    "Ledger",
    "Meters",
    "NamespaceReadiness",
    "Narrowing",
    "Narrowings",
    "SideEffect",
    "Traffic",
    "WideWildcard",
    "assess",
]
