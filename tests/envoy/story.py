"""The story of the sample logs: who calls whom on 2 March 2026, in three parts of a day.

Names are made up but for the two of the story; outside addresses are of the documentation ranges.
"""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from analyzer.mesh.model import ServiceEntry
from analyzer.mesh.objects import Port
from analyzer.vocabulary import Mode
from tests.envoy.bootstrap import Configuration
from tests.envoy.cases import FORGED, Case
from tests.envoy.clients import Act, greeted, hello, http, http2, raw_http, tls
from tests.envoy.scenery import entry
from tests.envoy.servers import UNREACHABLE
from tests.envoy.services import MeshService


class Part(StrEnum):
    """The parts of the day; from part to part the configuration changes, and the traffic goes on."""

    MORNING = "morning"
    NOON = "noon"
    AFTERNOON = "afternoon"


@dataclass(frozen=True)
class Pod:
    """A pod that calls out: its names, its address, and what its HTTP client calls itself."""

    name: str
    namespace: str
    address: str
    agent: str

    @property
    def file_name(self) -> str:
        """The name that the kubelet gives the log of the pod's proxy."""
        return f"{self.name}_{self.namespace}_istio-proxy-{sha256(self.name.encode()).hexdigest()}.log"


FORUM = Pod("forum-6f9b7d54c8-x2lqp", "istioinaction", "10.244.1.11", "Go-http-client/1.1")
WEBAPP = Pod("webapp-7c5d8f9b6d-k8wzn", "istioinaction", "10.244.1.12", "curl/8.5.0")
PAYMENTS = Pod("payments-5b8c7d6f49-m4v9t", "shop", "10.244.2.21", "okhttp/4.12.0")
REPORTS = Pod("reports-0", "shop", "10.244.2.22", "python-requests/2.32.3")
SEARCH = Pod("search-84d9f7c5b6-9xkzr", "shop", "10.244.2.23", 'elasticsearch-py/8.12 (Python, "urllib3")')
NIGHTLY = Pod("nightly-29541600-7kq2d", "shop", "10.244.2.24", "Wget/1.21.4")
METRICS = Pod("node-metrics-zq7vf", "ops", "10.244.3.31", "node-metrics/2.1")
CAST = (FORUM, WEBAPP, PAYMENTS, REPORTS, SEARCH, NIGHTLY, METRICS)
_PORT, _CALLER_PORT = 33_000, 43_000
NAMESPACES = ("istioinaction", "shop", "ops")

BEGINS = {
    Part.MORNING: datetime(2026, 3, 2, 9, 0),
    Part.NOON: datetime(2026, 3, 2, 12, 0),
    Part.AFTERNOON: datetime(2026, 3, 2, 14, 0),
}

JSONPLACEHOLDER = ("jsonplaceholder.typicode.com", "203.0.113.10")
GITHUB = ("raw.githubusercontent.com", "203.0.113.20")
SAAS = ("api.payments-saas.example", "198.51.100.31")
PARTNER = ("www.partner.example", "198.51.100.40")
SEARCH_HOSTS = tuple((f"eu-{n}.es.search-cloud.example", f"198.51.100.{60 + n}") for n in range(1, 5))
MIRROR = ("mirror.packages.example", "192.0.2.80")
RATES = ("rates.bank.example", "198.51.100.90")
ARCHIVE = "archive.bank.example:443"
"""Asked for through a forward proxy, with CONNECT."""
LEDGER = ("ledger.audit-cloud.example", "198.51.100.95")
ATTACKER = ("exfil.attacker.example", "203.0.113.66")
DATABASE_IP, METADATA_IP, LITERAL_IP, POD_IP, SCANNED_IP, PROXY_IP = (
    "203.0.113.54",
    "169.254.169.254",
    "198.51.100.77",
    "10.244.9.30",
    "192.0.2.123",
    "198.51.100.92",
)
OUTSIDE_HOSTS = (JSONPLACEHOLDER, GITHUB, SAAS, PARTNER, *SEARCH_HOSTS, MIRROR, RATES, LEDGER, ATTACKER)
"""The DNS of the story."""

SERVICES = (
    MeshService(
        "users.istioinaction.svc.cluster.local", "10.96.40.7", (Port(80, "http", "HTTP"),), ("10.244.9.7:8080",)
    ),
    MeshService(
        "forum.istioinaction.svc.cluster.local", "10.96.40.8", (Port(80, "http", "HTTP"),), ("10.244.9.8:8080",)
    ),
)


def registered(part: Part) -> tuple[ServiceEntry, ...]:
    """The one entry that exists; at noon it is shown to every namespace, and their proxies begin to read SNI."""
    partner = entry(PARTNER[0], "443/TLS", name="www-partner")
    scope = (".",) if part is Part.MORNING else ()
    return (replace(partner, namespace="shop", export_to=scope),)


def configuration(namespace: str, mode: Mode, entries: tuple[ServiceEntry, ...]) -> Configuration:
    """What istiod writes for the proxies of a namespace."""
    return Configuration(
        namespace=namespace,
        mode=mode,
        service_entries=entries,
        mesh_services=SERVICES,
        dns={host: (address,) for host, address in OUTSIDE_HOSTS},
        delimited_stat_names=False,
    )


def mode_of(part: Part) -> Mode:
    """Open until two in the afternoon."""
    return Mode.REGISTRY_ONLY if part is Part.AFTERNOON else Mode.ALLOW_ANY


