"""Worked cases of Istio's matching: an entry is `host:port/PROTOCOL RESOLUTION [addr …] [exp …] [new]`.

Entries live in namespace `egress`, the client in `app`; the mesh is in REGISTRY_ONLY without DNS capture. The
expectations are Istio's own test cases (pilot/pkg/networking/core, pilot/pkg/simulation) and what Envoy 1.40 did.
"""

import pytest

from analyzer.evidence import DestinationKey, Request
from analyzer.mesh.model import Endpoint, Mesh, Port, ServiceEntry
from analyzer.simulation import Simulator
from analyzer.vocabulary import ApplicationProtocol, EgressClass, Mode, Resolution


def entry(text: str, number: int) -> ServiceEntry:
    words = text.split()
    host, _, rest = words[0].rpartition(":")
    port, _, protocol = rest.partition("/")
    resolution = Resolution(words[1]) if len(words) > 1 and words[1] in Resolution.__members__ else Resolution.DNS
    addresses = tuple(words[words.index("addr") + 1].split(",")) if "addr" in words else ()
    scope = (words[words.index("exp") + 1],) if "exp" in words else ()
    return ServiceEntry(
        namespace=words[words.index("in") + 1] if "in" in words else "egress",
        name=f"e{number}",
        hosts=(host,),
        ports=(Port(int(port), "p", protocol.replace('""', "")),),
        addresses=addresses,
        resolution=resolution,
        endpoints=(Endpoint("192.0.2.200"),) if resolution is Resolution.STATIC else (),
        export_to=scope,
        creation_timestamp=f"2026-01-0{number}T00:00:00Z",
    )


def request(ip: str, port: int, kind: str, name: str | None = None, connect: bool = False) -> Request:
    protocol = {"http": ApplicationProtocol.HTTP, "tls": ApplicationProtocol.TLS, "tcp": ApplicationProtocol.TCP}[kind]
    host = name.lower().partition(":")[0].rstrip(".") if name else None
    key = DestinationKey("app", "client", host, None if host else ip, port, protocol)
    return Request(
        key=key,
        authority=name if kind == "http" else None,
        requested_server_name=name if kind == "tls" else None,
        destination_ip=ip,
        destination_port=port,
        application_protocol=protocol,
        method_is_connect=connect,
        egress_class=EgressClass.BLOCKED,
        entries=1,
    )


