"""From documents to the mesh: the objects that decide egress, read as leniently as Istio itself would."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from analyzer.mesh.documents import MeshWarning, read_documents
from analyzer.mesh.model import Document, Endpoint, Mesh, Port, ServiceEntry
from analyzer.vocabulary import Location, Resolution

NETWORKING = "networking.istio.io/"
Word = TypeVar("Word", Resolution, Location)


def load_mesh(paths: Sequence[str]) -> tuple[Mesh, list[MeshWarning]]:
    """The mesh that some files describe, and the documents that were not understood.

    Raises `ManifestError` for a path that cannot be read.
    """
    documents, warnings = read_documents(paths)
    return mesh_of(documents, warnings), warnings


def mesh_of(documents: Sequence[Document], warnings: list[MeshWarning]) -> Mesh:
    """The mesh that some documents describe; what is odd in them is added to `warnings`."""
    entries: list[ServiceEntry] = []
    for document in documents:
        if document.kind == "ServiceEntry" and document.api_version.startswith(NETWORKING):
            try:
                entries.append(service_entry_of(document))
            except (TypeError, ValueError, AttributeError) as error:
                origin = document.origin
                warnings.append(
                    MeshWarning(
                        origin.file, origin.document, origin.line, f"{document.reference}: cannot be read: {error}"
                    )
                )
    return Mesh(tuple(entries))


def service_entry_of(document: Document) -> ServiceEntry:
    """A ServiceEntry document as a value. Raises `ValueError` or `TypeError` where a field has the wrong shape."""
    metadata, spec = _mapping(document.content, "metadata"), _mapping(document.content, "spec")
    selector = spec.get("workloadSelector")
    return ServiceEntry(
        namespace=document.namespace,
        name=document.name,
        hosts=_texts(spec, "hosts"),
        ports=tuple(_port(port) for port in _list(spec, "ports")),
        addresses=_texts(spec, "addresses"),
        location=_word(spec, "location", Location, Location.MESH_EXTERNAL),
        resolution=_word(spec, "resolution", Resolution, Resolution.NONE),
        endpoints=tuple(_endpoint(endpoint) for endpoint in _list(spec, "endpoints")),
        workload_selector=None if selector is None else _labels(selector, "labels"),
        export_to=_texts(spec, "exportTo"),
        subject_alt_names=_texts(spec, "subjectAltNames"),
        labels=_labels(metadata, "labels"),
        annotations=_labels(metadata, "annotations"),
        creation_timestamp=_optional_text(metadata.get("creationTimestamp")),
        origin=document.origin,
    )


def _port(port: Mapping[str, Any]) -> Port:
    target = port.get("targetPort")
    return Port(
        int(port["number"]),
        str(port.get("name") or ""),
        str(port.get("protocol") or "").upper(),
        None if target is None else int(target),
    )


def _endpoint(endpoint: Mapping[str, Any]) -> Endpoint:
    ports = {str(name): int(number) for name, number in _mapping(endpoint, "ports").items()}
    return Endpoint(
        str(endpoint.get("address") or ""), ports, _labels(endpoint, "labels"), _optional_text(endpoint.get("network"))
    )


def _mapping(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = content.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{key} must be a mapping")
    return value


def _list(content: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    value = content.get(key)
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(v, Mapping) for v in value):
        raise TypeError(f"{key} must be a list of mappings")
    return value


def _texts(content: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = content.get(key)
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"{key} must be a list")
    return tuple(str(item) for item in value)


def _labels(content: Mapping[str, Any], key: str) -> dict[str, str]:
    return {str(name): str(value) for name, value in _mapping(content, key).items()}


def _word(content: Mapping[str, Any], key: str, words: type[Word], default: Word) -> Word:
    value = content.get(key)
    return default if value is None else words(str(value))


def _optional_text(value: Any) -> str | None:
    return None if value is None else str(value)
