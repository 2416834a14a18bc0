"""Telemetry (istio/api telemetry/v1alpha1/telemetry.proto)."""

from analyzer.validation.common_fields import ANY, BOOL, MATCH_LABELS, TARGET_REF, TELEMETRY_VERSIONS, TEXT
from analyzer.validation.shape import Kind, Words

KIND = Kind(
    name="Telemetry",
    group="telemetry.istio.io",
    versions=TELEMETRY_VERSIONS,
    spec={
        "selector": MATCH_LABELS,
        "targetRef": TARGET_REF,
        "targetRefs": [TARGET_REF],
        "tracing": ANY,
        "metrics": ANY,
        "accessLogging": [
            {
                "match": {"mode": Words(("CLIENT_AND_SERVER", "CLIENT", "SERVER"))},
                "providers": [{"name": TEXT}],
                "disabled": BOOL,
                "filter": {"expression": TEXT},
            }
        ],
    },
)
