"""What turns traffic aside: VirtualServices, DestinationRules and Gateways.

Sources: istio/api networking/v1alpha3/{virtual_service,destination_rule,gateway}.proto.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzer.mesh.objects import MeshObject, Port

MESH_GATEWAY = "mesh"
"""The name by which a VirtualService means every sidecar; what it means where it names no gateway."""


@dataclass(frozen=True)
class StringMatch:
    """`exact`, `prefix` or `regex` (RE2, the whole value); `ignore_case` is for `uri` only."""

    kind: str
    value: str
    ignore_case: bool = False


@dataclass(frozen=True)
class RouteDestination:
    """Where a route leads: `port` is null where the service has one port only."""

    host: str
    subset: str | None = None
    port: int | None = None
    weight: int = 0


@dataclass(frozen=True)
class SourceMatch:
    """What a match of any protocol says of the client; empty means any."""

    port: int | None = None
    source_labels: Mapping[str, str] = field(default_factory=dict)
    source_namespace: str | None = None
    gateways: tuple[str, ...] = ()


@dataclass(frozen=True)
class HTTPMatch(SourceMatch):
    """One `http[].match[]` item; `others` names the conditions on what no access log holds (headers, queries)."""

    uri: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    scheme: StringMatch | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class TLSMatch(SourceMatch):
    """One `tls[].match[]` item."""

    sni_hosts: tuple[str, ...] = ()
    destination_subnets: tuple[str, ...] = ()


@dataclass(frozen=True)
class TCPMatch(SourceMatch):
    """One `tcp[].match[]` item."""

    destination_subnets: tuple[str, ...] = ()


@dataclass(frozen=True)
class HTTPRoute:
    """One `http[]` item. Without `matches` it takes everything.

    `answer` is `redirect` or `direct_response` where the proxy answers by itself; `delegate` is the
    `<namespace>/<name>` of the VirtualService that goes on from here.
    """

    name: str = ""
    matches: tuple[HTTPMatch, ...] = ()
    destinations: tuple[RouteDestination, ...] = ()
    answer: str | None = None
    delegate: str | None = None


@dataclass(frozen=True)
class TLSRoute:
    """One `tls[]` item."""

    matches: tuple[TLSMatch, ...] = ()
    destinations: tuple[RouteDestination, ...] = ()


@dataclass(frozen=True)
class TCPRoute:
    """One `tcp[]` item."""

    matches: tuple[TCPMatch, ...] = ()
    destinations: tuple[RouteDestination, ...] = ()


@dataclass(frozen=True, kw_only=True)
class VirtualService(MeshObject):
    """`networking.istio.io` VirtualService. `gateways` is never empty: none written means `mesh`."""

    hosts: tuple[str, ...] = ()
    gateways: tuple[str, ...] = (MESH_GATEWAY,)
    export_to: tuple[str, ...] = ()
    http: tuple[HTTPRoute, ...] = ()
    tls: tuple[TLSRoute, ...] = ()
    tcp: tuple[TCPRoute, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DestinationRule(MeshObject):
    """`networking.istio.io` DestinationRule: subsets by name, and the TLS mode of the whole and of single ports."""

    host: str
    subsets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    export_to: tuple[str, ...] = ()
    tls_mode: str | None = None
    port_tls_modes: Mapping[int, str] = field(default_factory=dict)
    workload_selector: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Server:
    """One `Gateway.servers[]` item."""

    port: Port
    hosts: tuple[str, ...]
    tls_mode: str | None = None


@dataclass(frozen=True, kw_only=True)
class Gateway(MeshObject):
    """`networking.istio.io` Gateway."""

    selector: Mapping[str, str] = field(default_factory=dict)
    servers: tuple[Server, ...] = ()
