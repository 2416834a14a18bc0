"""How each thing that is said of a destination came to be known: names, and by whose leave it went."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzer.detection.texts import shown
from analyzer.evidence import Judged
from analyzer.vocabulary import HostSource, Mechanism

_FEW, _HINTS = 3, 5
_FIELD_OF_NAME = {
    HostSource.AUTHORITY: "the Host header of its own lines (authority): the client said so, and HTTP goes by it",
    HostSource.SNI: "the server name of its own lines (requested_server_name): the client said so, and TLS goes by it",
    HostSource.CLUSTER: "the cluster of its own lines (upstream_cluster): what the proxy's configuration calls it",
    HostSource.LEARNED: "other lines of the log that named the same connection",
}
FIELD_OF_MECHANISM = {
    Mechanism.BLOCK_ALL: "route_name block_all, or in older formats a 502 that the proxy itself answered",
    Mechanism.BLACKHOLE_CLUSTER: "upstream_cluster BlackHoleCluster, or in older versions the flag UH and no cluster",
    Mechanism.ALLOW_ANY: "upstream_cluster PassthroughCluster on an HTTP line (route_name allow_any)",
    Mechanism.PASSTHROUGH_CLUSTER: "upstream_cluster PassthroughCluster on a TCP line",
    Mechanism.DYNAMIC_DNS: "upstream_cluster AllowAnyDynamicDNSCluster, or route_name allow_any_dynamic_dns",
    Mechanism.EGRESS_PROXY: "an upstream_cluster of an egress proxy under the catch-all route",
    Mechanism.SERVICE_ENTRY: "upstream_cluster outbound|port||host of a host outside the cluster",
    Mechanism.EGRESS_GATEWAY: "upstream_cluster of an egress gateway",
    Mechanism.MESH_SERVICE: "upstream_cluster outbound|port||host of a Kubernetes service",
    Mechanism.INBOUND: "upstream_cluster inbound|port||",
    Mechanism.INBOUND_PASSTHROUGH: "upstream_cluster InboundPassthroughCluster",
    Mechanism.ROUTE_NOT_FOUND: "the flag NR or response_code_details route_not_found",
    Mechanism.FILTER_CHAIN_NOT_FOUND: "the flag NR on a TCP line",
    Mechanism.CLUSTER_NOT_FOUND: "the flag NC or response_code_details cluster_not_found",
    Mechanism.DIRECT_RESPONSE: "response_code_details: the proxy answered itself",
    Mechanism.INSUFFICIENT_FIELDS: "no field that the log's format holds",
    Mechanism.BAD_REQUEST: "the codec refused the request (flag DPE or response_code_details)",
}


@dataclass(frozen=True)
class LearnedName:
    """A name of the destination and how the log came to show it."""

    name: str
    learned_from: str


def names_of(judged: Judged, everything: Sequence[Judged]) -> Iterator[LearnedName]:
    """The destination's own name, how it was written, or names that others used for its address.

    The last is a hint and no more: addresses are shared.
    """
    key = judged.key
    if key.host is not None:
        for source in judged.destination.host_sources:
            yield LearnedName(key.host, _FIELD_OF_NAME[source])
        written = {request.authority or request.requested_server_name for request in judged.destination.requests}
        for name in sorted(name for name in written if name and name != key.host)[:_FEW]:
            yield LearnedName(shown(name), "as some of its lines write it")
        return
    others = [other for other in everything if other.key.host and key.destination_ip in other.destination.addresses]
    hints = {other.key.host or "": shown(other.destination.name) for other in reversed(others)}
    for name in sorted(hints)[:_HINTS]:
        yield LearnedName(name, f"lines of {hints[name]} that dialled the same address (a hint)")
    if len(hints) > _HINTS:
        yield LearnedName(
            f"{len(hints) - _HINTS:,} more names", "the address is shared by many: none of them is a hint"
        )
