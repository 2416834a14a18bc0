"""What VirtualServices look at beyond the host: which destinations are told apart, and how far."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.evidence import PATHS, summarize_paths
from analyzer.evidence.destination import Destination
from analyzer.mesh.model import Mesh
from analyzer.simulation import Simulator, looks_at
from tests.simulation.building import mesh_in, request

MATCHES = [
    {"uri": {"prefix": "/v1"}},
    {"uri": {"exact": "/health"}, "method": {"exact": "GET"}},
    {"uri": {"regex": "/a/[0-9]+"}},
    {"method": {"prefix": "P"}},
]


def routed(*hosts: str, matches: Any = MATCHES, **more: Any) -> dict[str, Any]:
    route = {"match": matches, "route": [{"destination": {"host": "api.example.com"}}]}
    spec = {"hosts": list(hosts), "http": [route], **more}
    return {"kind": "VirtualService", "metadata": {"name": "api", "namespace": "egress"}, "spec": spec}


def destination(asked: str, protocol: str = "http") -> Destination:
    only = request(protocol, asked)
    return Destination(only.key, 1, {}, {}, {}, 0, 0, None, None, 1, 1, requests=(only,))


@pytest.mark.parametrize(
    ("document", "asked", "concerned"),
    [
        (routed("api.example.com"), "203.0.113.9:80 API.example.com:80", True),
        (routed("api.example.com"), "203.0.113.9:80 api.example.com.", True),
        (routed("*.example.com"), "203.0.113.9:80 api.example.com", True),
        (routed("api.example.com"), "203.0.113.9:80 www.example.com", False),
        (routed("web.shop.svc.cluster.local"), "10.96.0.10:80 web.shop", True),
        (routed("api.example.com", gateways=["egress/gateway"]), "203.0.113.9:80 api.example.com", False),
        (routed("api.example.com", matches=[{"uri": {"prefix": "/"}}]), "203.0.113.9:80 api.example.com", False),
        (routed("api.example.com", matches=[{"port": 80}]), "203.0.113.9:80 api.example.com", False),
        (routed("any.example.com"), "198.51.100.7:80 www.example.org", True),
    ],
)
def test_a_destination_is_told_apart_where_routes_for_sidecars_look_at_its_path(
    document: Mapping[str, Any], asked: str, concerned: bool
) -> None:
    mesh = mesh_in({"documents": [document], "entries": ["any.example.com:80/HTTP DNS addr 198.51.100.0/24"]})

    assert bool(looks_at(mesh, [destination(asked)])) is concerned


def test_bytes_that_are_not_http_are_not_told_apart() -> None:
    mesh = mesh_in({"documents": [routed("api.example.com")]})

    assert looks_at(mesh, [destination("203.0.113.9:443 api.example.com", "tls")]) == {}


def test_a_delegate_that_looks_at_paths_is_seen_through_its_root() -> None:
    root = routed("api.example.com")
    root["metadata"]["name"] = "root"
    root["spec"]["http"] = [{"delegate": {"name": "api", "namespace": "egress"}}]
    delegate = routed()
    del delegate["spec"]["hosts"]

    looks = looks_at(mesh_in({"documents": [root, delegate]}), [destination("203.0.113.9:80 api.example.com")])

    assert len(looks["api.example.com"].paths) == 3


def _entries(asked: list[tuple[str | None, str | None]]) -> pa.Table:
    size = len(asked)
    text = {"source_namespace": "app", "host": "api.example.com", "destination_ip": "203.0.113.9"}
    text |= {"application_protocol": "http", "authority": "api.example.com", "egress_class": "blocked"}
    text |= {"direction": "outbound"}
    nothing = dict.fromkeys(("source_workload", "requested_server_name"), pa.nulls(size, pa.string()))
    numbers = dict.fromkeys(("bytes_received", "bytes_sent"), pa.array([1] * size, pa.int64()))
    return pa.table(
        {
            **{name: pa.array([value] * size) for name, value in text.items()},
            **nothing,
            **numbers,
            "destination_port": pa.array([80] * size, pa.int32()),
            "method": pa.array([method for method, _ in asked], pa.string()).dictionary_encode(),
            "path": pa.array([path for _, path in asked], pa.string()).dictionary_encode(),
        }
    )


def _folded(mesh: Mesh, asked: list[tuple[str | None, str | None]]) -> pa.Table:
    (looks,) = looks_at(mesh, [destination("203.0.113.9:80 api.example.com")]).values()
    return summarize_paths(
        _entries(asked),
        {"api.example.com"},
        of_path=lambda _, path: looks.of_path(path),
        of_method=lambda _, method: looks.of_method(method),
    )


PATH = st.sampled_from(["/v1", "/v1/x", "/v2?a=/v1", "/health", "/health?x", "/a/1", "/a/1/b", "/a/", "*", "", None])
METHOD = st.sampled_from(["GET", "PUT", "POST", "DELETE", "CONNECT", None])


@given(st.lists(st.tuples(METHOD, PATH), max_size=40), st.integers(0, 40))
def test_requests_that_fall_together_fare_alike_and_none_is_lost(
    asked: list[tuple[str | None, str | None]], cut: int
) -> None:
    mesh = mesh_in({"entries": ["api.example.com:80/HTTP"], "documents": [routed("api.example.com")]})

    def folded(some: list[tuple[str | None, str | None]]) -> pa.Table:
        return _folded(mesh, some)

    def fates(rows: list[tuple[str | None, str | None, int]]) -> dict[str, int]:
        simulator, found = Simulator(mesh), dict[str, int]()
        for method, path, entries in rows:
            spoken = "connect" if method == "CONNECT" else "http"
            one = request(spoken, "203.0.113.9:80 api.example.com")
            outcome = simulator.decide(type(one)(**{**one.__dict__, "method": method, "path": path})).outcome.value
            found[outcome] = found.get(outcome, 0) + entries
        return found

    whole = PATHS.merge([folded(asked)])  # a batch by itself is in no order
    assert PATHS.merge([folded(asked[cut:]), folded(asked[:cut])]).equals(whole)
    rows = [(row["method"], row["path"], row["entries"]) for row in whole.to_pylist()]
    assert fates(rows) == fates([(method, path, 1) for method, path in asked])


def test_thousands_of_paths_fold_into_as_many_rows_as_there_are_answers() -> None:
    asked: list[tuple[str | None, str | None]] = [("GET", f"/v{n % 3}/{n}") for n in range(5000)]

    folded = _folded(mesh_in({"documents": [routed("api.example.com")]}), asked)

    assert [(row["path"], row["entries"]) for row in folded.to_pylist()] == [("/v0/0", 3333), ("/v1/1", 1667)]
