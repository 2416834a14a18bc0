"""Replay the log against manifests before anyone applies them."""

from analyzer.simulation.matching import RouteKind, RouteKinds
from analyzer.simulation.replay import Decision, Replay, ReplayedDestination, replay_as_json
from analyzer.simulation.simulator import Simulator
from analyzer.simulation.versions import version_of

__all__ = [
    "Decision",
    "Replay",
    "ReplayedDestination",
    "RouteKind",
    "RouteKinds",
    "Simulator",
    "replay_as_json",
    "version_of",
]
