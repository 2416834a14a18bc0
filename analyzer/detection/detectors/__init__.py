"""The detectors, one file each; see `analyzer.detection.detector.Detector` for what a file must offer."""
