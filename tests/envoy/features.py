"""Features of Istio's matching, each on a port of its own: entries, and what is tried against them.

An entry is `host/PROTOCOL [RESOLUTION] [addr A,B] [exp SCOPE] [in NAMESPACE] [target PORT] [bare]`, older ones first,
in namespace `egress` unless it says so; `-` stands for no protocol, `bare` for no endpoints. A trial is
`how [name] [@address]`, from namespace `app`.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from analyzer.evidence import DestinationKey, Request
from analyzer.mesh.model import Endpoint, ServiceEntry
from analyzer.mesh.objects import Port
from analyzer.vocabulary import ApplicationProtocol, EgressClass, Resolution
from tests.envoy.cases import Case
from tests.envoy.clients import Act, hello, http, http2, tell
from tests.envoy.servers import FEATURE_PORTS

ANYWHERE, ENDPOINT = "203.0.113.9", "192.0.2.200"
_BINARY = b"\x00\x01\x02\x03\xff" * 4

FEATURES: dict[str, tuple[list[str], list[str]]] = {
    "exact and wildcard server names": (
        ["*.sni.example/TLS NONE", "api.sni.example/TLS", "*.eu.sni.example/TLS NONE"],
        [
            *("tls api.sni.example", "tls x.sni.example", "tls a.b.sni.example", "tls x.eu.sni.example"),
            *("tls eu.sni.example", "tls sni.example", "tls API.SNI.example", "tls api.sni.example."),
            *("tls xsni.example", "tls *.sni.example", "http api.sni.example", "http10 api.sni.example"),
        ],
    ),
    "names that the proxy looks up": (
        ["*.dyn.example/TLS DYNAMIC_DNS", "api.dyn.example/TLS"],
        ["tls x.dyn.example", "tls a.b.dyn.example", "tls api.dyn.example", "tls dyn.example", "http x.dyn.example"],
    ),
    "own listeners of plain addresses": (
        ["vip.own.example/TLS STATIC addr 198.51.100.30", "named.own.example/TLS"],
        [
            *("tls vip.own.example @198.51.100.30", "tls other.own.example @198.51.100.30"),
            *("tls named.own.example @198.51.100.30", "tls vip.own.example @198.51.100.31"),
            *("tls named.own.example @198.51.100.31", "http named.own.example @198.51.100.30"),
        ],
    ),
    "an address of two entries": (
        ["one.shared.example/TCP NONE addr 192.0.2.11", "two.shared.example/TCP NONE addr 192.0.2.12,192.0.2.11"],
        ["tcp @192.0.2.11", "tcp @192.0.2.12", "tcp @192.0.2.13"],
    ),
    "prefixes in prefixes, with names": (
        ["a.pre.example/TLS NONE addr 198.51.100.0/24", "b.pre.example/TLS NONE addr 198.51.100.64/26"],
        [
            *("tls a.pre.example @198.51.100.7", "tls a.pre.example @198.51.100.70"),
            *("tls b.pre.example @198.51.100.70", "tls b.pre.example @198.51.100.7", "tls a.pre.example"),
        ],
    ),
    "prefixes in prefixes, of tcp": (
        [
            "a.net.example/TCP NONE addr 198.51.100.0/24",
            "b.net.example/TCP NONE addr 198.51.100.64/26",
            "c.net.example/TCP NONE addr 198.51.100.69",
        ],
        ["tcp @198.51.100.7", "tcp @198.51.100.70", "tcp @198.51.100.69", "tcp"],
    ),
    "one prefix written twice": (
        ["a.same.example/TCP NONE addr 198.51.100.7/24", "b.same.example/TCP NONE addr 198.51.100.200/24"],
        ["tcp @198.51.100.50", "tcp"],
    ),
    "a prefix steals names and plain http": (
        ["net.steal.example/TCP NONE addr 198.51.100.0/24", "api.steal.example/TLS", "web.steal.example/HTTP"],
        [
            *("tls api.steal.example @198.51.100.7", "tls api.steal.example", "http web.steal.example @198.51.100.7"),
            *("http web.steal.example", "tcp @198.51.100.7", "http other.steal.example"),
        ],
    ),
    "an own listener takes plain http": (
        ["db.plain.example/TCP NONE addr 192.0.2.10", "web.plain.example/HTTP"],
        ["http web.plain.example @192.0.2.10", "http web.plain.example @192.0.2.11"],
    ),
    "the host header": (
        ["api.host.example/HTTP", "*.wild.host.example/HTTP NONE", "*.eu.wild.host.example/HTTP NONE"],
        [
            *("http api.host.example", "http API.Host.EXAMPLE", "http api.host.example:1234"),
            *("http api.host.example.", "http API.host.example.:80", "http www.host.example"),
            *("http x.wild.host.example", "http a.b.wild.host.example", "http x.eu.wild.host.example"),
            *("http eu.wild.host.example", "http wild.host.example", "http x.wild.host.example."),
            *("grpc api.host.example", "grpc www.host.example", "connect api.host.example:443"),
            *("tls api.host.example", "http 203.0.113.9"),
        ],
    ),
    "an address as host": (
        ["a.literal.example/HTTP NONE addr 192.0.2.21,192.0.2.22"],
        ["http 192.0.2.21", "http 192.0.2.22", "http a.literal.example", "http 192.0.2.23", "http 192.0.2.22:80"],
    ),
    "a wildcard at an address": (
        ["*.at.example/HTTP NONE addr 192.0.2.51"],
        ["http x.at.example", "http x.at.example.", "http 192.0.2.51", "http at.example", "http x.at.example:1"],
    ),
    "tcp without addresses": (
        ["db1.tcp.example/TCP", "db2.tcp.example/TCP"],
        ["tcp", "tcp @198.51.100.9", "tls db2.tcp.example", "http db2.tcp.example"],
    ),
    "tcp beside server names": (
        ["db.mixed.example/TCP", "api.mixed.example/TLS"],
        ["tls api.mixed.example", "tls other.mixed.example", "tcp", "http api.mixed.example"],
    ),
    "tcp beside http": (
        ["db.both.example/TCP", "web.both.example/HTTP"],
        [
            *("http web.both.example", "http other.both.example", "tls web.both.example", "tcp"),
            *("http10 web.both.example", "connect web.both.example:443"),
        ],
    ),
    "no protocol": (
        ["x.auto.example/-"],
        ["http x.auto.example", "http y.auto.example", "tls x.auto.example", "tcp"],
    ),
    "no protocol at an address": (
        ["x.autovip.example/- NONE addr 192.0.2.31"],
        [
            *("http y.autovip.example @192.0.2.31", "tcp @192.0.2.31", "http x.autovip.example @192.0.2.32"),
            *("tls x.autovip.example @192.0.2.31", "connect x.autovip.example:443 @192.0.2.31"),
        ],
    ),
    "http before no protocol": (
        ["web.late.example/HTTP", "x.late.example/-"],
        ["http x.late.example", "http web.late.example", "tls x.late.example"],
    ),
    "a host in upper case": (
        ["API.upper.example/HTTP", "TLS.upper.example/TLS"],
        ["http api.upper.example", "tls tls.upper.example"],
    ),
    "no endpoints": (
        ["web.bare.example/HTTP STATIC bare", "api.bare.example/TLS STATIC bare"],
        ["http web.bare.example", "tls api.bare.example"],
    ),
    "entries that do not merge": (
        ["web.merge.example/HTTP", "web.merge.example/TLS STATIC"],
        ["http web.merge.example", "tls web.merge.example"],
    ),
    "shown to its own namespace only": (
        ["hidden.shown.example/TLS exp .", "named.shown.example/TLS exp app", "all.shown.example/TLS"],
        ["tls hidden.shown.example", "tls named.shown.example", "tls all.shown.example"],
    ),
    "what is shown to the namespace alone comes first": (
        ["db1.order.example/TCP", "db2.order.example/TCP in app exp ."],
        ["tcp"],
    ),
    "the namespace's own entry hides the shared one": (
        ["both.hides.example/TLS", "both.hides.example/HTTP in app"],
        ["tls both.hides.example", "http both.hides.example"],
    ),
    "a target port": (["t.target.example/HTTP target 8080"], ["http t.target.example"]),
    "mysql shares with nobody": (
        ["my.alone.example/MYSQL", "api.alone.example/TLS", "web.alone.example/HTTP"],
        ["tls api.alone.example", "http web.alone.example", "tcp"],
    ),
    "static endpoints": (
        ["s.static.example/TLS STATIC", "h.static.example/HTTP STATIC"],
        ["tls s.static.example", "http h.static.example", "tls h.static.example"],
    ),
}


@dataclass(frozen=True)
class Trial:
    """One thing that is tried: for the proxy, and as the replay would find it in a log."""

    feature: str
    text: str
    case: Case
    request: Request


def entries() -> tuple[ServiceEntry, ...]:
    """Every feature's entries, the ports dealt out in order."""
    return tuple(
        _entry(text, port, f"f{port}-{number}", number)
        for port, (texts, _) in zip(FEATURE_PORTS, FEATURES.values(), strict=False)
        for number, text in enumerate(texts)
    )


