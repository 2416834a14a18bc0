"""Which name and which address is the destination of each entry.

For HTTP the proxy decides by Host, for anything else by SNI, and only then does the cluster say more; the
address that the application dialled is `downstream_local_address` (restored from SO_ORIGINAL_DST).
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from analyzer.classification.codes import Coded, Codes, Flags, deduplicated, enumerated
from analyzer.classification.kinds import ClusterKind
from analyzer.classification.names import Name, address_of, name_of_authority, name_of_cluster, name_of_sni
from analyzer.vocabulary import HostSource

_SOURCES = list(HostSource)
_NAMED_BY_CLUSTER = (
    ClusterKind.INBOUND,
    ClusterKind.MESH_SERVICE,
    ClusterKind.SERVICE_ENTRY,
    ClusterKind.WAYPOINT_SERVICE,
    ClusterKind.WAYPOINT_EXTERNAL,
)


def destinations(coded: Mapping[str, Coded], http: Flags, clusters: Codes) -> dict[str, pa.Array]:
    """The columns host, host_source, destination_ip and destination_port."""
    authority, sni, cluster = coded["authority"], coded["requested_server_name"], coded["upstream_cluster"]
    authorities = [name_of_authority(value) for value in authority.values]
    servers = [name_of_sni(value) for value in sni.values]
    services = [name_of_cluster(value) for value in cluster.values]
    by_authority = np.where(http, _named(authority, authorities), -1)
    by_sni = np.where(http, -1, _named(sni, servers))
    by_cluster = np.where(np.isin(clusters, _NAMED_BY_CLUSTER), _named(cluster, services), -1)
    # An address in the Host header is what was asked for; the cluster's name would be somebody else's.
    by_cluster = np.where(http & authority.known, -1, by_cluster)
    offsets = (0, len(authorities), len(authorities) + len(servers))
    codes = np.full(len(http), -1, np.int32)
    sources = np.full(len(http), -1, np.int32)
    choices = zip(
        (by_cluster, by_sni, by_authority),
        reversed(offsets),
        (HostSource.CLUSTER, HostSource.SNI, HostSource.AUTHORITY),
        strict=True,
    )
    for chosen, offset, source in choices:
        named = chosen >= 0
        codes[named] = chosen[named] + offset
        sources[named] = _SOURCES.index(source)
    hosts = [name.host for name in (*authorities, *servers, *services)]
    return {
        "host": deduplicated(codes, hosts),
        "host_source": enumerated(sources, _SOURCES),
        **_addresses(coded, http, authorities),
    }


def _named(column: Coded, names: list[Name]) -> Codes:
    """The code of each row whose value names a host, else -1."""
    table = np.full(len(names) + 1, -1, np.int32)
    table[:-1] = [index if name.host is not None else -1 for index, name in enumerate(names)]
    return table[column.codes]


def _addresses(coded: Mapping[str, Coded], http: Flags, authorities: list[Name]) -> dict[str, pa.Array]:
    """What was dialled; a format that does not log it leaves the address connected to, or one in the Host header."""
    dialled, connected, authority = (coded[name] for name in ("downstream_local_address", "upstream_host", "authority"))
    places = [address_of(value) for value in dialled.values]
    reached = [address_of(value) for value in connected.values]
    asked = [(name.literal, name.port) for name in authorities]
    codes = dialled.codes.copy()
    fallback = (codes < 0) & connected.known
    codes[fallback] = connected.codes[fallback] + len(places)
    fallback = (codes < 0) & http & authority.known
    codes[fallback] = authority.codes[fallback] + len(places) + len(reached)
    everything = [*places, *reached, *asked]
    ports = np.array([-1 if port is None else port for _, port in everything] + [-1], np.int32)[codes]
    return {
        "destination_ip": deduplicated(codes, [ip for ip, _ in everything]),
        "destination_port": pa.array(ports, pa.int32(), mask=ports < 0),
    }
