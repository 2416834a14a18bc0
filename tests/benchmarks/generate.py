"""Write a seeded access log of any size, and the truth of it: how many entries of each class, how many bytes.

Hosts, pods and destinations are Zipf-distributed, agents hold blanks, commas and (0.5 %) quotes, 2 % of the lines are
junk or cut short. `python -m tests.benchmarks.generate --size 1000M --format text --out FILE`.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

ROWS = 50_000
START = int(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp() * 1000)
KINDS = ("in_mesh", "inbound", "registered", "passthrough_tls", "passthrough_http", "blackhole", "block_all", "junk")
SHARES = (0.42, 0.30, 0.08, 0.08, 0.04, 0.04, 0.02, 0.02)
CLASS_OF = {
    "passthrough_tls": "passthrough",
    "passthrough_http": "passthrough",
    "blackhole": "blocked",
    "block_all": "blocked",
}
AGENTS = (
    "python-requests/2.32.3", "Go-http-client/1.1", "curl/8.5.0", "okhttp/4.12.0", "kube-probe/1.30",
    "Apache-HttpClient/4.5.14 (Java/17.0.9)", "Prometheus/2.53.0", "axios/1.7.2", "Java/17.0.9",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "aws-sdk-java/2.25.60 Linux/5.10.217 OpenJDK_64-Bit_Server_VM/17.0.9, exec-env/EKS, io/sync http/Apache",
)  # fmt: skip
QUOTED = ('My "Fancy" App/3.1, (iOS; "17.5")', 'Crawler "bot" v2', 'acme-client/1.2 (build "nightly, 2026")')
PATHS = ("/", "/healthz", "/api/v1/users/%d", "/api/v1/orders/%d/items?limit=50", "/search?q=shoes&page=%d", "/graphql")
JUNK = (
    "2026-03-02T09:00:00.%06dZ\twarning\tenvoy config\tStreamAggregatedResources gRPC config stream closed: 14",
    "[Envoy (Epoch 0)] [2026-03-02 09:00:00.%03d][17][critical][main] assert failure",
    '{"level":"info","ts":%d,"msg":"probe ok"}',
    "\tat com.acme.Foo.bar(Foo.java:%d)",
)
FIELDS = ("authority", "upstream_host", "upstream_cluster", "upstream_local_address", "downstream_local_address")


def zipf(dice: np.random.Generator, count: int, size: int) -> Any:
    """Indices below `count`, the small ones often."""
    weights = 1.0 / np.arange(1, count + 1) ** 1.1
    return np.minimum(np.searchsorted(np.cumsum(weights / weights.sum()), dice.random(size)), count - 1)


def blocks(seed: int, text: bool, truth: dict[str, int]) -> Iterator[list[str]]:
    """Lines, some thousands at a time, for ever; `truth` counts along."""
    dice = np.random.default_rng(seed)
    pods = [f"10.1.{n >> 8}.{n & 255}" for n in range(400)]
    own = zipf(dice, 2400, 400 * 60).reshape(400, 60)
    mesh = [(f"svc-{n}.ns-{n % 40}.svc.cluster.local", f"10.96.{n >> 8}.{n & 255}") for n in range(600)]
    outside = [
        (f"{('api', 'www', 'cdn', 'eu-1.api')[n % 4]}.vendor{n}.{('com', 'io', 'net', 'co.uk')[n % 4]}", f"203.{n >> 8}.{n & 255}.9")
        for n in range(2400)
    ]  # fmt: skip
    now = START
    while True:
        kinds = dice.choice(len(KINDS), ROWS, p=SHARES).tolist()
        pod, pick = dice.integers(0, 400, ROWS), zipf(dice, 60, ROWS)
        which = own[pod, pick].tolist()
        times = now + np.cumsum(dice.exponential(1.0, ROWS)).astype(np.int64)
        now = int(times[-1])
        stamps = np.datetime_as_string(times.astype("datetime64[ms]")).tolist()
        numbers = dice.integers(0, 1 << 30, (8, ROWS)).tolist()
        ids = dice.bytes(16 * ROWS).hex()
        sizes = np.minimum(dice.lognormal(7.5, 1.6, ROWS), 5e7).astype(int).tolist()
        lines = []
        for n in range(ROWS):
            kind = KINDS[kinds[n]]
            a, b, c, d, e, f, g, h = (row[n] for row in numbers)
            if kind == "junk" and a % 2:
                lines.append(JUNK[b % len(JUNK)] % (c % 1000))
                truth["rejected"] += 1
                continue
            quoted = kind in ("in_mesh", "inbound", "registered", "block_all", "passthrough_http") and g % 200 == 0
            fields = line(
                kind if kind != "junk" else KINDS[b % 7],
                pods[pod[n]],
                mesh[which[n] % 600],
                outside[which[n]],
                (a, b, c, d, e),
            )
            fields["start_time"] = stamps[n] + "Z"
            fields["bytes_sent"] = sizes[n] if fields["bytes_sent"] else 0
            if fields["method"]:
                letters = ids[32 * n : 32 * n + 32]
                fields["request_id"] = "-".join(
                    (letters[:8], letters[8:12], letters[12:16], letters[16:20], letters[20:])
                )
                fields["user_agent"] = QUOTED[h % len(QUOTED)] if quoted else AGENTS[h % len(AGENTS)]
            written = as_text(fields) if text else as_json(fields)
            if kind == "junk":
                lines.append(written[: len(written) * (25 + f % 65) // 100])
                truth["rejected"] += 1
                continue
            lines.append(written)
            truth[CLASS_OF.get(kind, kind)] += 1
            truth["bytes_received"] += fields["bytes_received"]
            truth["bytes_sent"] += fields["bytes_sent"]
        yield lines


def line(
    kind: str, pod: str, mesh: tuple[str, str], outside: tuple[str, str], numbers: tuple[int, ...]
) -> dict[str, Any]:
    """The fields of one line of a kind."""
    a, b, c, d, e = numbers
    http = kind not in ("passthrough_tls", "blackhole")
    host, ip = mesh if kind in ("in_mesh", "inbound") else outside
    port = 443 if not http else 80 if kind != "in_mesh" else (80, 8080, 9090, 3000)[len(host) % 4]
    path = PATHS[a % len(PATHS)]
    fields: dict[str, Any] = dict.fromkeys(("x_forwarded_for", "response_flags", "requested_server_name", "route_name"))
    fields |= dict.fromkeys(FIELDS) | {"method": None, "path": None, "protocol": None, "response_code_details": None}
    fields |= {"request_id": None, "user_agent": None, "response_code": 0, "bytes_received": b % 4000, "bytes_sent": 1}
    fields |= {"duration": c % 400, "downstream_local_address": f"{ip}:{port}", "upstream_service_time": None}
    fields["downstream_remote_address"] = f"{pod}:{32768 + d % 28000}"
    if http:
        fields |= {"method": ("GET", "POST", "PUT")[e % 3], "path": path % (a % 50_000) if "%" in path else path}
        fields |= {
            "protocol": "HTTP/1.1",
            "response_code": 200,
            "response_code_details": "via_upstream",
            "authority": host,
        }
        fields |= {"upstream_service_time": c % 400, "route_name": "default"}
    elif e % 20:
        fields["requested_server_name"] = host
    reached = {"upstream_host": f"{ip}:{port}", "upstream_local_address": f"{pod}:{32768 + e % 28000}"}
    cluster = {
        "in_mesh": f"outbound|{port}||{host}",
        "inbound": "inbound|8080||",
        "registered": f"outbound|{port}||{host}",
        "passthrough_tls": "PassthroughCluster",
        "passthrough_http": "PassthroughCluster",
        "blackhole": "BlackHoleCluster",
        "block_all": None,
    }[kind]
    fields["upstream_cluster"] = cluster
    if kind in ("blackhole", "block_all"):
        fields |= {"bytes_received": 0, "bytes_sent": 0, "duration": 0, "upstream_service_time": None}
        fields |= {"response_flags": "UH"} if kind == "blackhole" else {}
        fields |= (
            {"response_code": 502, "response_code_details": "direct_response", "route_name": "block_all"}
            if kind == "block_all"
            else {}
        )
    else:
        fields |= reached
        fields |= {"route_name": "allow_any"} if kind == "passthrough_http" else {}
    return fields


def as_text(v: dict[str, Any]) -> str:
    """Istio's default text format."""
    v = {name: "-" if value is None else value for name, value in v.items()}
    return (
        f'[{v["start_time"]}] "{v["method"]} {v["path"]} {v["protocol"]}" {v["response_code"]} {v["response_flags"]} '
        f'{v["response_code_details"]} - "-" {v["bytes_received"]} {v["bytes_sent"]} {v["duration"]} '
        f'{v["upstream_service_time"]} "-" "{v["user_agent"]}" "{v["request_id"]}" "{v["authority"]}" '
        f'"{v["upstream_host"]}" {v["upstream_cluster"]} {v["upstream_local_address"]} {v["downstream_local_address"]} '
        f"{v['downstream_remote_address']} {v['requested_server_name']} {v['route_name']}"
    )


