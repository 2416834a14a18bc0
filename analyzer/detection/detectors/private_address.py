"""Private and pod addresses without a name."""

from analyzer.detection.detector import Context, is_internal
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import Verdict


class PrivateAddress:
    """A public name that was dialled at a private address is judged by its name: Istio decides by name too."""

    name = "private_address"
    verdict = Verdict.INTERNAL
    position = 70
    summary = "The address is private (pods, nodes, private infrastructure) and no name was seen."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Only nameless destinations are judged by their address."""
        address = destination.key.destination_ip
        if destination.key.host is not None or address is None:
            return None
        if not is_internal(address, context.settings.networks):
            return None
        return Reason(
            self.name,
            f"{address} is a private address (pod, node or private infrastructure); if it is outside the mesh, "
            "list its network under `networks.external` in the settings.",
        )


DETECTOR = PrivateAddress()
