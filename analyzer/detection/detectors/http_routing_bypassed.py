"""Connections to an HTTP port that the proxy did not take for HTTP."""

from analyzer.detection.detector import Context
from analyzer.detection.texts import entries
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import ApplicationProtocol, EgressClass, Verdict

_HTTP_PORT = 80


class HttpRoutingBypassed:
    """HTTP/1.0, and a request line with a raw byte or a blank, is no HTTP to Envoy's inspector (measured, 1.40).

    Such a request is routed by its address alone, and its Host is logged nowhere. Ports are those on which the
    namespace's log shows HTTP, and 80, on which nearly every mesh has an HTTP listener.
    """

    name = "http_routing_bypassed"
    verdict = Verdict.REVIEW
    position = 108
    summary = "TCP on a port that carries HTTP: the request went round HTTP routing, so its Host is not logged."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Only nameless TCP; a TLS connection shows its server name."""
        key = destination.key
        port = key.destination_port
        if key.host is not None or port is None or key.application_protocol is not ApplicationProtocol.TCP:
            return None
        if port != _HTTP_PORT and (key.source_namespace, port) not in context.http_ports:
            return None
        passed = destination.by_class.get(EgressClass.PASSTHROUGH, 0)
        out = f" {entries(passed)} left the mesh that way." if passed else ""
        return Reason(
            self.name,
            f"{entries(destination.entries)} to {key.name} were no HTTP/1.1 to the proxy, on a port that carries HTTP: "
            "HTTP/1.0, a raw byte or a blank in the request line, or another protocol. They go round HTTP routing and "
            f"show no Host.{out} Have the client speak HTTP/1.1, or find out what it sends.",
        )


DETECTOR = HttpRoutingBypassed()
