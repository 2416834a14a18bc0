"""Which ports some destinations need, in which protocol, and which needs no ServiceEntry can express."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence

from analyzer.evidence import Judged
from analyzer.mesh.model import Port
from analyzer.mesh.names import why_invalid_host
from analyzer.proposals.manifest_kind import Unmakeable
from analyzer.settings import Settings
from analyzer.vocabulary import ApplicationProtocol

_PROTOCOL = {
    ApplicationProtocol.HTTP: "HTTP",
    ApplicationProtocol.GRPC: "GRPC",
    ApplicationProtocol.TLS: "TLS",
    ApplicationProtocol.TCP: "TCP",
}
_RESERVED_PORTS = frozenset((15001, 15006, 15021, 15090))
"""The sidecar listens there itself (istio/istio pilot/pkg/networking/core/listener.go)."""
_USUAL = {(80, "HTTP"): "http", (443, "TLS"): "tls"}


def why_inexpressible(item: Judged, settings: Settings) -> Unmakeable | None:
    """What no ServiceEntry can say, before any are made."""
    key = item.key
    if not key.destination_port or key.application_protocol is None:
        return cannot([item], "port_unknown", "The log does not show which port was dialled, and for what protocol.")
    if key.destination_port in _RESERVED_PORTS:
        return cannot([item], "reserved_port", f"The sidecar itself uses port {key.destination_port}: use another.")
    if key.host is not None:
        problem = why_invalid_host(key.host)
        if problem is not None or "*" in key.host:
            return cannot([item], "invalid_host_name", f"Istio refuses the name in `hosts`: {problem or 'a wildcard'}.")
        if key.application_protocol is ApplicationProtocol.TCP:
            return cannot(
                [item],
                "tcp_by_name",
                "Plain TCP is matched by address alone, and without one an entry would take its port for everybody: "
                "write the entry by hand, with `addresses`.",
            )
        if key.destination_port == 443 and not _is_tls(item):
            return cannot(
                [item],
                "http_on_443",
                "Plain HTTP was seen on port 443; an HTTP port there would look as if it admitted TLS, which it does "
                "not: have the client speak TLS, or use another port.",
            )
        return None
    if key.destination_ip is None:
        return cannot([item], "no_destination", "The log shows neither name nor address.")
    if not settings.proposals.tcp_addresses:
        return cannot([item], "tcp_addresses_off", "`proposals.tcp_addresses` is off, so addresses are not proposed.")
    return None


def one_protocol_a_port(items: Sequence[Judged], unmakeable: list[Unmakeable]) -> list[Judged]:
    """A port number has one protocol in an entry: the one with most entries stays, TLS where they are equal.

    gRPC beside other HTTP is no conflict, since one HTTP2 port serves both.
    """
    weights: dict[int, Counter[bool]] = defaultdict(Counter)
    for item in items:
        weights[item.key.destination_port or 0][_is_tls(item)] += item.destination.entries
    kept: list[Judged] = []
    for item in items:
        weight = weights[item.key.destination_port or 0]
        if _is_tls(item) is (weight[True] >= weight[False]):
            kept.append(item)
        else:
            used, other = ("plain HTTP", "TLS") if _is_tls(item) else ("TLS", "plain HTTP")
            reason = f"Port {item.key.destination_port} is mostly used for {used}, and a port has one protocol"
            unmakeable.append(cannot([item], "protocol_conflict", f"{reason}: move the {other} elsewhere."))
    return kept


def _is_tls(item: Judged) -> bool:
    return item.key.application_protocol is ApplicationProtocol.TLS


def protocols_of(items: Iterable[Judged]) -> dict[int, str]:
    """Port number to protocol; HTTP2 where gRPC and other HTTP share a port, for a gRPC call needs HTTP/2 upstream."""
    seen: dict[int, set[str]] = defaultdict(set)
    for item in items:
        if item.key.destination_port and item.key.application_protocol:
            seen[item.key.destination_port].add(_PROTOCOL[item.key.application_protocol])
    return {number: "HTTP2" if len(words) > 1 else next(iter(words)) for number, words in sorted(seen.items())}


def ports_of(protocols: Iterable[tuple[int, str]], taken: Collection[str] = ()) -> tuple[Port, ...]:
    """Ports under names that Istio takes, none of them taken already."""
    ports = []
    for number, protocol in sorted(protocols):
        usual, exact = _USUAL.get((number, protocol)), f"{protocol.lower()}-{number}"
        free = [name for name in (usual, exact, f"egress-{exact}") if name and name not in taken]
        ports.append(Port(number, free[0], protocol))
    return tuple(ports)


def cannot(items: Sequence[Judged], code: str, reason: str) -> Unmakeable:
    """Destinations without a manifest."""
    return Unmakeable(tuple(items), code, reason)
