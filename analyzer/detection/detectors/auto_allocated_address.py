"""Addresses that Istio's own DNS proxy made up for a ServiceEntry's host."""

from analyzer.detection.detector import Context
from analyzer.evidence import Destination, Reason
from analyzer.settings import inside
from analyzer.vocabulary import EgressClass, Verdict


class AutoAllocatedAddress:
    """`240.240.0.0/16` and `2001:2::/48` (istio/istio pilot/pkg/networking/serviceentry/ip_autoallocation.go)."""

    name = "auto_allocated_address"
    verdict = Verdict.INTERNAL
    position = 50
    summary = "The address was handed out by Istio's DNS proxy, so an entry is stale or lacks the port."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Only nameless destinations: under a name the address is doing what it is there for."""
        address = destination.key.destination_ip
        if destination.key.host is not None or address is None:
            return None
        if not inside(address, context.settings.networks.auto_allocated):
            return None
        refused = destination.by_class.get(EgressClass.BLOCKED, 0)
        return Reason(
            self.name,
            f"{address} is an address that Istio allocated for a ServiceEntry: the entry was deleted (stale DNS in the "
            f"client) or does not list port {destination.key.destination_port}; mend that entry ({refused:,} refused).",
        )


DETECTOR = AutoAllocatedAddress()
