"""WorkloadEntry: a workload outside Kubernetes that a ServiceEntry may select."""

from analyzer.mesh.fields import common, mapping, number_map, optional_text, text, text_map
from analyzer.mesh.kinds import NETWORKING, MeshKind
from analyzer.mesh.objects import Document
from analyzer.mesh.services import WorkloadEntry


def workload_entry_of(document: Document) -> WorkloadEntry:
    """A WorkloadEntry document as a value; `spec.labels` are what selectors look at."""
    spec, known = mapping(document.content, "spec"), common(document)
    return WorkloadEntry(
        **{**known, "labels": {**known["labels"], **text_map(spec, "labels")}},
        address=text(spec, "address"),
        ports=number_map(spec, "ports"),
        network=optional_text(spec, "network"),
    )


KIND = MeshKind("WorkloadEntry", NETWORKING, "workload_entries", workload_entry_of)
