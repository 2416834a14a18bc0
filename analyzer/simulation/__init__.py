"""Replay the log against manifests before anyone applies them."""

from analyzer.simulation.replay import Decision, Replay, ReplayedDestination, replay_as_json
from analyzer.simulation.simulator import Simulator
from analyzer.simulation.versions import version_of
from analyzer.simulation.watching import Looks, looks_at

__all__ = [
    "Decision",
    "Looks",
    "Replay",
    "ReplayedDestination",
    "Simulator",
    "looks_at",
    "replay_as_json",
    "version_of",
]
