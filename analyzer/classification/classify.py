"""Classify entries by the column: facts from dictionaries, the truth table once per distinct set of facts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.classification.codes import Coded, Flags, enumerated, looked_up
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
from analyzer.dictionaries import Codes, joined
from analyzer.vocabulary import CLASS_OF, ApplicationProtocol, Direction, EgressClass, Mechanism, Result

_MECHANISMS, _DIRECTIONS, _RESULTS = list(Mechanism), list(Direction), list(Result)
_CLASSES = list(EgressClass)
_CLASS_OF_MECHANISM = np.array([_CLASSES.index(CLASS_OF[mechanism]) for mechanism in _MECHANISMS], np.int32)
_PROTOCOLS = list(ApplicationProtocol)
_SPOKEN = (
    *(ApplicationProtocol.TCP, ApplicationProtocol.TLS) * 2,
    *(ApplicationProtocol.HTTP,) * 2,
    *(ApplicationProtocol.GRPC,) * 2,
)
"""By whether an entry is of a request, whether that is gRPC, and whether a server was named, in bits."""
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
    parts: dict[str, tuple[Codes | Flags, int]] = {
        "http": (http, 2),
        "connected": (coded["upstream_host"].known, 2),
        "named_by_sni": (coded["requested_server_name"].known, 2),
        "own_address": (_own_address(columns, clusters), 2),
        "denied_connection": (coded["connection_termination_details"].map(_denies, 0), 2),
        "protocol": (protocols, len(ProtocolKind)),
        "method": (methods, len(MethodKind)),
        "failure": (coded["upstream_transport_failure_reason"].map(failure_of, Failure.ABSENT), len(Failure)),
        "route": (coded["route_name"].map(route_kind, RouteKind.ABSENT), len(RouteKind)),
        "cluster": (clusters, len(ClusterKind)),
        "details": (coded["response_code_details"].map(details_kind, DetailsKind.ABSENT), len(DetailsKind)),
        "code": (_response_codes(columns["response_code"]), 1001),
        "flags": (coded["response_flags"].codes + 1, len(coded["response_flags"].values) + 1),
    }
    encoded = pa.array(joined(parts.values())).dictionary_encode()
    flags = [ResponseFlags(0)] + [flags_of(value) for value in coded["response_flags"].values]
    sizes = {name: size for name, (_, size) in parts.items()}
    concluded = [
        conclude(_facts(number, sizes, flags, knows_policy, knows_details)) for number in encoded.dictionary.to_pylist()
    ]
    which = np.asarray(encoded.indices)
    mechanisms = looked_up([_MECHANISMS.index(conclusion.mechanism) for conclusion in concluded], which)
    directions = looked_up([_DIRECTIONS.index(conclusion.direction) for conclusion in concluded], which)
    results = looked_up([_RESULTS.index(conclusion.result) for conclusion in concluded], which)
    grpc = _grpc(columns, coded, http & (protocols == ProtocolKind.HTTP2) & (methods == MethodKind.POST))
    return {
        "direction": enumerated(directions, _DIRECTIONS),
        "egress_class": enumerated(_CLASS_OF_MECHANISM[mechanisms], _CLASSES),
        "mechanism": enumerated(mechanisms, _MECHANISMS),
        "result": enumerated(results, _RESULTS),
        **destinations(coded, http, clusters),
        "application_protocol": enumerated(_protocols(http, grpc, coded["requested_server_name"].known), _PROTOCOLS),
    }


def _facts(
    number: int, sizes: Mapping[str, int], flags: list[ResponseFlags], knows_policy: bool, knows_details: bool
) -> Facts:
    """Take a joined number apart again."""
    digits: dict[str, int] = {}
    for name in reversed(list(sizes)):
        number, digits[name] = divmod(number, sizes[name])
    return Facts(
        http=bool(digits["http"]),
        protocol=ProtocolKind(digits["protocol"]),
        method=MethodKind(digits["method"]),
        code=None if digits["code"] == 1000 else digits["code"],
        flags=flags[digits["flags"]],
        details=DetailsKind(digits["details"]),
        cluster=ClusterKind(digits["cluster"]),
        route=RouteKind(digits["route"]),
        failure=Failure(digits["failure"]),
        connected=bool(digits["connected"]),
        named_by_sni=bool(digits["named_by_sni"]),
        own_address=bool(digits["own_address"]),
        denied_connection=bool(digits["denied_connection"]),
        knows_policy=knows_policy,
        knows_details=knows_details,
    )


def _response_codes(column: pa.Array) -> Any:
    """Statuses as small numbers; 1000 stands for unknown."""
    codes = np.asarray(column.fill_null(1000))
    beyond = (codes < 0) | (codes > 1000)
    return np.where(beyond, 999, codes) if beyond.any() else codes


def _denies(details: str) -> int:
    return int("rbac_access_denied" in details)


def _own_address(columns: Mapping[str, pa.Array], clusters: Codes) -> Flags:
    """Whether the dialled address is the proxy's own, as on a gateway; only asked where a cluster was reached."""
    own: Flags = (clusters == ClusterKind.MESH_SERVICE) | (clusters == ClusterKind.SERVICE_ENTRY)
    if not own.any():
        return own
    dialled = columns["downstream_local_address"]
    prefixes = pc.ascii_rtrim(dialled.dictionary, "0123456789").take(dialled.indices)
    local = pc.ascii_rtrim(columns["upstream_local_address"], "0123456789")
    own &= np.asarray(pc.equal(prefixes, local).fill_null(False))
    return own


def _grpc(columns: Mapping[str, pa.Array], coded: Mapping[str, Coded], candidates: Flags) -> Flags:
    """gRPC is POST over HTTP/2 by a gRPC client or to a gRPC path; the block's own answer of 200 proves it too."""
    rows = np.flatnonzero(candidates)
    if not len(rows):
        return candidates
    by_agent = coded["user_agent"].map(lambda agent: int("grpc" in agent.lower()), 0, rows) > 0
    by_path = np.asarray(pc.match_substring_regex(columns["path"].take(pa.array(rows)), _GRPC_PATH).fill_null(False))
    refused = coded["route_name"].map(lambda route: int(route == "block_all"), 0, rows) > 0
    answered = np.asarray(pc.equal(columns["response_code"].take(pa.array(rows)), 200).fill_null(False))
    proven: Flags = np.zeros(len(candidates), bool)
    proven[rows] = by_agent | by_path | (refused & answered)
    return proven


def _protocols(http: Flags, grpc: Flags, named_by_sni: Flags) -> Codes:
    spoken = http * np.int8(4) + grpc * np.int8(2) + named_by_sni
    return looked_up([_PROTOCOLS.index(protocol) for protocol in _SPOKEN], spoken)
