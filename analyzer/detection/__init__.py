"""Judge destinations: the first detector that speaks gives the verdict, and says why."""

from analyzer.detection.detector import Context, Detector, known_detectors
from analyzer.detection.judging import judge

__all__ = ["Context", "Detector", "judge", "known_detectors"]
