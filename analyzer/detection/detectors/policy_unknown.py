"""Destinations of which no line says by whose leave they were reached."""

from analyzer.detection.detector import Context
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import EgressClass, Verdict

_SILENT = (EgressClass.UNCLASSIFIED, EgressClass.NO_ROUTE)


class PolicyUnknown:
    """Envoy's own default format logs neither cluster nor route; a request that got no route proves no need."""

    name = "policy_unknown"
    verdict = Verdict.REVIEW
    position = 115
    summary = "No line says whether the traffic left the mesh, and by whose leave."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Look whether any entry was blocked, passed through or registered."""
        silent = sum(destination.by_class.get(egress_class, 0) for egress_class in _SILENT)
        if silent < destination.entries:
            return None
        return Reason(
            self.name,
            "The lines do not say by whose leave this was reached: log `%UPSTREAM_CLUSTER%`, `%ROUTE_NAME%` and "
            "`%DOWNSTREAM_LOCAL_ADDRESS%` (Istio's default format has them), or look at the request itself.",
        )


DETECTOR = PolicyUnknown()
