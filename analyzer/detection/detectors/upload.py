"""Nameless destinations that take far more than they give."""

from analyzer.detection.detector import Context
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import Verdict

_MEGABYTE = 1_000_000


class Upload:
    """Upload is `bytes_received`, in Envoy's terms. Backups, log shippers and image pushes do the same, and have names.

    Who has a name is for `valid_host` to judge; an address that only one workload knows is for a person.
    """

    name = "upload"
    verdict = Verdict.SUSPICIOUS
    position = 97
    summary = "Large uploads to an address without a name that one workload alone calls."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Compare the bytes a day, and their share, with the thresholds."""
        key, limits = destination.key, context.settings.thresholds
        if key.host is not None or key.destination_ip is None or context.callers.get(key.destination_ip, 0) > 1:
            return None
        up, down = destination.bytes_received, destination.bytes_sent
        a_day = up / max(destination.days_seen, 1) / _MEGABYTE
        if a_day < limits.upload_megabytes or up <= limits.upload_ratio * (down + 1):
            return None
        return Reason(
            self.name,
            f"{a_day:,.0f} MB a day went to {key.name} and {down / _MEGABYTE:,.1f} MB came back in all; nobody else "
            "calls it and no name was seen. A backup looks the same: find out what it is.",
        )


DETECTOR = Upload()