API_TLS, API_HTTP = "api.example.com:443/TLS", "api.example.com:80/HTTP"
CASES = {
    "1 server name matches": ([API_TLS], request("203.0.113.9", 443, "tls", "api.example.com"), "1.31", "allowed"),
    "2 another server name": ([API_TLS], request("203.0.113.60", 443, "tls", "cdn.example.org"), "1.31", "blocked"),
    "2b another port": ([API_TLS], request("203.0.113.60", 9443, "tls", "api.example.com"), "1.31", "blocked"),
    "3 host decides, not the address": ([API_HTTP], request("203.0.113.66", 80, "http", "api.example.com"), "1.31", "allowed"),
    "4 another host": ([API_HTTP], request("203.0.113.9", 80, "http", "www.example.org"), "1.31", "blocked"),
    "6 tls to an http port": ([API_HTTP], request("203.0.113.9", 80, "tls", "api.example.com"), "1.31", "blocked"),
    "7 http/1.0 is tcp": ([API_HTTP], request("203.0.113.9", 80, "tcp"), "1.31", "blocked"),
    "8 port in the host header": ([API_HTTP], request("203.0.113.9", 80, "http", "API.Example.COM:8080"), "1.31", "allowed"),
    "8b before 1.16": ([API_HTTP], request("203.0.113.9", 80, "http", "api.example.com:8080"), "1.15", "blocked"),
    "9 trailing dot": ([API_HTTP], request("203.0.113.9", 80, "http", "api.example.com."), "1.31", "allowed"),
    "9b before 1.27": ([API_HTTP], request("203.0.113.9", 80, "http", "api.example.com."), "1.26", "blocked"),
    "10 upper case": (["API.example.com:80/HTTP"], request("203.0.113.9", 80, "http", "api.example.com"), "1.31", "broken"),
    "10b before 1.27": (["API.example.com:80/HTTP"], request("203.0.113.9", 80, "http", "api.example.com"), "1.26", "allowed"),
    "11 host on another port": ([API_HTTP, "web.example.com:8000/HTTP"], request("203.0.113.9", 8000, "http", "api.example.com"), "1.31", "blocked"),
    "13 the oldest takes all": (["db1.example.com:5432/TCP", "db2.example.com:5432/TCP"], request("198.51.100.2", 5432, "tcp", "db2.example.com"), "1.31", "misdirected"),
    "15 shared address, own": (["db1.example.com:5432/TCP NONE addr 192.0.2.1", "db2.example.com:5432/TCP NONE addr 192.0.2.2,192.0.2.1"], request("192.0.2.2", 5432, "tcp"), "1.31", "allowed"),
    "15b neither address": (["db1.example.com:5432/TCP NONE addr 192.0.2.1"], request("192.0.2.3", 5432, "tcp"), "1.31", "blocked"),
    "16 the longest prefix": (["a.example:9000/TCP NONE addr 198.51.0.0/16", "b.example:9000/TCP NONE addr 198.51.100.0/24"], request("192.0.2.9", 9000, "tcp"), "1.31", "blocked"),
    "18 no way back from the longest prefix": (["a.example.com:443/TLS NONE addr 198.51.0.0/16", "b.example.com:443/TLS NONE addr 198.51.100.0/24"], request("198.51.100.7", 443, "tls", "a.example.com"), "1.31", "blocked"),
    "18b inside its own prefix": (["a.example.com:443/TLS NONE addr 198.51.0.0/16", "b.example.com:443/TLS NONE addr 198.51.100.0/24"], request("198.51.7.7", 443, "tls", "a.example.com"), "1.31", "allowed"),
    "19 a plain address checks no name": (["api.example.com:443/TLS addr 203.0.113.10"], request("203.0.113.10", 443, "tls", "evil.example.org"), "1.31", "allowed"),
    "20 another address than the entry's": (["api.example.com:443/TLS addr 203.0.113.10"], request("203.0.113.11", 443, "tls", "api.example.com"), "1.31", "blocked"),
    "21 http ignores the address": (["api.example.com:80/HTTP addr 203.0.113.10"], request("203.0.113.99", 80, "http", "api.example.com"), "1.31", "allowed"),
    "9c trailing dot, a wildcard": (["*.example.com:80/HTTP NONE"], request("203.0.113.9", 80, "http", "x.example.com."), "1.31", "allowed"),
    "9d before 1.27": (["*.example.com:80/HTTP NONE"], request("203.0.113.9", 80, "http", "x.example.com."), "1.26", "blocked"),
    "21b of several addresses only the last one is a host": (["api.example.com:80/HTTP NONE addr 203.0.113.10,203.0.113.11"], request("203.0.113.9", 80, "http", "203.0.113.10"), "1.31", "blocked"),
    "22 no protocol, another host": (['x.example.com:81/""'], request("203.0.113.9", 81, "http", "y.example.com"), "1.31", "blocked"),
    "25 wildcard at any depth": (["*.example.com:443/TLS NONE"], request("203.0.113.9", 443, "tls", "a.b.example.com"), "1.31", "allowed"),
    "25b never the apex": (["*.example.com:443/TLS NONE"], request("203.0.113.9", 443, "tls", "example.com"), "1.31", "blocked"),
    "27 the longest suffix": (["*.example.com:80/HTTP NONE", "*.eu.example.com:80/HTTP NONE"], request("203.0.113.9", 80, "http", "x.eu.example.com"), "1.31", "allowed"),
    "27b never the apex": (["*.example.com:80/HTTP NONE"], request("203.0.113.9", 80, "http", "example.com"), "1.31", "blocked"),
    "28 not exported here": ([f"{API_TLS} exp ."], request("203.0.113.9", 443, "tls", "api.example.com"), "1.31", "blocked"),
    "31 the own namespace hides the shared entry": ([API_TLS, "api.example.com:80/HTTP in app"], request("203.0.113.9", 443, "tls", "api.example.com"), "1.31", "blocked"),
    "32 two entries merge": ([API_HTTP, API_TLS], request("203.0.113.9", 443, "tls", "api.example.com"), "1.31", "allowed"),
    "33 two entries that do not merge": ([API_HTTP, f"{API_TLS} STATIC"], request("203.0.113.9", 443, "tls", "api.example.com"), "1.31", "broken"),
    "35 dynamic dns": (["*.example.com:443/TLS DYNAMIC_DNS"], request("203.0.113.9", 443, "tls", "a.example.com"), "1.31", "allowed"),
    "35b before 1.30": (["*.example.com:443/TLS DYNAMIC_DNS"], request("203.0.113.9", 443, "tls", "a.example.com"), "1.29", "broken"),
    "39 connect has no route": (["proxy.example.org:3128/HTTP"], request("192.0.2.10", 3128, "http", "api.example.com:443", connect=True), "1.31", "broken"),
    "39b the proxy as tcp": (["proxy.example.org:3128/TCP NONE addr 192.0.2.10"], request("192.0.2.10", 3128, "tcp"), "1.31", "allowed"),
    "40 a prefix on port 80 takes plain http": (["net.example.org:80/TCP NONE addr 198.51.100.0/24", API_HTTP], request("198.51.100.5", 80, "http", "api.example.com"), "1.31", "misdirected"),
    "a nameless connection to a named port": ([API_TLS], request("203.0.113.9", 443, "tcp"), "1.31", "conditional"),
}  # fmt: skip


@pytest.mark.parametrize(("manifests", "asked", "version", "outcome"), CASES.values(), ids=CASES.keys())
def test_a_worked_case_comes_out_as_istio_has_it(manifests, asked: Request, version: str, outcome: str) -> None:
    mesh = Mesh(tuple(entry(text, number) for number, text in enumerate(manifests, 1)))

    assert Simulator(mesh, istio_version=version).decide(asked).outcome == outcome


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [(Mode.REGISTRY_ONLY, "blocked"), (Mode.ALLOW_ANY, "allowed")],
    ids=["registry only", "allow any"],
)
def test_without_an_entry_the_policy_decides(mode: Mode, outcome: str) -> None:
    assert Simulator(Mesh(), mode=mode).decide(request("203.0.113.9", 443, "tls", "a.example")).outcome == outcome


def test_a_match_all_chain_is_unguarded() -> None:
    mesh = Mesh((entry("db.example.com:5432/TCP", 1),))

    assert Simulator(mesh).decide(request("198.51.100.77", 5432, "tcp", "db.example.com")).unguarded
