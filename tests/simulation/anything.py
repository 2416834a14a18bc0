"""Meshes and requests in which everything gets in everything's way: few names, addresses and ports, all features.

Drawn from a `random.Random`, so that a seed or Hypothesis can lead it.
"""

from collections.abc import Sequence
from random import Random
from typing import Any

from analyzer.evidence import DestinationKey, Request
from analyzer.mesh.model import (
    DestinationRule,
    Endpoint,
    EndpointSlice,
    Mesh,
    MeshConfig,
    Pod,
    Port,
    Service,
    ServiceEntry,
    Sidecar,
    VirtualService,
    WorkloadEntry,
)
from analyzer.mesh.routing import (
    HTTPMatch,
    HTTPRoute,
    RouteDestination,
    StringMatch,
    TCPMatch,
    TCPRoute,
    TLSMatch,
    TLSRoute,
)
from analyzer.mesh.scoping import EgressListener, OutboundPolicy
from analyzer.vocabulary import ApplicationProtocol, EgressClass, Mode, Resolution

VERSIONS = ("1.15", "1.20", "1.21", "1.22", "1.24", "1.27", "1.30", "1.31")
_NAMESPACES = ("shop", "bank", "egress", "istio-system")
_NAMES = ("a.example.com", "b.example.com", "x.a.example.com", "web", "web.shop.svc.cluster.local")
_PLAIN = tuple(f"h{number}.example.com" for number in range(8))
_HOSTS = (*_NAMES, *_NAMES, *_PLAIN, "*.example.com", "*.a.example.com", "*-x.example.com", "B.Example.com")
_OTHER_NAMES = ("y.example.com", "web.shop", "x.y.a.example.com", "a-x.example.com", "b.example.com", "192.0.2.1")
_ADDRESSES = ("192.0.2.1", "192.0.2.2", "192.0.2.200", "198.51.100.7")
_WRITTEN = (*_ADDRESSES, "192.0.2.0/24", "192.0.2.9/24", "192.0.2.0/28", "not-an-address", "192.0.2.1/32")
_NUMBERS = (80, 443, 5432)
_PROTOCOLS = ("HTTP", "HTTP", "TLS", "TLS", "TCP", "TCP", "", "HTTPS", "GRPC", "UDP")
_RARE_PROTOCOLS = ("MONGO", "HTTP_PROXY", "MYSQL")
_PAIRS = ("./*", "*/*", "~/*", "egress/*", "shop/a.example.com", "*/*.example.com", "~bank/*", "egress/b.example.com")
_LABELS = ({}, {"app": "web"}, {"app": "db"})


def any_mesh(random: Random) -> Mesh:
    """A small mesh; each kind beyond entries and Services is in some meshes only."""
    dated, plain = random.random() < 0.5, random.random() < 0.5

    def some(most: int, share: float = 0.5) -> range:
        return range(random.randint(1, most) if random.random() < share else 0)

    def common(prefix: str, number: int) -> dict[str, Any]:
        age = f"2026-01-{random.randint(1, 4):02}T00:00:00Z" if dated and random.random() < 0.9 else None
        named = {"namespace": random.choice(_NAMESPACES), "name": f"{prefix}{number}", "creation_timestamp": age}
        return {**named, "proposed": age is None and random.random() < 0.2}

    mesh = Mesh(
        service_entries=tuple(_entry(random, common("e", n)) for n in range(random.randint(1, 16))),
        services=tuple(_service(random, common("web", n)) for n in some(4)),
    )
    if plain:
        return mesh
    return Mesh(
        mesh.service_entries,
        mesh.services,
        sidecars=tuple(_sidecar(random, common("s", n)) for n in some(3)),
        virtual_services=tuple(_virtual_service(random, common("v", n)) for n in some(3)),
        destination_rules=tuple(
            DestinationRule(**common("d", n), host=random.choice(_HOSTS), subsets={"v1": {}}, export_to=_scope(random))
            for n in some(2, 0.3)
        ),
        workload_entries=tuple(
            WorkloadEntry(**common("w", n), address=random.choice(_ADDRESSES), labels=random.choice(_LABELS))
            for n in some(2, 0.3)
        ),
        mesh_configs=_config(random),
        pods=tuple(
            Pod(**common("p", n), workload="client", labels=random.choice(_LABELS), proxy_metadata=_metadata(random))
            for n in some(3, 0.3)
        ),
        endpoint_slices=tuple(
            EndpointSlice(**common("es", n), service=f"web{random.randint(0, 2)}", addresses=_slice(random))
            for n in some(3, 0.3)
        ),
    )


def _scope(random: Random) -> tuple[str, ...]:
    return random.choice(((), (), (), ("*",), (".",), (".",), ("shop",), ("bank", "egress"), ("~",)))


def _protocol(random: Random) -> str:
    return random.choice(_PROTOCOLS if random.random() < 0.97 else _RARE_PROTOCOLS)


def _ports(random: Random) -> tuple[Port, ...]:
    numbers = random.sample(_NUMBERS, random.choice((1, 1, 1, 2)))
    return tuple(Port(number, f"p{number}", _protocol(random)) for number in numbers)


