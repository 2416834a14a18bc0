"""Sidecar (istio/api networking/v1alpha3/sidecar.proto)."""

from analyzer.validation.common_fields import (
    ANY,
    CONNECTION_POOL,
    DESTINATION,
    NETWORKING_VERSIONS,
    PORT,
    SELECTOR,
    SERVER_TLS,
    TEXT,
    TEXTS,
)
from analyzer.validation.shape import Kind, Words

_CAPTURE = Words(("DEFAULT", "IPTABLES", "NONE"))

KIND = Kind(
    name="Sidecar",
    group="networking.istio.io",
    versions=NETWORKING_VERSIONS,
    spec={
        "workloadSelector": SELECTOR,
        "ingress": [
            {
                "port": PORT,
                "bind": TEXT,
                "captureMode": _CAPTURE,
                "defaultEndpoint": TEXT,
                "tls": SERVER_TLS,
                "connectionPool": CONNECTION_POOL,
            }
        ],
        "egress": [{"port": PORT, "bind": TEXT, "captureMode": _CAPTURE, "hosts": TEXTS}],
        "inboundConnectionPool": ANY,
        "outboundTrafficPolicy": {
            "mode": Words(("REGISTRY_ONLY", "ALLOW_ANY", "ALLOW_ANY_DYNAMIC_DNS")),
            "egressProxy": DESTINATION,
        },
    },
)
