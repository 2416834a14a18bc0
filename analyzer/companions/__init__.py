"""Manifests beside the ServiceEntries, each only on request: scope, gateway, network, visibility, probes."""

from analyzer.companions.companion import Companion, CompanionFile, Companions, Situation, known_companions
from analyzer.companions.making import check_names, make_companions

__all__ = [
    "Companion",
    "CompanionFile",
    "Companions",
    "Situation",
    "check_names",
    "known_companions",
    "make_companions",
]
