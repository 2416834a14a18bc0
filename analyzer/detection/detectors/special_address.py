"""Addresses that no ServiceEntry can be for: loopback, multicast, broadcast, unspecified."""

from analyzer.detection.detector import Context
from analyzer.evidence import Destination, Reason
from analyzer.settings import plain_address
from analyzer.vocabulary import Verdict


class SpecialAddress:
    """Special-purpose ranges of the IANA registries (RFC 6890)."""

    name = "special_address"
    verdict = Verdict.DENIED
    position = 30
    summary = "The address is loopback, multicast, broadcast or unspecified."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Only a nameless destination is judged by its address."""
        text = destination.key.destination_ip
        address = plain_address(text) if destination.key.host is None and text is not None else None
        if address is None:
            return None
        kinds = (
            (address.is_loopback, "a loopback address"),
            (address.is_multicast, "a multicast address"),
            (address.is_unspecified, "the unspecified address"),
            (str(address) == "255.255.255.255", "the broadcast address"),
        )
        kind = next((words for holds, words in kinds if holds), None)
        return None if kind is None else Reason(self.name, f"{text} is {kind}: nothing outside the pod answers there.")


DETECTOR = SpecialAddress()
