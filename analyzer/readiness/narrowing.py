"""The narrowed entry as a manifest: what was written, with less in it."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from analyzer.mesh.model import Mesh, ServiceEntry
from analyzer.proposals.editing.edits import decoded
from analyzer.proposals.editing.nodes import NotInPlace, find_object
from analyzer.proposals.editing.splices import Lines
from analyzer.proposals.manifest_yaml import as_yaml
from analyzer.readiness.ledger import Ledger

_OF_THE_SERVER = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def narrowed_manifests(mesh: Mesh, ledger: Ledger) -> Iterator[tuple[str, str]]:
    """`<namespace>/<name>` and YAML of each entry that a ledger narrows, as far as its text is at hand."""
    entries = {entry.reference: entry for entry in mesh.service_entries}
    for grant in ledger.grants:
        text = None if grant.narrowed is None else narrowed_yaml(entries[grant.reference], grant.narrowed)
        if text is not None:
            yield grant.reference, text


def narrowed_yaml(original: ServiceEntry, narrowed: ServiceEntry) -> str | None:
    """The entry as it was read, fields that this program knows nothing of included, with the narrower lists.

    Null where nothing is left of what was read.
    """
    origin = original.origin
    if origin is None or origin.text is None:
        return None
    try:
        found = find_object(_lines(origin.text), origin.line, "ServiceEntry", original.namespace, original.name)
        content = found.content
    except NotInPlace:
        return None
    return as_yaml(_with(content, narrowed)) if isinstance(content.get("spec"), Mapping) else None


@lru_cache(maxsize=4)
def _lines(raw: bytes) -> Lines:
    return Lines(decoded(raw))


def _with(content: Mapping[str, Any], narrowed: ServiceEntry) -> dict[str, Any]:
    numbers = {port.number for port in narrowed.ports}
    spec = {**content["spec"], "hosts": list(narrowed.hosts)}
    if "ports" in spec:
        spec["ports"] = [port for port in spec["ports"] if int(port["number"]) in numbers]
    if narrowed.export_to:
        spec["exportTo"] = list(narrowed.export_to)
    metadata = {key: value for key, value in content["metadata"].items() if key not in _OF_THE_SERVER}
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != _LAST_APPLIED}
    if annotations:
        metadata["annotations"] = annotations
    else:
        metadata.pop("annotations", None)
    metadata.setdefault("namespace", narrowed.namespace)
    kept = {key: value for key, value in content.items() if key != "status"}
    return {**kept, "metadata": metadata, "spec": spec}
