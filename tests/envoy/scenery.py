"""The mesh in which the cases play: entries, Kubernetes services, one VirtualService, and the DNS of the test."""

from typing import Any

from analyzer.mesh.model import Endpoint, Port, ServiceEntry
from analyzer.vocabulary import Mode, Resolution
from tests.envoy.bootstrap import Configuration
from tests.envoy.services import MeshService
from tests.envoy.typed import Json

PARTNER, PARTNER_IP = "api.partner.example", "198.51.100.10"
LEDGER, LEDGER_IP = "ledger.partner.example", "198.51.100.12"
DATABASE, DATABASE_IP = "db.partner.example", "198.51.100.20"
VIP, VIP_IP = "vip.partner.example", "198.51.100.30"
LOST = "lost.partner.example"
DOWN, DOWN_IP = "down.partner.example", "198.51.100.40"
TWICE, TWICE_IP = "twice.partner.example", "198.51.100.50"
STRICT, STRICT_IP = "strict.partner.example", "198.51.100.60"
SECURED, SECURED_IP = "secured.partner.example", "198.51.100.70"
UNSECURED, UNSECURED_IP = "unsecured.partner.example", "198.51.100.71"
NETWORK, NETWORK_IP = "net.partner.example", "198.51.100.130"
USERS, USERS_VIP = "users.istioinaction.svc.cluster.local", "10.96.40.7"
MYSQL, MYSQL_VIP = "mysql.shop.svc.cluster.local", "10.96.40.9"

DNS = {
    PARTNER: (PARTNER_IP,),
    LEDGER: (LEDGER_IP,),
    DOWN: (DOWN_IP,),
    TWICE: (TWICE_IP,),
    STRICT: (STRICT_IP,),
    SECURED: (SECURED_IP,),
    UNSECURED: (UNSECURED_IP,),
}


def entry(
    host: str, *ports: str, resolution: Resolution = Resolution.DNS, name: str = "", **fields: Any
) -> ServiceEntry:
    """A ServiceEntry in a few words; a port is `<number>/<PROTOCOL>` or `<number>/<PROTOCOL>/<targetPort>`."""
    return ServiceEntry(
        namespace="egress",
        name=name or host.replace("*", "wildcard").replace(".", "-"),
        hosts=(host,),
        ports=tuple(_port(text) for text in ports),
        resolution=resolution,
        **fields,
    )


def _port(text: str) -> Port:
    number, protocol, *target = text.split("/")
    return Port(int(number), f"{protocol.lower() or 'auto'}-{number}", protocol, int(target[0]) if target else None)


ENTRIES = (
    entry(PARTNER, "80/HTTP", "443/TLS"),
    entry(LEDGER, "8081/GRPC"),
    entry("*.wild.example", "80/HTTP", "443/TLS", resolution=Resolution.NONE),
    entry(
        DATABASE,
        "5432/TCP",
        resolution=Resolution.STATIC,
        addresses=(DATABASE_IP,),
        endpoints=(Endpoint(DATABASE_IP),),
    ),
    entry(VIP, "443/TLS", resolution=Resolution.STATIC, addresses=(VIP_IP,), endpoints=(Endpoint(VIP_IP),)),
    entry(LOST, "80/HTTP", "443/TLS"),
    entry(DOWN, "80/HTTP/4444", "443/TLS/4444"),
    entry(TWICE, "80/HTTP", name="twice-1"),
    entry(
        TWICE, "8080/HTTP", "8443/TLS", name="twice-2", resolution=Resolution.STATIC, endpoints=(Endpoint(TWICE_IP),)
    ),
    entry(STRICT, "80/HTTP"),
    entry(SECURED, "80/HTTP/443"),
    entry(UNSECURED, "80/HTTP/8000"),
    entry(NETWORK, "9000/TCP", resolution=Resolution.NONE, addresses=("198.51.100.128/25",)),
)

SERVICES = (
    MeshService(USERS, USERS_VIP, (Port(80, "http", "HTTP"),), ("10.244.9.7:8080",)),
    MeshService(MYSQL, MYSQL_VIP, (Port(3306, "tcp", "TCP"),), ("10.244.9.9:3306",)),
)

_TO_STRICT = f"outbound|80||{STRICT}"
VIRTUAL_SERVICES: dict[str, list[Json]] = {
    STRICT: [
        {"name": "moved", "match": {"prefix": "/old"}, "redirect": {"path_redirect": "/new"}},
        {"name": "teapot", "match": {"prefix": "/tea"}, "direct_response": {"status": 418}},
        {"name": "ok", "match": {"prefix": "/ok"}, "route": {"cluster": _TO_STRICT, "timeout": "0s"}},
        {"name": "slow", "match": {"prefix": "/slow"}, "route": {"cluster": _TO_STRICT, "timeout": "0.3s"}},
        {"name": "gone", "match": {"prefix": "/gone"}, "route": {"cluster": "outbound|80||gone.example"}},
    ]
}


def scenery(mode: Mode) -> Configuration:
    """The configuration of the sidecar that the cases go through."""
    return Configuration(
        namespace="istioinaction",
        mode=mode,
        service_entries=ENTRIES,
        mesh_services=SERVICES,
        dns=DNS,
        virtual_services=VIRTUAL_SERVICES,
        tls_origins=(SECURED, UNSECURED),
        connect_timeout="2s",
    )
