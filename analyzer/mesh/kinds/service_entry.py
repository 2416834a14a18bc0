"""ServiceEntry: host names that the mesh is told of."""

from collections import defaultdict

from analyzer.mesh.fields import (
    Fields,
    common,
    mapping,
    mappings,
    number_map,
    optional_text,
    selector,
    text,
    text_map,
    texts,
    word,
)
from analyzer.mesh.kinds import NETWORKING, MeshKind
from analyzer.mesh.objects import Document
from analyzer.mesh.parts import port_of
from analyzer.mesh.services import Endpoint, ServiceEntry
from analyzer.vocabulary import Location, Resolution


def service_entry_of(document: Document) -> ServiceEntry:
    """A ServiceEntry document as a value. Raises `ValueError` or `TypeError` where a field has the wrong shape."""
    spec, status = mapping(document.content, "spec"), mapping(document.content, "status")
    return ServiceEntry(
        **common(document),
        hosts=texts(spec, "hosts"),
        ports=tuple(port_of(port) for port in mappings(spec, "ports")),
        addresses=texts(spec, "addresses"),
        location=word(spec, "location", Location, Location.MESH_EXTERNAL),
        resolution=word(spec, "resolution", Resolution, Resolution.NONE),
        endpoints=tuple(_endpoint(endpoint) for endpoint in mappings(spec, "endpoints")),
        workload_selector=selector(spec, "workloadSelector", "labels"),
        export_to=texts(spec, "exportTo"),
        subject_alt_names=texts(spec, "subjectAltNames"),
        auto_addresses=_auto_addresses(status),
    )


def _endpoint(endpoint: Fields) -> Endpoint:
    return Endpoint(
        text(endpoint, "address"),
        number_map(endpoint, "ports"),
        text_map(endpoint, "labels"),
        optional_text(endpoint, "network"),
    )


def _auto_addresses(status: Fields) -> dict[str, tuple[str, ...]]:
    """`status.addresses`: what istiod allocated for each host."""
    found: dict[str, list[str]] = defaultdict(list)
    for address in mappings(status, "addresses"):
        found[text(address, "host")].append(text(address, "value"))
    return {host: tuple(values) for host, values in found.items()}


KIND = MeshKind("ServiceEntry", NETWORKING, "service_entries", service_entry_of)
