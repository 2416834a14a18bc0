"""Gateway (istio/api networking/v1alpha3/gateway.proto)."""

from analyzer.validation.common_fields import LABELS, NETWORKING_VERSIONS, PORT, SERVER_TLS, TEXT, TEXTS
from analyzer.validation.shape import Kind

KIND = Kind(
    name="Gateway",
    group="networking.istio.io",
    versions=NETWORKING_VERSIONS,
    spec={
        "selector": LABELS,
        "servers": [
            {
                "port": PORT,
                "bind": TEXT,
                "hosts": TEXTS,
                "tls": SERVER_TLS,
                "defaultEndpoint": TEXT,
                "name": TEXT,
            }
        ],
    },
)
