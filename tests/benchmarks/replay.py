"""How long a replay takes and how much it holds: `python -m tests.benchmarks.replay [ENTRIES [DESTINATIONS]]`.

The mesh is read from YAML, with hosts, wildcards, addresses, prefixes, Sidecars and routes in many namespaces; the
destinations are of every protocol, a part of them unregistered. Half the size is measured beside the whole, so that
the growth shows.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from analyzer.evidence import Destination, DestinationKey, Request
from analyzer.mesh import load_mesh
from analyzer.simulation import Simulator
from analyzer.vocabulary import ApplicationProtocol, EgressClass, Mechanism, Result

NAMESPACES = 50
_PORTS = {"TLS": 443, "HTTP": 80, "TCP": 5432, "": 9000}
_SEEN = datetime(2026, 3, 2, tzinfo=UTC)


def manifests(entries: int) -> str:
    """ServiceEntries of every sort, and a Sidecar in every fifth namespace."""
    return "---\n".join(
        [*(_entry(number) for number in range(entries)), *(_sidecar(n) for n in range(0, NAMESPACES, 5))]
    )


def _entry(number: int) -> str:
    protocol = list(_PORTS)[number % 4]
    host = f"'*.h{number}.example.com'" if number % 10 == 0 else f"h{number}.example.com"
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    prefix = "/28" if protocol == "TCP" and number % 8 == 2 else ""
    addresses = f"  addresses: ['{address}{prefix}']\n" if protocol in ("TCP", "") else ""
    scope = "  exportTo: ['.']\n" if number % 7 == 0 else ""
    return (
        f"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
        f"metadata: {{name: e{number}, namespace: ns{number % NAMESPACES}}}\n"
        f"spec:\n  hosts: [{host}]\n{addresses}{scope}  resolution: NONE\n"
        f"  ports: [{{number: {_PORTS[protocol]}, name: p, protocol: '{protocol}'}}]\n"
    )


def _sidecar(number: int) -> str:
    return (
        f"apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: default, namespace: ns{number}}}\n"
        f"spec: {{egress: [{{hosts: ['./*', 'ns1/*', 'ns2/*']}}]}}\n"
    )


def destinations(count: int, entries: int) -> Iterator[Destination]:
    """One destination for each number: of an entry, at another's address, or of nobody."""
    for number in range(count):
        protocol = (ApplicationProtocol.TLS, ApplicationProtocol.HTTP, ApplicationProtocol.TCP)[number % 3]
        entry = number * 7919 % (entries * 4 // 3)
        named = protocol is not ApplicationProtocol.TCP
        host = f"h{entry}.example.com" if named else None
        ip = f"10.{entry >> 16 & 255}.{entry >> 8 & 255}.{entry & 255}"
        port = {ApplicationProtocol.TLS: 443, ApplicationProtocol.HTTP: 80}.get(protocol, 5432)
        key = DestinationKey(
            f"ns{number % NAMESPACES}", f"w{number % 400}", host, None if named else ip, port, protocol
        )
        is_http = protocol is ApplicationProtocol.HTTP
        asked = Request(
            key, host if is_http else None, None if is_http else host, ip, port, protocol, False, EgressClass.BLOCKED, 3
        )
        yield Destination(
            key=key, entries=3, by_class={EgressClass.BLOCKED: 3}, by_result={Result.REFUSED_BY_POLICY: 3},
            by_mechanism={Mechanism.BLOCK_ALL: 3}, bytes_received=0, bytes_sent=0, first_seen=_SEEN, last_seen=_SEEN,
            days_seen=1, pods_seen=1, requests=(asked,),
        )  # fmt: skip


def measure(entries: int, count: int) -> float:
    """Seconds for reading the mesh and replaying everything; the parts are printed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mesh.yaml"
        file.write_text(manifests(entries))
        asked = list(destinations(count, entries))
        start = time.perf_counter()
        mesh, _ = load_mesh([str(file)])
        loaded = time.perf_counter()
        replay = Simulator(mesh).replay(asked)
        done = time.perf_counter()
    coverage = ", ".join(f"{outcome} {number:,}" for outcome, number in replay.coverage.items() if number)
    print(f"{entries:,} entries, {count:,} destinations: read {loaded - start:.1f} s, replayed {done - loaded:.1f} s")
    print(f"  {coverage}; {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB held at the most")
    return done - start


if __name__ == "__main__":
    sizes = [int(text.replace(",", "")) for text in sys.argv[1:3]]
    ENTRIES, COUNT = (*sizes, *(10_000, 200_000)[len(sizes) :])
    half, whole = measure(ENTRIES // 2, COUNT // 2), measure(ENTRIES, COUNT)
    print(f"twice the size takes {whole / half:.2f} times as long")
