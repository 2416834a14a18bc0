"""WorkloadEntry (istio/api networking/v1alpha3/workload_entry.proto)."""

from analyzer.validation.common_fields import NETWORKING_VERSIONS, WORKLOAD_ENTRY
from analyzer.validation.shape import Kind

KIND = Kind(name="WorkloadEntry", group="networking.istio.io", versions=NETWORKING_VERSIONS, spec=WORKLOAD_ENTRY)
