"""The traffic of the confusion table: what a client does, and the truth about it in each mode.

The truth is Istio's design and Envoy's documented behaviour, never an analyzer's reading of a log.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from analyzer.vocabulary import EgressClass, Mode, Result
from tests.envoy import scenery as on
from tests.envoy import truth as so
from tests.envoy.clients import (
    Act,
    greeted,
    hello,
    http,
    http2,
    one_after_another,
    raw_http,
    tell,
    tls,
    websocket,
)
from tests.envoy.listeners import OUTBOUND_PORT
from tests.envoy.servers import MUTE_PORT, RESET_PORT, SILENT, UNREACHABLE
from tests.envoy.tls import client_hello

POD_IP = "10.244.1.11"
METADATA = "169.254.169.254"
POD = "10.244.9.30"
FORGED = (
    '" 200 - via_upstream - "-" 5 5 5 5 "-" "x" "x" "x" "192.0.2.1:80" outbound|80||api.partner.example - - - - default'
)

FORGED_QUOTES = ("forged_agent", "forged_agent_and_more", "forged_path", "forged_original_path")
"""Cases in which a client writes double quotes, which the text formats do not escape."""


@dataclass(frozen=True)
class Case:
    """One connection: who makes it, where to, what is done with it, and the truth about the lines that it leaves.

    A case without `fates` leaves one line; one that is `inbound` comes from outside to the client's pod.
    Without an `own_port` the client's is given to it.
    """

    name: str
    address: str
    port: int
    act: Act
    fates: so.Fates | None = None
    client: str = POD_IP
    inbound: bool = False
    own_port: int | None = None

    def lines(self, mode: Mode) -> int:
        """How many lines the proxy will write of it."""
        return 1 if self.fates is None else len(self.fates[mode])

    def truths(self, mode: Mode) -> tuple[so.Truth, ...]:
        """The truth about each of its lines."""
        return self.fates[mode] if self.fates else ()


def cases(seed: int) -> list[Case]:
    """Every kind of traffic, to places that the seed chooses, in an order that the seed chooses."""
    dice = random.Random(seed)
    found = [*_requests(dice), *_odd_requests(dice), *_tls(dice), *_tcp(dice), *_scan(dice)]
    dice.shuffle(found)
    return found


def _address(dice: random.Random) -> str:
    return f"203.0.113.{dice.randint(1, 250)}"


def _name(dice: random.Random) -> str:
    kinds = ("cdn", "api", "img", "push", "auth")
    return f"{dice.choice(kinds)}{dice.randint(1, 99)}.vendor{dice.randint(1, 9)}.example"


def _requests(dice: random.Random) -> Iterator[Case]:
    """Plain HTTP/1.1, HTTP/2 and gRPC."""
    for number in range(3):
        host = _name(dice)
        free = so.unregistered(so.HTTP, host)
        yield Case(f"http_unregistered_{number}", _address(dice), 80, http(host, "/a?b=c", User_Agent="app/1"), free)
    host, at = _name(dice), _address(dice)
    upload = http(host, "/up", method="POST", body=b"." * 300_000)
    yield Case("http_upload", at, 80, upload, so.unregistered(so.HTTP, host))
    yield Case("http_answered_502", at, 80, http(host, "/status/502"), so.unregistered(so.HTTP, host))
    yield Case("http_answered_403", at, 80, http(host, "/status/403"), so.unregistered(so.HTTP, host))
    reset = so.unregistered(so.HTTP, host, Result.UPSTREAM_RESET)
    yield Case("http_server_resets", at, 80, http(host, "/reset"), reset)
    away = so.unregistered(so.HTTP, host, Result.UNREACHABLE)
    yield Case("http_unreachable", UNREACHABLE, 80, http(host), away)
    yield Case("http_h2c", at, 80, http2(host, "/x"), so.unregistered(so.HTTP, host))
    yield Case(
        "grpc_unregistered",
        at,
        80,
        http2(host, "/acme.Feed/Poll", grpc=True, user_agent="grpc-go/1.60"),
        so.unregistered(so.GRPC, host),
    )
    yield Case("websocket_unregistered", at, 80, websocket(host), so.unregistered(so.HTTP, host))
    both = so.followed_by(so.unregistered(so.HTTP, host), so.registered(so.HTTP, on.PARTNER))
    yield Case("keep_alive_two_hosts", at, 80, one_after_another(http(host), http(on.PARTNER)), both)
    partner = so.registered(so.HTTP, on.PARTNER)
    yield Case("http_registered", on.PARTNER_IP, 80, http(on.PARTNER), partner)
    yield Case("http_registered_any_address", at, 80, http(on.PARTNER), partner)
    yield Case("http_registered_port", on.PARTNER_IP, 80, http(f"{on.PARTNER}:8080"), partner)
    yield Case("http_registered_case", on.PARTNER_IP, 80, http("API.Partner.EXAMPLE"), partner)
    yield Case("http_registered_dot", on.PARTNER_IP, 80, http(f"{on.PARTNER}."), partner)
    yield Case("websocket_registered", on.PARTNER_IP, 80, websocket(on.PARTNER), partner)
    yield Case("http_wildcard", at, 80, http("a.b.wild.example"), so.registered(so.HTTP, "a.b.wild.example"))
    yield Case("http_wildcard_apex", at, 80, http("wild.example"), so.unregistered(so.HTTP, "wild.example"))
    yield Case(
        "grpc_registered",
        on.LEDGER_IP,
        8081,
        http2(on.LEDGER, "/acme.Ledger/Post", grpc=True, user_agent="grpc-go/1.60"),
        so.registered(so.GRPC, on.LEDGER),
    )
    yield Case("http_wrong_port", at, 8081, http(on.PARTNER), so.unregistered(so.HTTP, on.PARTNER))
    yield Case("http_in_mesh", on.USERS_VIP, 80, http(on.USERS), so.in_mesh(so.HTTP, on.USERS))
    yield Case(
        "http_in_mesh_short", on.USERS_VIP, 80, http("users.istioinaction"), so.in_mesh(so.HTTP, "users.istioinaction")
    )
    yield Case("http_metadata", METADATA, 80, http(METADATA, "/latest/meta-data/"), so.unregistered(so.HTTP))
    yield Case("http_address_as_host", at, 80, http(at), so.unregistered(so.HTTP))
    yield Case("http_pod", POD, 80, http(f"{POD}:80"), so.unregistered(so.HTTP))
    yield Case("http_no_endpoint", at, 80, http(on.LOST), so.registered(so.HTTP, on.LOST, Result.NO_HEALTHY_UPSTREAM))
    yield Case(
        "http_registered_down", on.DOWN_IP, 80, http(on.DOWN), so.registered(so.HTTP, on.DOWN, Result.UNREACHABLE)
    )


def _odd_requests(dice: random.Random) -> Iterator[Case]:
    """Requests that the proxy answers itself, cannot read, or reads as something else; and forged ones."""
    host, at = _name(dice), _address(dice)
    none = EgressClass.NO_ROUTE
    free = so.unregistered(so.HTTP, host)
    yield Case(
        "connect",
        at,
        80,
        http(f"{host}:443", f"{host}:443", method="CONNECT"),
        so.in_both(none, so.HTTP, host, Result.OTHER),
    )
    yield Case("options_star", at, 80, http(host, "*", method="OPTIONS"), so.in_both(none, so.HTTP, host, Result.OTHER))
    yield Case(
        "upgrade_unknown",
        at,
        80,
        http(on.PARTNER, Connection="Upgrade", Upgrade="quic"),
        so.in_both(none, so.HTTP, on.PARTNER, Result.OTHER),
    )
    yield Case(
        "route_missing", on.STRICT_IP, 80, http(on.STRICT, "/else"), so.in_both(none, so.HTTP, on.STRICT, Result.OTHER)
    )
    yield Case("route_redirects", on.STRICT_IP, 80, http(on.STRICT, "/old"), so.in_both(none, so.HTTP, on.STRICT))
    yield Case("route_answers", on.STRICT_IP, 80, http(on.STRICT, "/tea"), so.in_both(none, so.HTTP, on.STRICT))
    yield Case(
        "route_to_nothing",
        on.STRICT_IP,
        80,
        http(on.STRICT, "/gone"),
        so.in_both(none, so.HTTP, on.STRICT, Result.OTHER),
    )
    yield Case("entries_not_merged", at, 8080, http(on.TWICE), so.in_both(none, so.HTTP, on.TWICE, Result.OTHER))
    yield Case("bad_host", at, 80, http("evil example"), so.unread())
    yield Case("bad_method", at, 80, http(host, method="FOO"), so.unread())
    yield Case("blank_in_request_line", at, 80, http(host, "/a b"), so.unregistered(so.TCP))
    yield Case(
        "bad_header", at, 80, raw_http(f"GET / HTTP/1.1\r\nHost: {host}\r\nX: a\0b\r\n\r\n".encode()), so.unread()
    )
    yield Case("headers_too_large", at, 80, http(host, X="y" * 70_000), so.unread())
    yield Case("no_host", at, 80, http(None), so.in_both(EgressClass.UNCLASSIFIED, so.HTTP, None, Result.BAD_REQUEST))
    yield Case("http_1_0", at, 80, http(host, version="1.0"), so.unregistered(so.TCP))
    yield Case("http_1_0_registered", on.PARTNER_IP, 80, http(on.PARTNER, version="1.0"), so.unregistered(so.TCP))
    yield Case(
        "http_path_not_ascii",
        at,
        80,
        raw_http(f"GET /ü HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()),
        so.unregistered(so.TCP),
    )
    yield Case("http_on_a_port_without_http", at, 8000, http(host), so.unregistered(so.TCP))
    yield Case("http_on_443", at, 443, http(host), so.unregistered(so.TCP))
    yield Case("forged_agent", at, 80, http(host, User_Agent=f"x{FORGED}"), free)
    yield Case("forged_agent_and_more", at, 80, http(host, User_Agent='"', X_Forwarded_For='1.2.3.4, "'), free)
    yield Case("forged_path", at, 80, http(host, f"/a?b={FORGED.replace(' ', '_')}"), free)
    yield Case("forged_original_path", at, 80, http(host, X_Envoy_Original_Path=f"/x HTTP/1.1{FORGED}"), free)
    yield Case("forged_for", at, 80, http(host, X_Forwarded_For="10.9.9.9"), free)
    yield Case(
        "forged_separator",
        at,
        80,
        raw_http(f"GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: a\u2028b\r\n\r\n".encode()),
        free,
    )
    yield Case(
        "agent_not_utf8",
        at,
        80,
        raw_http(f"GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: ".encode() + b"\xff\xfe\r\n\r\n"),
        free,
    )
    yield Case(
        "two_hosts",
        at,
        80,
        raw_http(f"GET / HTTP/1.1\r\nHost: {on.PARTNER}\r\nHost: {host}\r\n\r\n".encode()),
        so.unregistered(so.HTTP, f"{on.PARTNER},{host}"),
    )
    yield Case(
        "userinfo_in_host", at, 80, http(f"{on.PARTNER}@{host}"), so.unregistered(so.HTTP, f"{on.PARTNER}@{host}")
    )
    yield Case(
        "request_never_ends",
        at,
        80,
        tell(f"GET / HTTP/1.1\r\nHost: {host}\r\n".encode()),
        so.in_both(EgressClass.UNCLASSIFIED, so.HTTP, None, Result.CLIENT_RESET),
    )


def _tls(dice: random.Random) -> Iterator[Case]:
    """TLS with names that are registered, are not, are odd, or are not there."""
    for number in range(3):
        host = _name(dice)
        yield Case(f"tls_unregistered_{number}", _address(dice), 443, tls(host), so.unregistered(so.TLS, host))
    host, at = _name(dice), _address(dice)
    partner = so.registered(so.TLS, on.PARTNER)
    yield Case("tls_registered", on.PARTNER_IP, 443, tls(on.PARTNER), partner)
    yield Case("tls_fronting_name", at, 443, tls(on.PARTNER, host=host), partner)
    yield Case("tls_upper_case", on.PARTNER_IP, 443, tls("API.PARTNER.EXAMPLE"), partner)
    yield Case("tls_trailing_dot", at, 443, hello(f"{on.PARTNER}.".encode()), so.unregistered(so.TLS, on.PARTNER))
    yield Case("tls_wildcard", at, 443, tls("a.b.wild.example"), so.registered(so.TLS, "a.b.wild.example"))
    yield Case("tls_wildcard_apex", at, 443, tls("wild.example"), so.unregistered(so.TLS, "wild.example"))
    yield Case("tls_no_name", at, 443, tls(None), so.unregistered(so.TCP))
    yield Case("tls_name_with_blank", at, 443, hello(b"a b.example"), so.unregistered(so.TLS))
    yield Case("tls_name_forged", at, 443, hello(b'a" 200 - - "-" 1 1.example'), so.unregistered(so.TLS))
    yield Case("tls_name_is_address", at, 443, hello(b"203.0.113.7"), so.unregistered(so.TLS))
    yield Case("tls_own_listener", on.VIP_IP, 443, tls(on.VIP), so.registered(so.TCP, on.VIP))
    yield Case("tls_own_listener_other_name", on.VIP_IP, 443, tls(host), so.registered(so.TCP, on.VIP))
    yield Case("tls_on_a_port_without_tls", at, 9443, tls(host), so.unregistered(so.TCP))
    yield Case(
        "tls_no_endpoint", at, 443, hello(on.LOST.encode()), so.registered(so.TLS, on.LOST, Result.NO_HEALTHY_UPSTREAM)
    )
    yield Case(
        "tls_registered_down",
        on.DOWN_IP,
        443,
        hello(on.DOWN.encode()),
        so.registered(so.TLS, on.DOWN, Result.UNREACHABLE),
    )
    yield Case(
        "tls_entries_not_merged",
        at,
        8443,
        hello(on.TWICE.encode()),
        so.in_both(EgressClass.NO_ROUTE, so.TLS, on.TWICE, Result.OTHER),
    )
    yield Case(
        "tls_unreachable", UNREACHABLE, 443, hello(host.encode()), so.unregistered(so.TLS, host, Result.UNREACHABLE)
    )
    yield Case("tls_half_a_hello", at, 443, tell(client_hello(host.encode())[:60]), so.silent())
    yield Case("proxy_called_directly", "192.0.2.8", OUTBOUND_PORT, tell(b"hello"), so.silent())
    yield Case("tls_record_of_nonsense", at, 443, tell(b"\x16\x03\x01\x00\x05hello"), so.unregistered(so.TCP))


def _tcp(dice: random.Random) -> Iterator[Case]:
    """Databases, mail, addresses of pods; servers that reset, refuse, or say nothing."""
    at = _address(dice)
    free = so.unregistered(so.TCP)
    yield Case("tcp_unregistered", at, 5432, greeted(b"\0\0\0\x08"), free)
    yield Case("tcp_other_address_of_port", at, 5433, greeted(), free)
    yield Case("tcp_registered", on.DATABASE_IP, 5432, greeted(b"select"), so.registered(so.TCP, on.DATABASE))
    yield Case("tcp_registered_network", on.NETWORK_IP, 9000, greeted(), so.registered(so.TCP, on.NETWORK))
    yield Case("tcp_beside_the_network", "198.51.100.100", 9000, greeted(), free)
    yield Case("tcp_in_mesh", on.MYSQL_VIP, 3306, greeted(), so.in_mesh(so.TCP, on.MYSQL))
    yield Case("tcp_pod", POD, 3307, greeted(), free)
    yield Case("tcp_metadata", METADATA, 8000, http(METADATA), free)
    yield Case("tcp_refused", at, 4444, greeted(), so.unregistered(so.TCP, None, Result.UNREACHABLE))
    yield Case("tcp_unreachable", UNREACHABLE, 5432, greeted(), so.unregistered(so.TCP, None, Result.UNREACHABLE))
    yield Case("tcp_times_out", SILENT, 5432, greeted(), so.unregistered(so.TCP, None, Result.UNREACHABLE))
    yield Case(
        "tcp_server_resets", at, RESET_PORT, tell(b"hello"), so.unregistered(so.TCP, None, Result.UPSTREAM_RESET)
    )
    yield Case("tcp_server_is_mute", at, MUTE_PORT, tell(b"hello"), free)
    yield Case("tcp_nothing_sent", at, 5432, greeted(), free)
    yield Case("tcp_server_first_on_80", at, 80, tell(b""), so.silent())
    yield Case("tcp_server_first_on_443", at, 443, tell(b""), so.silent())
    for number in range(4):
        yield Case(
            f"tcp_beacon_{number}",
            "203.0.113.251",
            8443,
            hello(b"beacon.vendor0.example"),
            so.unregistered(so.TLS, "beacon.vendor0.example"),
        )
    yield Case("binary_on_80", at, 80, tell(b"\x00\x01\x02\x03\xff" * 20), free)


def _scan(dice: random.Random) -> Iterator[Case]:
    """A few ports of one address, nobody there."""
    at = _address(dice)
    for port in dice.sample(range(7000, 7999), 6):
        yield Case(f"scan_{port}", at, port, greeted(), so.unregistered(so.TCP, None, Result.UNREACHABLE))
