"""CONNECT requests: a forward proxy's protocol, which no HTTP port of an entry routes."""

from analyzer.detection.detector import Context
from analyzer.detection.texts import shown
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import Verdict


class ConnectRequest:
    """The catch-all route matches a path and CONNECT has none, so Envoy answers 404 in every mode (measured, 1.40)."""

    name = "connect_request"
    verdict = Verdict.REVIEW
    position = 105
    summary = "Asked for by CONNECT, through a forward proxy."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Only where nothing but CONNECT was asked."""
        if not destination.requests or not all(request.method_is_connect for request in destination.requests):
            return None
        proxies = sorted({request.destination_ip for request in destination.requests if request.destination_ip})
        at = f" at {shown(', '.join(proxies[:3]))}" if proxies else ""
        return Reason(
            self.name,
            f"Every request is a CONNECT to a forward proxy{at}: HTTP ports never route those. "
            "Register the proxy itself as a TCP port with its address.",
        )


DETECTOR = ConnectRequest()
