"""Destinations of which the log shows an address and no name."""

from analyzer.detection.detector import Context
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import ApplicationProtocol, Verdict

_TLS_PORTS = frozenset((443, 465, 563, 636, 853, 989, 990, 993, 995, 5061, 6443, 8443, 9443))


class AddressOnly:
    """An address says nothing of who answers there tomorrow; the proxy can show the name if it is told to."""

    name = "address_only"
    verdict = Verdict.REVIEW
    position = 110
    summary = "The log shows an address but no name."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Say how to see the name, by what the port is likely to carry."""
        key = destination.key
        if key.host is not None:
            return None
        if key.destination_ip is None:
            return Reason("no_destination", "The log format shows neither name nor address of the destination.")
        if key.application_protocol in (ApplicationProtocol.HTTP, ApplicationProtocol.GRPC):
            return Reason(
                self.name,
                f"{key.name} is asked for by address, with no name in Host. Have the client use the name, or "
                "find out who owns the address and allow it by rule (`cidrs` and `ports` in the settings).",
            )
        if key.destination_port in _TLS_PORTS:
            return Reason(
                self.name,
                f"Only {key.name} is known. To see the name: any ServiceEntry without addresses and with a TLS port "
                f"{key.destination_port} (resolution NONE where the proxy captures DNS) makes Istio inspect TLS "
                "there; later lines then carry the SNI in requested_server_name (refused ones since Istio 1.11).",
            )
        return Reason(
            self.name,
            f"Only {key.name} is known, and TCP carries no name. Find out who owns the address; then allow it by rule "
            "(`cidrs` and `ports` in the settings) to have it proposed by its address.",
        )


DETECTOR = AddressOnly()