def trials() -> Iterator[Trial]:
    """Everything that is tried."""
    for port, (feature, (_, texts)) in zip(FEATURE_PORTS, FEATURES.items(), strict=False):
        for text in texts:
            how, name, address = _parsed(text)
            act, request = _ACTS[how](name), _request(how, name, address, port)
            yield Trial(feature, text, Case(f"{feature}: {text}", address, port, act, client="10.244.4.41"), request)


def dns() -> dict[str, tuple[str, ...]]:
    """All names lead to one place."""
    return {host.lower(): (ENDPOINT,) for entry in entries() for host in entry.hosts}


def _entry(text: str, port: int, name: str, age: int) -> ServiceEntry:
    head, *words = text.split()
    host, _, protocol = head.partition("/")
    said = dict(itertools.pairwise(words))
    resolution = next((Resolution(word) for word in words if word in Resolution.__members__), Resolution.DNS)
    places = (Endpoint(ENDPOINT),) if resolution is Resolution.STATIC and "bare" not in words else ()
    target = int(said["target"]) if "target" in said else None
    return ServiceEntry(
        namespace=said.get("in", "egress"),
        name=name,
        hosts=(host,),
        ports=(Port(port, "p", protocol.replace("-", ""), target),),
        addresses=tuple(said["addr"].split(",")) if "addr" in said else (),
        resolution=resolution,
        endpoints=places,
        export_to=(said["exp"],) if "exp" in said else (),
        creation_timestamp=f"2026-01-0{age + 1}T00:00:00Z",
    )