def calls(namespace: str, part: Part) -> list[Case]:
    """What the pods of a namespace do in a part of the day, one thing after the other."""
    teller = _Teller(part, namespace)
    told = [case for pod in CAST if pod.namespace == namespace for case in teller.of(pod)]
    return [replace(case, own_port=case.own_port or _PORT + number) for number, case in enumerate(told)]


class _Teller:
    """Tells one part of the day; twice as much happens in the afternoon as in each of the others."""

    def __init__(self, part: Part, namespace: str) -> None:
        self._part = part
        self._dice = random.Random(f"{part}/{namespace}")
        self._often = 2 if part is Part.AFTERNOON else 1

    def of(self, pod: Pod) -> Iterator[Case]:
        """What a pod does."""
        tales = {
            FORUM: self._forum,
            WEBAPP: self._webapp,
            PAYMENTS: self._payments,
            REPORTS: self._reports,
            SEARCH: self._search,
            NIGHTLY: self._nightly,
            METRICS: self._metrics,
        }
        for number, (address, port, act) in enumerate(tales[pod]()):
            yield Case(f"{pod.name}_{number}", address, port, act, client=pod.address)
        if pod is PAYMENTS:
            for number in range(self._often):
                act = self._get(pod, "payments.shop.svc.cluster.local:8080", "/charge")
                # A port of its own in each part: the caller's side remembers a closed connection for a minute.
                own = _CALLER_PORT + 10 * list(Part).index(self._part) + number
                yield Case("inbound", pod.address, 8080, act, client=pod.address, inbound=True, own_port=own)

    def _get(self, pod: Pod, host: str, path: str, **headers: str) -> Act:
        return http(host, path, headers={**self._headers(pod), **headers})

    def _headers(self, pod: Pod) -> dict[str, str]:
        return {"User_Agent": pod.agent, "X_Request_Id": self._id()}

    def _id(self) -> str:
        return str(uuid.UUID(int=self._dice.getrandbits(128), version=4))

    def _forum(self) -> Iterator[tuple[str, int, Act]]:
        for number in range(12 * self._often):
            path = f"/users/{number}" if number % 3 == 0 else "/users"
            yield JSONPLACEHOLDER[1], 80, self._get(FORUM, JSONPLACEHOLDER[0], path)
            if number % 4 == 0:
                yield SERVICES[0].address, 80, self._get(FORUM, SERVICES[0].host, "/")

    def _webapp(self) -> Iterator[tuple[str, int, Act]]:
        for number in range(7 * self._often):
            yield GITHUB[1], 443, tls(GITHUB[0], path=f"/bytes/{9000 + number}")
            yield SERVICES[1].address, 80, self._get(WEBAPP, SERVICES[1].host, "/api/users")
        if self._part is not Part.MORNING:
            yield ATTACKER[1], 80, self._get(WEBAPP, ATTACKER[0], "/up", User_Agent=f"x{FORGED}")
            yield ATTACKER[1], 80, self._get(WEBAPP, ATTACKER[0], f"/up?{FORGED.replace(' ', '_')}")
            yield ATTACKER[1], 80, raw_http(f"GET /up HTTP/1.0\r\nHost: {ATTACKER[0]}\r\n\r\n".encode())

    def _payments(self) -> Iterator[tuple[str, int, Act]]:
        for number in range(9 * self._often):
            yield SAAS[1], 443, tls(SAAS[0])
            if number % 3 == 0:
                yield PARTNER[1], 443, tls(PARTNER[0])
        yield "192.0.2.33", 80, self._get(PAYMENTS, "blank in.example", "/")
        if self._part is Part.AFTERNOON:
            call = http2(LEDGER[0], "/audit.Ledger/Post", grpc=True, user_agent="grpc-go/1.60", x_request_id=self._id())
            yield LEDGER[1], 80, call

    def _reports(self) -> Iterator[tuple[str, int, Act]]:
        for number in range(6 * self._often):
            yield DATABASE_IP, 5432, greeted(b"\0\0\0\x08\x04\xd2\x16\x2f")
            if number % 2 == 0:
                yield MIRROR[1], 80, self._get(REPORTS, MIRROR[0], f"/pool/main/{number}.deb")
                yield MIRROR[1], 80, self._get(REPORTS, MIRROR[0], "/dists/stable")
        if self._part is Part.AFTERNOON:
            for port in range(7001, 7019):
                yield SCANNED_IP, port, greeted()

    def _search(self) -> Iterator[tuple[str, int, Act]]:
        for _ in range(2 * self._often):
            for host, address in SEARCH_HOSTS:
                yield address, 443, tls(host)
        if self._part is not Part.AFTERNOON:
            for _ in range(3):
                yield UNREACHABLE, 443, hello(b"old.search-cloud.example")
        else:
            yield "192.0.2.99", 443, hello(b"a b.example")

    def _nightly(self) -> Iterator[tuple[str, int, Act]]:
        for number in range(3 * self._often):
            yield RATES[1], 80, self._get(NIGHTLY, RATES[0], f"/daily/{number}.xml")
        yield PROXY_IP, 80, http(ARCHIVE, ARCHIVE, method="CONNECT", headers=self._headers(NIGHTLY))

    def _metrics(self) -> Iterator[tuple[str, int, Act]]:
        for _ in range(2 * self._often):
            yield METADATA_IP, 80, self._get(METRICS, METADATA_IP, "/latest/meta-data/iam/security-credentials/")
            yield LITERAL_IP, 80, self._get(METRICS, LITERAL_IP, "/collect")
            yield POD_IP, 8080, self._get(METRICS, f"{POD_IP}:8080", "/metrics")
