"""DestinationRule (istio/api networking/v1alpha3/destination_rule.proto)."""

from typing import Any

from analyzer.validation.common_fields import (
    ANY,
    CLIENT_TLS,
    CONNECTION_POOL,
    LABELS,
    MATCH_LABELS,
    NETWORKING_VERSIONS,
    NUMBER,
    TEXT,
    TEXTS,
)
from analyzer.validation.shape import Kind, Words

_PORT_POLICY: dict[str, Any] = {
    "port": {"number": NUMBER},
    "loadBalancer": ANY,
    "connectionPool": CONNECTION_POOL,
    "outlierDetection": ANY,
    "tls": CLIENT_TLS,
}
_POLICY: dict[str, Any] = {
    **{name: shape for name, shape in _PORT_POLICY.items() if name != "port"},
    "portLevelSettings": [_PORT_POLICY],
    "tunnel": {"protocol": TEXT, "targetHost": TEXT, "targetPort": NUMBER},
    "proxyProtocol": {"version": Words(("V1", "V2"))},
    "retryBudget": ANY,
}

KIND = Kind(
    name="DestinationRule",
    group="networking.istio.io",
    versions=NETWORKING_VERSIONS,
    spec={
        "host": TEXT,
        "trafficPolicy": _POLICY,
        "subsets": [{"name": TEXT, "labels": LABELS, "trafficPolicy": _POLICY}],
        "exportTo": TEXTS,
        "workloadSelector": MATCH_LABELS,
    },
)
