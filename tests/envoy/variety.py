"""One pod with every kind of destination that may be proposed, and the settings by which a person allows some."""

from collections.abc import Iterator
from pathlib import Path

from analyzer.mesh.model import ServiceEntry
from analyzer.vocabulary import Mode
from tests.envoy.bootstrap import Configuration
from tests.envoy.cases import Case
from tests.envoy.clients import Act, greeted, http, http2, tls, websocket
from tests.envoy.loop import Stage
from tests.envoy.running import play
from tests.envoy.scenery import entry
from tests.envoy.servers import World
from tests.envoy.story import SERVICES, Pod

LAB = Pod("lab-5d4f6b7c8d-x7k2p", "lab", "10.244.5.51", "lab/1.0")
SETTINGS = """
[proposals]
wildcard_after_hosts = 4

[[rules]]
action = "allow"
cidrs = ["203.0.113.32/28"]
ports = [5432, 9000]
owner = "data@shop.example"
reason = "replicas of the ledger"
"""
_FIRST_PORT = 33_000
_MANY = tuple(f"node-{number}.cdn.many-hosts.example" for number in range(1, 7))
_OUTSIDE = {
    "grpc.ledgers.example": "198.51.100.11",
    "both.protocols.example": "198.51.100.12",
    "web.and-tls.example": "198.51.100.13",
    "upper.names.example": "198.51.100.14",
    "dot.names.example": "198.51.100.15",
    "socket.live.example": "198.51.100.16",
    "upload.files.example": "198.51.100.17",
    "alt.ports.example": "198.51.100.18",
    **{host: f"198.51.100.{20 + number}" for number, host in enumerate(_MANY)},
}
EXISTING = (entry("www.partner.example", "443/TLS", "8443/TLS"), entry("web.partner.example", "8080/HTTP"))
"""What is registered already: so proxies read server names on 443 and 8443, and Host on 80 and 8080."""


def configuration(namespace: str, mode: Mode, entries: tuple[ServiceEntry, ...]) -> Configuration:
    """What istiod writes for the pod's proxy."""
    dns = {host: (address,) for host, address in _OUTSIDE.items()}
    return Configuration(namespace, mode, entries, SERVICES, dns)


def calls() -> list[Case]:
    """Everything that the pod does, three times each."""
    tales = [tale for _ in range(3) for tale in _calls()]
    return [
        Case(f"variety_{number}", address, port, act, client=LAB.address, own_port=_FIRST_PORT + number)
        for number, (address, port, act) in enumerate(tales)
    ]


def _calls() -> Iterator[tuple[str, int, Act]]:
    yield _at("grpc.ledgers.example", 80, http2("grpc.ledgers.example", "/acme.Ledger/Post", grpc=True))
    yield _at("both.protocols.example", 80, http("both.protocols.example"))
    yield _at("both.protocols.example", 80, http2("both.protocols.example", "/acme.Feed/Poll", grpc=True))
    yield _at("web.and-tls.example", 80, http("web.and-tls.example"))
    yield _at("web.and-tls.example", 443, tls("web.and-tls.example"))
    yield _at("upper.names.example", 80, http("Upper.Names.Example:80"))
    yield _at("dot.names.example", 80, http("dot.names.example."))
    yield _at("socket.live.example", 80, websocket("socket.live.example"))
    yield _at("upload.files.example", 443, tls("upload.files.example", path="/bytes/90000"))
    yield _at("alt.ports.example", 8080, http("alt.ports.example:8080"))
    yield _at("alt.ports.example", 8443, tls("alt.ports.example"))
    for host in _MANY:
        yield _at(host, 443, tls(host))
    yield "203.0.113.40", 5432, greeted(b"select")
    yield "203.0.113.41", 5432, greeted(b"select")
    yield "203.0.113.41", 9000, greeted()
    yield "203.0.113.90", 5432, greeted(b"select")
    yield "203.0.113.91", 80, http("203.0.113.91")


def _at(host: str, port: int, act: Act) -> tuple[str, int, Act]:
    return _OUTSIDE[host], port, act


def open_mesh(world: World, folder: Path, istio_version: str) -> Stage:
    """The pod's traffic in an open mesh; from 1.30 on a wildcard is proposed with DYNAMIC_DNS, before with NONE."""
    wanted = configuration(LAB.namespace, Mode.ALLOW_ANY, EXISTING)
    return Stage(
        pods=(LAB,),
        before={LAB.namespace: play(world, wanted, calls(), folder, at_once=1)},
        existing=EXISTING,
        calls=lambda _: calls(),
        configuration=configuration,
        settings=SETTINGS,
        istio_version=istio_version,
    )
