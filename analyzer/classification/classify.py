"""Classify entries by the column: facts from dictionaries, the truth table once per distinct set of facts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.classification.codes import Coded, Codes, Flags, enumerated
from analyzer.classification.destination import destinations
from analyzer.classification.kinds import (
    ClusterKind,
    DetailsKind,
    Failure,
    MethodKind,
    ProtocolKind,
    RouteKind,
    cluster_kind,
    details_kind,
    failure_of,
    flags_of,
    method_kind,
    protocol_kind,
    route_kind,
)
from analyzer.classification.kinds import Flags as ResponseFlags
from analyzer.classification.truth_table import Facts, conclude
from analyzer.vocabulary import CLASS_OF, ApplicationProtocol, Direction, EgressClass, Mechanism, Result

_MECHANISMS, _DIRECTIONS, _RESULTS = list(Mechanism), list(Direction), list(Result)
_CLASSES = list(EgressClass)
_CLASS_OF_MECHANISM = np.array([_CLASSES.index(CLASS_OF[mechanism]) for mechanism in _MECHANISMS], np.int32)
_PROTOCOLS = list(ApplicationProtocol)
_GRPC_PATH = r"^/[A-Za-z_]\w*(\.[A-Za-z_]\w*)+/[A-Za-z_]\w*$"


def classify(
    columns: Mapping[str, pa.Array],
    *,
    tampered: Flags | None = None,
    knows_policy: bool = True,
    knows_details: bool = True,
) -> dict[str, pa.Array]:
    """Derive the classification columns of the contract from the access-log columns (one chunk each).

    `tampered` marks rows whose client-written fields were forged, `knows_policy` and `knows_details` say whether
    the rows' format logs cluster and route, and response code details, at all.
    """
    coded = {name: Coded(column) for name, column in columns.items() if pa.types.is_dictionary(column.type)}
    rows = len(coded["upstream_cluster"])
    forged = np.zeros(rows, bool) if tampered is None else tampered
    # A format may leave the protocol out; only a request has a method or an authority.
    http = coded["protocol"].known | coded["method"].known | coded["authority"].known | forged
    clusters = coded["upstream_cluster"].map(cluster_kind, ClusterKind.ABSENT)
    methods = coded["method"].map(method_kind, MethodKind.ABSENT)
    protocols = coded["protocol"].map(protocol_kind, ProtocolKind.ABSENT)
    parts: list[tuple[Codes | Flags, int]] = [
        (http, 2),
        (protocols, len(ProtocolKind)),
        (methods, len(MethodKind)),
        (_response_codes(columns["response_code"]), 1001),
        (coded["response_flags"].codes + 1, len(coded["response_flags"].values) + 1),
        (coded["response_code_details"].map(details_kind, DetailsKind.ABSENT), len(DetailsKind)),
        (clusters, len(ClusterKind)),
        (coded["route_name"].map(route_kind, RouteKind.ABSENT), len(RouteKind)),
        (coded["upstream_transport_failure_reason"].map(failure_of, Failure.ABSENT), len(Failure)),
        (coded["upstream_host"].known, 2),
        (coded["requested_server_name"].known, 2),
        (_own_address(columns, clusters), 2),
        (coded["connection_termination_details"].map(_denies, 0), 2),
    ]
    combined = np.zeros(rows, np.int64)
    for codes, size in parts:
        combined *= size
        combined += codes
    encoded = pa.array(combined).dictionary_encode()
    flags = [ResponseFlags(0)] + [flags_of(value) for value in coded["response_flags"].values]
    concluded = [
        conclude(_facts(number, [size for _, size in parts], flags, knows_policy, knows_details))
        for number in encoded.dictionary.to_pylist()
    ]
    which = np.asarray(encoded.indices)
    mechanisms = _take([_MECHANISMS.index(conclusion.mechanism) for conclusion in concluded], which)
    directions = _take([_DIRECTIONS.index(conclusion.direction) for conclusion in concluded], which)
    results = _take([_RESULTS.index(conclusion.result) for conclusion in concluded], which)
    grpc = _grpc(columns, http, protocols, methods, coded["user_agent"])
    return {
        "direction": enumerated(directions, _DIRECTIONS),
        "egress_class": enumerated(_CLASS_OF_MECHANISM[mechanisms], _CLASSES),
        "mechanism": enumerated(mechanisms, _MECHANISMS),
        "result": enumerated(results, _RESULTS),
        **destinations(coded, http, clusters),
        "application_protocol": enumerated(_protocols(http, grpc, coded["requested_server_name"].known), _PROTOCOLS),
    }


def _facts(number: int, sizes: list[int], flags: list[ResponseFlags], knows_policy: bool, knows_details: bool) -> Facts:
    """Take a combined number apart again."""
    digits: list[int] = []
    for size in reversed(sizes):
        number, digit = divmod(number, size)
        digits.append(digit)
    http, protocol, method, code, flag, details, cluster, route, failure, connected, sni, own, denied = reversed(digits)
    return Facts(
        http=bool(http),
        protocol=ProtocolKind(protocol),
        method=MethodKind(method),
        code=None if code == 1000 else code,
        flags=flags[flag],
        details=DetailsKind(details),
        cluster=ClusterKind(cluster),
        route=RouteKind(route),
        failure=Failure(failure),
        connected=bool(connected),
        named_by_sni=bool(sni),
        own_address=bool(own),
        denied_connection=bool(denied),
        knows_policy=knows_policy,
        knows_details=knows_details,
    )


def _take(values: list[int], which: Any) -> Codes:
    return np.array(values, np.int32)[which] if values else np.zeros(0, np.int32)


def _response_codes(column: pa.Array) -> Any:
    """Statuses as small numbers; 1000 stands for unknown."""
    codes = np.asarray(column.fill_null(1000)).astype(np.int64)
    return np.where((codes < 0) | (codes > 1000), 999, codes)


def _denies(details: str) -> int:
    return int("rbac_access_denied" in details)


def _own_address(columns: Mapping[str, pa.Array], clusters: Codes) -> Flags:
    """Whether the dialled address is the proxy's own, as on a gateway; only asked where a cluster was reached."""
    asked: Flags = np.isin(clusters, (ClusterKind.MESH_SERVICE, ClusterKind.SERVICE_ENTRY))
    if not asked.any():
        return asked
    dialled = columns["downstream_local_address"]
    prefixes = pc.ascii_rtrim(dialled.dictionary, "0123456789").take(dialled.indices)
    own = pc.ascii_rtrim(columns["upstream_local_address"], "0123456789")
    same: Flags = asked & np.asarray(pc.equal(prefixes, own).fill_null(False))
    return same