def _parsed(text: str) -> tuple[str, str, str]:
    how, *rest = text.split()
    address = next((word[1:] for word in rest if word.startswith("@")), ANYWHERE)
    return how, next((word for word in rest if not word.startswith("@")), ""), address


def _connect(name: str) -> Act:
    return http(name, name, method="CONNECT")


_ACTS: dict[str, Callable[[str], Act]] = {
    "http": lambda name: http(name),
    "http10": lambda name: http(name, version="1.0"),
    "grpc": lambda name: http2(name, "/acme.Feed/Poll", grpc=True),
    "connect": _connect,
    "tls": lambda name: hello(name.encode()),
    "tcp": lambda _: tell(_BINARY),
}
_PROTOCOLS = {
    "http": ApplicationProtocol.HTTP,
    "connect": ApplicationProtocol.HTTP,
    "grpc": ApplicationProtocol.GRPC,
    "tls": ApplicationProtocol.TLS,
    "http10": ApplicationProtocol.TCP,
    "tcp": ApplicationProtocol.TCP,
}


def _request(how: str, name: str, address: str, port: int) -> Request:
    """The request as a log with all names would show it; HTTP/1.0 shows none."""
    protocol = _PROTOCOLS[how]
    named = protocol is not ApplicationProtocol.TCP
    bare = name.lower().partition(":")[0].rstrip(".")
    literal = bare.replace(".", "").isdigit()
    host = bare if named and bare and not literal else None
    http_like = protocol in (ApplicationProtocol.HTTP, ApplicationProtocol.GRPC)
    return Request(
        key=DestinationKey("app", "client", host, None if host else address, port, protocol),
        authority=name if http_like else None,
        requested_server_name=name.lower() if protocol is ApplicationProtocol.TLS else None,
        destination_ip=address,
        destination_port=port,
        application_protocol=protocol,
        method_is_connect=how == "connect",
        egress_class=EgressClass.BLOCKED,
        entries=1,
    )
