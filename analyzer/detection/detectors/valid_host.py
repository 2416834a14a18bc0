"""Named destinations that work, or would if policy let them."""

from analyzer.detection.detector import Context
from analyzer.detection.texts import entries, shown
from analyzer.evidence import Destination, Reason
from analyzer.mesh.names import is_valid_host
from analyzer.vocabulary import EgressClass, Verdict


class ValidHost:
    """The last to be asked: everything that speaks against a destination has spoken."""

    name = "valid_host"
    verdict = Verdict.LEGITIMATE
    position = 150
    summary = "A valid public name, called often enough and not mostly failing."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Whatever has a name and was not stopped by an earlier detector."""
        if destination.key.host is None or not is_valid_host(destination.key.host):
            return None
        refused = destination.by_class.get(EgressClass.BLOCKED, 0)
        fate = f", {refused:,} of them refused by policy" if refused else ""
        count = entries(destination.entries)
        return Reason(self.name, f"A valid public name; {_callers(destination)} made {count}{fate}.")


def _callers(destination: Destination) -> str:
    pods = destination.pods_seen
    workload = destination.key.source_workload
    return shown(workload) if workload else f"{pods} pods" if pods else "an unknown workload"


DETECTOR = ValidHost()