def _grpc(columns: Mapping[str, pa.Array], http: Flags, protocols: Codes, methods: Codes, agents: Coded) -> Flags:
    """gRPC is POST over HTTP/2 by a gRPC client or to a gRPC path; the block's own answer of 200 proves it too."""
    candidates: Flags = http & (protocols == ProtocolKind.HTTP2) & (methods == MethodKind.POST)
    if not candidates.any():
        return candidates
    by_agent = agents.map(lambda agent: int("grpc" in agent.lower()), 0).astype(bool)
    rows = np.flatnonzero(candidates)
    paths = pc.match_substring_regex(columns["path"].take(pa.array(rows)), _GRPC_PATH)
    by_path = np.zeros(len(candidates), bool)
    by_path[rows] = np.asarray(paths.fill_null(False))
    routes = columns["route_name"]
    refused = np.asarray(pc.equal(routes.dictionary, "block_all").take(routes.indices).fill_null(False))
    answered = np.asarray(pc.equal(columns["response_code"], 200).fill_null(False))
    proven: Flags = candidates & (by_agent | by_path | (refused & answered))
    return proven


def _protocols(http: Flags, grpc: Flags, named_by_sni: Flags) -> Codes:
    plain = np.where(named_by_sni, _PROTOCOLS.index(ApplicationProtocol.TLS), _PROTOCOLS.index(ApplicationProtocol.TCP))
    web = np.where(grpc, _PROTOCOLS.index(ApplicationProtocol.GRPC), _PROTOCOLS.index(ApplicationProtocol.HTTP))
    protocols: Codes = np.where(http, web, plain).astype(np.int32)
    return protocols
