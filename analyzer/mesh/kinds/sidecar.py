"""Sidecar: what the proxies of a namespace or workload are told of, and their outbound policy."""

from analyzer.mesh.fields import Fields, common, mapping, mappings, optional_text, selector, text, texts
from analyzer.mesh.kinds import NETWORKING, MeshKind
from analyzer.mesh.objects import Document
from analyzer.mesh.parts import outbound_policy_of, port_of
from analyzer.mesh.scoping import EgressListener, Sidecar


def sidecar_of(document: Document) -> Sidecar:
    """A Sidecar document as a value. Raises `ValueError` or `TypeError` where a field has the wrong shape."""
    spec = mapping(document.content, "spec")
    listeners = tuple(_listener(listener) for listener in mappings(spec, "egress"))
    return Sidecar(
        **common(document),
        workload_selector=selector(spec, "workloadSelector", "labels"),
        egress=listeners or None,
        outbound_policy=outbound_policy_of(spec),
    )


def _listener(listener: Fields) -> EgressListener:
    port = mapping(listener, "port")
    return EgressListener(
        texts(listener, "hosts"),
        port_of(port) if port else None,
        text(listener, "bind"),
        optional_text(listener, "captureMode") or "DEFAULT",
    )


KIND = MeshKind("Sidecar", NETWORKING, "sidecars", sidecar_of)
