"""Which name and which address is the destination of each entry.

For HTTP the proxy decides by Host, for anything else by SNI, and only then does the cluster say more; the
address that the application dialled is `downstream_local_address` (restored from SO_ORIGINAL_DST).
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from analyzer.classification.codes import Coded, Flags, deduplicated, enumerated, looked_up
from analyzer.classification.kinds import ClusterKind
from analyzer.classification.names import Address, Name, address_of, name_of_authority, name_of_cluster, name_of_sni
from analyzer.dictionaries import Codes, with_nulls
from analyzer.vocabulary import HostSource

_SOURCES = (HostSource.AUTHORITY, HostSource.SNI, HostSource.CLUSTER)
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
    by_sni, by_cluster = len(authorities), len(authorities) + len(servers)
    codes = np.where(http, _named(authority.codes, authorities, 0), _named(sni.codes, servers, by_sni))
    # An address in the Host header is what was asked for; the cluster's name would be somebody else's.
    nameless = np.flatnonzero((codes < 0) & ~(http & authority.known))
    reached = nameless[np.isin(clusters[nameless], _NAMED_BY_CLUSTER)]
    codes[reached] = _named(cluster.codes[reached], services, by_cluster)
    names = [*authorities, *servers, *services]
    sources = np.repeat(np.arange(len(_SOURCES) + 1, dtype=np.int32), (by_sni, len(servers), len(services), 1))
    sources[-1] = -1
    return {
        "host": deduplicated(codes, [name.host for name in names]),
        "host_source": enumerated(sources[codes], _SOURCES),
        **_addresses(coded, http, authorities),
    }


def _named(codes: Codes, names: list[Name], offset: int) -> Codes:
    """The place of each row's name behind so many others, -1 where its value names no host."""
    return looked_up([*(-1 if name.host is None else place for place, name in enumerate(names, offset)), -1], codes)


def _addresses(coded: Mapping[str, Coded], http: Flags, authorities: list[Name]) -> dict[str, pa.Array]:
    """What was dialled; a format that does not log it leaves the address connected to, or one in the Host header."""
    dialled, connected, authority = (coded[name] for name in ("downstream_local_address", "upstream_host", "authority"))
    codes, known = dialled.codes, [address_of(value) for value in dialled.values]
    missing = np.flatnonzero(codes < 0)
    if len(missing):
        reached = [address_of(value) for value in connected.values]
        asked = [Address(name.literal, name.port) for name in authorities]
        by_host = np.where(http[missing], authority.codes[missing], -1)
        by_host[by_host >= 0] += len(reached)
        chosen = np.where(connected.known[missing], connected.codes[missing], by_host)
        chosen[chosen >= 0] += len(known)
        codes = codes.copy()
        codes[missing] = chosen
        known += reached + asked
    ports = looked_up([*(-1 if port is None else port for _, port in known), -1], codes)
    return {
        "destination_ip": deduplicated(codes, [ip for ip, _ in known]),
        "destination_port": with_nulls(ports),
    }
