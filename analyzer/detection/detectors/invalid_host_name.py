"""Names that no ServiceEntry may hold."""

from analyzer.detection.detector import Context
from analyzer.detection.texts import shown
from analyzer.evidence import Destination, Reason
from analyzer.mesh.names import LONGEST_NAME, is_valid_host
from analyzer.vocabulary import HostSource, Verdict


class InvalidHost:
    """Names that Istio's validation refuses in `ServiceEntry.hosts`."""

    name = "invalid_host_name"
    verdict = Verdict.REVIEW
    position = 120
    summary = "Istio would refuse the name in a ServiceEntry."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Underscores, over-long labels and the like are legal in a Host header but not in a manifest."""
        host = destination.key.host
        if host is not None and "*" in host and HostSource.CLUSTER not in destination.host_sources:
            return Reason(self.name, f"A client asked for {shown(host)}: no name has a `*` in it, only entries have.")
        if host is None or (is_valid_host(host) and len(host) <= LONGEST_NAME):
            return None
        if is_valid_host(host):
            return Reason(self.name, f"{shown(host)} is longer than any DNS name ({LONGEST_NAME} letters).")
        return Reason(
            self.name, f"Istio refuses {shown(host)} in `hosts`: a DNS name has letters, digits and inner hyphens only."
        )


DETECTOR = InvalidHost()
