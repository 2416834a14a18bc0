"""One workload that tries many ports of an address, or many addresses on a port, and hardly gets an answer."""

from analyzer.detection.detector import Context, Probing
from analyzer.detection.texts import share
from analyzer.evidence import Destination, Reason
from analyzer.settings import Thresholds
from analyzer.vocabulary import Verdict


class Scan:
    """Distinct targets, not tries: a client that retries one refused host is a migration, not an attack.

    Where policy refuses everything, a client that follows the DNS answers of one busy name also meets many
    addresses; but slowly, and it comes back to them. A sweep is quick and does not.
    """

    name = "scan"
    verdict = Verdict.SUSPICIOUS
    position = 100
    summary = "Part of a scan: many ports of one address or many addresses on one port, nearly all failing."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Only nameless destinations can be targets; shards and crawlers have names and mostly succeed."""
        key = destination.key
        if key.host is not None or key.destination_ip is None or key.destination_port is None:
            return None
        limits = context.settings.thresholds
        caller = (key.source_namespace, key.source_workload)
        ports = context.ports_of_address.get((caller, key.destination_ip), Probing())
        if ports.targets >= limits.scan_ports and _fails(ports, limits):
            return self._reason(f"{ports.targets} ports of {key.destination_ip}", ports)
        sweep = context.addresses_on_port.get((caller, key.destination_port), Probing())
        if sweep.at_once >= limits.scan_hosts and sweep.tries <= limits.scan_tries and _fails(sweep, limits):
            return self._reason(f"{sweep.targets} addresses on port {key.destination_port}", sweep)
        return None

    def _reason(self, what: str, probing: Probing) -> Reason:
        failing = share(probing.failing, probing.entries)
        return Reason(self.name, f"{what} were tried by one workload; {failing} entries got no answer.")


def _fails(probing: Probing, limits: Thresholds) -> bool:
    return probing.failing_share >= limits.scan_failing_share


DETECTOR = Scan()
