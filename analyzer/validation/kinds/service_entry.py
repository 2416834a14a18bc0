"""ServiceEntry (istio/api networking/v1alpha3/service_entry.proto, workload_entry.proto)."""

from analyzer.validation.common_fields import NETWORKING_VERSIONS, PORT, SELECTOR, TEXTS, WORKLOAD_ENTRY
from analyzer.validation.shape import Kind, Words
from analyzer.vocabulary import Location, Resolution

KIND = Kind(
    name="ServiceEntry",
    group="networking.istio.io",
    versions=NETWORKING_VERSIONS,
    spec={
        "hosts": TEXTS,
        "addresses": TEXTS,
        "ports": [PORT],
        "location": Words(tuple(Location)),
        "resolution": Words(tuple(Resolution)),
        "endpoints": [WORKLOAD_ENTRY],
        "workloadSelector": SELECTOR,
        "exportTo": TEXTS,
        "subjectAltNames": TEXTS,
    },
)
