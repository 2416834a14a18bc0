"""EndpointSlice: which addresses stand behind a Service."""

from analyzer.mesh.fields import common, mapping, mappings, optional_text, texts
from analyzer.mesh.kinds import MeshKind
from analyzer.mesh.objects import Document
from analyzer.mesh.services import EndpointSlice

_SERVICE = "kubernetes.io/service-name"


def endpoint_slice_of(document: Document) -> EndpointSlice | None:
    """An EndpointSlice document as a value, null for one that belongs to no Service."""
    known = common(document)
    service = known["labels"].get(_SERVICE)
    if service is None:
        return None
    addresses = {
        address: optional_text(mapping(endpoint, "targetRef"), "name")
        for endpoint in mappings(document.content, "endpoints")
        if mapping(endpoint, "conditions").get("ready") is not False
        for address in texts(endpoint, "addresses")
    }
    return EndpointSlice(**known, service=service, addresses=addresses)


KIND = MeshKind("EndpointSlice", "discovery.k8s.io", "endpoint_slices", endpoint_slice_of)