def _entry(random: Random, common: dict[str, Any]) -> ServiceEntry:
    selects = random.random() < 0.1
    return ServiceEntry(
        **common,
        hosts=tuple(random.sample(_HOSTS, random.choice((1, 1, 1, 2)))),
        ports=_ports(random),
        addresses=tuple(random.sample(_WRITTEN, random.choice((0, 0, 1, 1, 2)))),
        resolution=random.choice(list(Resolution)),
        endpoints=() if selects or random.random() < 0.5 else (Endpoint(random.choice(_ADDRESSES)),),
        workload_selector=random.choice(_LABELS) if selects else None,
        export_to=_scope(random),
        labels=random.choice(_LABELS),
    )


def _service(random: Random, common: dict[str, Any]) -> Service:
    kind = random.random()
    return Service(
        **{**common, "name": random.choice((common["name"], "web"))},
        ports=_ports(random),
        cluster_ips=() if kind < 0.4 else (random.choice(_ADDRESSES),),
        external_name=random.choice(_NAMES) if kind < 0.2 else None,
        export_to=_scope(random),
    )


def _sidecar(random: Random, common: dict[str, Any]) -> Sidecar:
    count = random.randint(0, 1)
    listeners = [EgressListener(tuple(random.sample(_PAIRS, random.randint(1, 2)))) for _ in range(count)]
    if random.random() < 0.3:
        port = Port(random.choice(_NUMBERS), "own", random.choice(("HTTP", "TLS", "TCP", "HTTP_PROXY")))
        bind = random.choice(("", "127.0.0.1", "0.0.0.0"))
        own = EgressListener(tuple(random.sample(_PAIRS, 1)), port, bind, random.choice(("DEFAULT", "NONE")))
        listeners.insert(0, own)
    proxy = RouteDestination(random.choice(_NAMES), None, 80) if random.random() < 0.3 else None
    return Sidecar(
        **common,
        workload_selector=random.choice((None, None, {"app": "web"})),
        egress=tuple(listeners) or None,
        outbound_policy=random.choice((None, OutboundPolicy(random.choice(list(Mode)), proxy))),
    )


def _virtual_service(random: Random, common: dict[str, Any]) -> VirtualService:
    hosts = tuple(random.sample((*_HOSTS, "other.example.net"), random.choice((1, 1, 2))))
    source: dict[str, Any] = {
        "port": random.choice((None, None, 80, 443)),
        "source_namespace": random.choice((None, None, None, "shop")),
        "source_labels": random.choice(({}, {}, {}, {"app": "web"})),
    }
    to = RouteDestination(random.choice(_NAMES), random.choice((None, None, "v1")), random.choice((None, 80, 443)))
    uri = random.choice((None, StringMatch("prefix", "/v1")))
    http = HTTPRoute(matches=random.choice(((), (HTTPMatch(**source, uri=uri),))), destinations=(to,))
    subnets = random.choice(((), ("192.0.2.0/24",)))
    tls = TLSRoute((TLSMatch(**source, sni_hosts=hosts, destination_subnets=subnets),), (to,))
    tcp = TCPRoute(random.choice(((), (TCPMatch(**source, destination_subnets=subnets),))), (to,))
    kinds = {"http": (http,), "tls": (tls,), "tcp": (tcp,)}
    chosen = random.choice((("http",), ("tls",), ("tcp",), ("http", "tls", "tcp")))
    return VirtualService(**common, hosts=hosts, export_to=_scope(random), **{kind: kinds[kind] for kind in chosen})


def _config(random: Random) -> tuple[MeshConfig, ...]:
    if random.random() < 0.7:
        return ()
    metadata = _metadata(random)
    exported = random.choice(((), (".",)))
    return (MeshConfig(namespace="istio-system", name="istio", service_export_to=exported, proxy_metadata=metadata),)


def _metadata(random: Random) -> dict[str, str]:
    return random.choice(({}, {}, {"ISTIO_META_DNS_CAPTURE": "true", "ISTIO_META_DNS_AUTO_ALLOCATE": "true"}))


def _slice(random: Random) -> dict[str, str | None]:
    return random.choice(({}, {address: None for address in _ADDRESSES[:2]}))


def any_requests(random: Random, count: int) -> Sequence[Request]:
    """Requests of every protocol from every namespace, by names and to addresses of these meshes and to others."""
    return [_request(random) for _ in range(count)]


def _request(random: Random) -> Request:
    protocol = random.choice(list(ApplicationProtocol))
    is_http = protocol in (ApplicationProtocol.HTTP, ApplicationProtocol.GRPC)
    name = random.choice((*_NAMES, *_PLAIN, *_OTHER_NAMES, None))
    ip = random.choice((*_ADDRESSES, "203.0.113.9", "240.240.0.1"))
    number = random.choice((*_NUMBERS, *_NUMBERS, *_NUMBERS, 9999))
    host = None if name is None or name[0].isdigit() else name
    namespace = random.choice((*_NAMESPACES, "elsewhere", None))
    key = DestinationKey(namespace, random.choice(("client", None)), host, None if host else ip, number, protocol)
    return Request(
        key=key,
        authority=random.choice((name, name, f"{name}:{number}", f"{name}.")) if is_http and name else None,
        requested_server_name=name if protocol is ApplicationProtocol.TLS else None,
        destination_ip=ip,
        destination_port=number,
        application_protocol=protocol,
        method_is_connect=is_http and random.random() < 0.03,
        egress_class=random.choice((EgressClass.BLOCKED, EgressClass.BLOCKED, EgressClass.REGISTERED)),
        entries=1,
        path=random.choice((None, "/", "/v1/x")) if is_http else None,
    )
