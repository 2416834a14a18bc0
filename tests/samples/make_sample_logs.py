"""Write `sample_logs/` anew: one small story in several formats, the same bytes every time.

Run with `python -m tests.samples.make_sample_logs`. Line shapes are those that Envoy 1.40 writes under Istio's
configuration; names are made up but for the story's two, addresses are of the documentation ranges.
"""

import gzip
import hashlib
import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from analyzer.vocabulary import ACCESS_LOG_FIELDS

ROOT = Path(__file__).parents[2] / "sample_logs"
NUMBERS = ("response_code", "bytes_received", "bytes_sent", "duration")
BEFORE = datetime(2026, 3, 2, 9, 0)
AFTER = datetime(2026, 3, 2, 14, 0)

JSONPLACEHOLDER = ("jsonplaceholder.typicode.com", "203.0.113.10")
GITHUB = ("raw.githubusercontent.com", "203.0.113.20")
SAAS = ("api.payments-saas.example", "198.51.100.31")
SEARCH = tuple((f"eu-{n}.es.search-cloud.example", f"198.51.100.{60 + n}") for n in range(1, 5))
MIRROR = ("mirror.packages.example", "192.0.2.80")


@dataclass
class Pod:
    """A client pod: its names, its address and a clock of its own."""

    name: str
    namespace: str
    ip: str
    agent: str
    clock: datetime = BEFORE
    lines: list[dict[str, object]] = field(default_factory=list)
    dice: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.name)

    @property
    def file_name(self) -> str:
        """The name that the kubelet gives the container's log."""
        digest = hashlib.sha256(self.name.encode()).hexdigest()
        return f"{self.name}_{self.namespace}_istio-proxy-{digest}.log"

    def at(self, moment: datetime) -> "Pod":
        """Go on at a moment."""
        self.clock = moment
        return self

    def log(self, **values: object) -> None:
        """Write one line, a few seconds after the last."""
        self.clock += timedelta(milliseconds=self.dice.randint(2_000, 19_000))
        line: dict[str, object] = dict.fromkeys(ACCESS_LOG_FIELDS)
        line |= {"start_time": self.clock.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self.clock.microsecond // 1000:03d}Z"}
        line |= {"response_code": 0, "bytes_received": 0, "bytes_sent": 0, "duration": 0}
        line |= {"downstream_remote_address": f"{self.ip}:{self.dice.randint(32768, 60999)}"}
        self.lines.append(line | values)

    def http(self, host: str, ip: str, path: str, fate: str, port: int = 80, **values: object) -> None:
        """One HTTP request: `allow_any`, `block_all`, or the cluster it was registered under."""
        common: dict[str, object] = {
            "method": "GET",
            "path": path,
            "protocol": "HTTP/1.1",
            "user_agent": self.agent,
            "request_id": self._id(),
            "authority": host,
            "downstream_local_address": f"{ip}:{port}",
        }
        if fate == "block_all":
            fields = {"response_code": 502, "response_code_details": "direct_response", "route_name": "block_all"}
        else:
            took = self.dice.randint(8, 240)
            fields = {
                "response_code": 200,
                "response_code_details": "via_upstream",
                "bytes_sent": self.dice.randint(300, 9000),
                "duration": took,
                "upstream_service_time": str(took - 1),
                "upstream_host": f"{ip}:{port}",
                "upstream_cluster": "PassthroughCluster" if fate == "allow_any" else fate,
                "upstream_local_address": f"{self.ip}:{self.dice.randint(32768, 60999)}",
                "route_name": "allow_any" if fate == "allow_any" else "default",
            }
        self.log(**{**common, **fields, **values})

    def tcp(self, ip: str, port: int, fate: str, sni: str | None = None, **values: object) -> None:
        """One TCP or TLS connection: `passthrough`, `blackhole`, or the cluster it was registered under."""
        common: dict[str, object] = {"downstream_local_address": f"{ip}:{port}", "requested_server_name": sni}
        if fate == "blackhole":
            fields: dict[str, object] = {"response_flags": "UH", "upstream_cluster": "BlackHoleCluster"}
        else:
            fields = {
                "bytes_received": self.dice.randint(400, 3000),
                "bytes_sent": self.dice.randint(2000, 90000),
                "duration": self.dice.randint(20, 4000),
                "upstream_host": f"{ip}:{port}",
                "upstream_cluster": "PassthroughCluster" if fate == "passthrough" else fate,
                "upstream_local_address": f"{self.ip}:{self.dice.randint(32768, 60999)}",
            }
        self.log(**{**common, **fields, **values})

    def _id(self) -> str:
        letters = f"{self.dice.getrandbits(128):032x}"
        return "-".join((letters[:8], letters[8:12], letters[12:16], letters[16:20], letters[20:]))


def as_text(line: dict[str, object]) -> str:
    """Istio's default text format of today."""
    v = {name: "-" if value is None else value for name, value in line.items()}
    return (
        f'[{v["start_time"]}] "{v["method"]} {v["path"]} {v["protocol"]}" {v["response_code"]} {v["response_flags"]} '
        f'{v["response_code_details"]} {v["connection_termination_details"]} "{v["upstream_transport_failure_reason"]}" '
        f'{v["bytes_received"]} {v["bytes_sent"]} {v["duration"]} {v["upstream_service_time"]} "{v["x_forwarded_for"]}" '
        f'"{v["user_agent"]}" "{v["request_id"]}" "{v["authority"]}" "{v["upstream_host"]}" {v["upstream_cluster"]} '
        f"{v['upstream_local_address']} {v['downstream_local_address']} {v['downstream_remote_address']} "
        f"{v['requested_server_name']} {v['route_name']}"
    )


def as_json(line: dict[str, object]) -> str:
    """Istio's default JSON format: numbers stay numbers, what is missing is null, no flags are `-`."""
    typed = {name: value if name in NUMBERS else value and str(value) for name, value in line.items()}
    typed["response_flags"] = line["response_flags"] or "-"
    return json.dumps(dict(sorted(typed.items())), separators=(",", ":"))


def as_envoy_default(line: dict[str, object]) -> str:
    """Envoy's own format: no cluster, no addresses, no server name."""
    v = {name: "-" if value is None else value for name, value in line.items()}
    return (
        f'[{v["start_time"]}] "{v["method"]} {v["path"]} {v["protocol"]}" {v["response_code"]} {v["response_flags"]} '
        f'{v["bytes_received"]} {v["bytes_sent"]} {v["duration"]} {v["upstream_service_time"]} "{v["x_forwarded_for"]}" '
        f'"{v["user_agent"]}" "{v["request_id"]}" "{v["authority"]}" "{v["upstream_host"]}"'
    )


def pods() -> dict[str, Pod]:
    """The cast."""
    return {
        "forum": Pod("forum-6f9b7d54c8-x2lqp", "istioinaction", "10.244.1.11", "Go-http-client/1.1"),
        "webapp": Pod("webapp-7c5d8f9b6d-k8wzn", "istioinaction", "10.244.1.12", "curl/8.5.0"),
        "payments": Pod("payments-5b8c7d6f49-m4v9t", "shop", "10.244.2.21", "okhttp/4.12.0"),
        "reports": Pod("reports-0", "shop", "10.244.2.22", "python-requests/2.32.3"),
        "search": Pod("search-84d9f7c5b6-9xkzr", "shop", "10.244.2.23", 'elasticsearch-py/8.12 (Python, "urllib3")'),
        "metrics": Pod("node-metrics-zq7vf", "ops", "10.244.3.31", "node-metrics/2.1"),
    }


def tell(cast: dict[str, Pod]) -> None:
    """The story: a morning under ALLOW_ANY, an afternoon under REGISTRY_ONLY."""
    forum, webapp, payments = cast["forum"], cast["webapp"], cast["payments"]
    reports, search, metrics = cast["reports"], cast["search"], cast["metrics"]
    for moment, http, tcp in ((BEFORE, "allow_any", "passthrough"), (AFTER, "block_all", "blackhole")):
        forum.at(moment)
        for n in range(24):
            forum.http(*JSONPLACEHOLDER, "/users" if n % 3 else f"/users/{n}", http)
            if n % 4 == 0:
                forum.http(
                    "users.istioinaction.svc.cluster.local",
                    "10.96.40.7",
                    "/",
                    "outbound|80||users.istioinaction.svc.cluster.local",
                )
        webapp.at(moment)
        for n in range(14):
            # The name shows only while some entry without addresses registers TLS on 443.
            webapp.tcp(GITHUB[1], 443, tcp, GITHUB[0] if n % 2 else None)
            webapp.http(
                "forum.istioinaction.svc.cluster.local",
                "10.96.40.8",
                "/api/users",
                "outbound|80||forum.istioinaction.svc.cluster.local",
            )
        payments.at(moment)
        for n in range(18):
            payments.tcp(SAAS[1], 443, tcp, SAAS[0])
            if n % 3 == 0:
                payments.tcp("198.51.100.40", 443, "outbound|443||www.partner.example", "www.partner.example")
        reports.at(moment)
        for _ in range(12):
            reports.tcp("203.0.113.54", 5432, tcp)
        for path in ("/dists/stable", "/pool/main"):
            reports.http(*MIRROR, path, http)
        search.at(moment)
        for n in range(20):
            host, ip = SEARCH[n % len(SEARCH)]
            search.http(host, ip, f"/_search?page={n}", http, port=80)
        metrics.at(moment)
        for n in range(6):
            metrics.http("169.254.169.254", "169.254.169.254", "/latest/meta-data/iam/", http)
            if n < 3:
                metrics.http("192.0.2.77", "192.0.2.77", "/ping", http)
                metrics.tcp("10.244.2.90", 8080, tcp)
    odd(cast)


def odd(cast: dict[str, Pod]) -> None:
    """What an honest morning does not have: forgeries, old protocols, inbound lookalikes, gRPC that was refused."""
    webapp, payments, search, reports = cast["webapp"], cast["payments"], cast["search"], cast["reports"]
    forged = 'x" 200 - via_upstream - "-" 5 5 1 1 "-" "curl'
    webapp.http("exfil.attacker.example", "192.0.2.66", "/upload", "block_all", user_agent=forged)
    webapp.http("exfil.attacker.example", "192.0.2.66", "/upload", "block_all", user_agent=forged)
    webapp.tcp(JSONPLACEHOLDER[1], 80, "blackhole")
    payments.http(
        "ledger.partner.example",
        "198.51.100.41",
        "/ledger.v1.Ledger/Post",
        "block_all",
        method="POST",
        protocol="HTTP/2",
        response_code=200,
        user_agent="grpc-go/1.65.0",
    )
    payments.log(
        method="GET",
        path="/pay",
        protocol="HTTP/1.1",
        response_code=200,
        response_code_details="via_upstream",
        bytes_sent=48,
        duration=4,
        upstream_service_time="3",
        user_agent="okhttp/4.12.0",
        request_id="00000000-0000-4000-8000-000000000001",
        authority="payments.shop.svc.cluster.local",
        upstream_host="10.244.2.21:8080",
        upstream_cluster="inbound|8080||",
        upstream_local_address="127.0.0.6:40123",
        downstream_local_address="10.244.2.21:8080",
        downstream_remote_address="10.244.2.23:51234",
        requested_server_name="outbound_.80_._.payments.shop.svc.cluster.local",
        route_name="default",
    )
    search.tcp("192.0.2.99", 443, "blackhole", "invalid:a_b.example")
    for port in range(7001, 7019):
        reports.tcp("192.0.2.123", port, "blackhole")


def files(cast: dict[str, Pod]) -> Iterator[tuple[str, bytes]]:
    """Every file of the folder and its bytes."""
    cri = [f"{line['start_time'][:-1]}456789Z stdout F {as_text(line)}" for line in cast["metrics"].lines]  # type: ignore[index]
    broken = [
        "2026-03-02T09:00:01.123456Z\tinfo\txdsproxy\tconnected to delta upstream XDS server: istiod.istio-system.svc:15012",
        as_text(cast["forum"].lines[2])[:150],
        "2026-03-02T09:00:02.000001Z\twarning\tenvoy config\tgRPC config stream to xds-grpc closed: 14, connection error",
        "",
        "not a log line at all",
        "\tat com.acme.Forum.main(Forum.java:17)",
    ]
    forum = [as_text(line) for line in cast["forum"].lines]
    yield f"text/{cast['forum'].file_name}", _lines([*broken[:3], *forum, *broken[3:]])
    yield f"text/{cast['webapp'].file_name}", _lines([as_text(line) for line in cast["webapp"].lines])
    yield f"json/{cast['payments'].file_name}", _lines([as_json(line) for line in cast["payments"].lines])
    reports = cast["reports"]
    yield f"packed/{reports.file_name}.gz", gzip.compress(_lines([as_text(line) for line in reports.lines]), mtime=0)
    yield f"json/{cast['search'].file_name}", _lines([as_json(line) for line in cast["search"].lines])
    yield f"cri/{cast['metrics'].file_name}", _lines(cri)
    yield "envoy_default/old-proxy.log", _lines([as_envoy_default(line) for line in cast["forum"].lines[:8]])


def _lines(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def main() -> None:
    """Write the folder anew, its README left in place."""
    cast = pods()
    tell(cast)
    for folder in ("text", "json", "packed", "cri", "envoy_default"):
        shutil.rmtree(ROOT / folder, ignore_errors=True)
    for name, content in files(cast):
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_bytes(content)


if __name__ == "__main__":
    main()
