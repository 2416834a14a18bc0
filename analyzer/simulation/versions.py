"""Istio versions as the simulator reads them."""

from analyzer.versions import Version, version_of

__all__ = ["Version", "version_of"]