def as_json(v: dict[str, Any]) -> str:
    """Istio's default JSON format."""
    service = v["upstream_service_time"]
    whole = v | {
        "response_flags": v["response_flags"] or "-",
        "upstream_service_time": None if service is None else str(service),
    }
    whole |= {"connection_termination_details": None, "upstream_transport_failure_reason": None}
    return json.dumps(dict(sorted(whole.items())), separators=(",", ":"))


def write(out: Path, size: int, text: bool, seed: int = 1) -> dict[str, int]:
    """Write a log of about `size` bytes and return its truth."""
    truth = dict.fromkeys(
        (*(CLASS_OF.get(kind, kind) for kind in KINDS[:-1]), "rejected", "bytes_received", "bytes_sent"), 0
    )
    with out.open("wb") as file:
        for lines in blocks(seed, text, truth):
            file.write(("\n".join(lines) + "\n").encode())
            if file.tell() >= size:
                break
    return truth


def size_of(text: str) -> int:
    """`100M`, `4G` or plain bytes."""
    units = {"K": 10**3, "M": 10**6, "G": 10**9}
    return int(float(text[:-1]) * units[text[-1].upper()]) if text[-1].upper() in units else int(text)


def main() -> None:
    """Write a log and print its truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=size_of, default=10**9)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    json.dump(write(options.out, options.size, options.format == "text", options.seed), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
