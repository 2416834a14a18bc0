"""One workload that tries many ports of an address, or many addresses or names on a port, and hardly gets an answer."""

from analyzer.detection.detector import Context, Probing
from analyzer.detection.texts import share
from analyzer.evidence import Destination, Reason
from analyzer.settings import Thresholds
from analyzer.vocabulary import Verdict


class Scan:
    """Distinct targets, not tries: a client that retries one refused host is a migration, not an attack.

    Where policy refuses everything, a client that follows the DNS answers of one busy name also meets many
    addresses; but slowly, and it comes back to them. A sweep is quick and does not. Of names only those count that were
    hardly tried, and those below one registrable domain are one: shards and crawlers mostly succeed and come back.
    """

    name = "scan"
    verdict = Verdict.SUSPICIOUS
    position = 100
    summary = "Part of a scan: many ports of one address, or many addresses or names on one port, nearly all failing."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Count what the workload tried beside this destination."""
        key = destination.key
        limits = context.settings.thresholds
        caller = (key.source_namespace, key.source_workload)
        if key.destination_port is None:
            return None
        if key.host is not None:
            named = context.names_on_port.get((caller, key.destination_port), Probing())
            thin = destination.entries < limits.min_entries
            if thin and named.at_once >= limits.scan_hosts and _fails(named, limits):
                return self._reason(f"Names of {named.targets} domains on port {key.destination_port}", named)
            return None
        if key.destination_ip is None:
            return None
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
