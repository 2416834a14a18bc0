"""Rules on Kubernetes' own objects, as far as they decide what the proxies do."""

import difflib
from collections.abc import Iterator

from analyzer.mesh.protocols import kubernetes_protocol
from analyzer.validation.node import Problem
from analyzer.validation.rule import rule
from analyzer.validation.selecting import is_ambient
from analyzer.validation.subject import Inventory, Subject
from analyzer.vocabulary import Severity

_ANALYZERS = "istio/istio pkg/config/analysis/analyzers"
_SYSTEM = frozenset(("kube-system", "kube-public", "kube-node-lease", "local-path-storage"))
_INJECTION, _REVISION = "istio-injection", "istio.io/rev"
_DIRECTIONS = ("traffic.sidecar.istio.io/include", "traffic.sidecar.istio.io/exclude")
_ANNOTATIONS = (
    "networking.istio.io/exportTo",
    "proxy.istio.io/config",
    "proxy.istio.io/overrides",
    "sidecar.istio.io/inject",
    "sidecar.istio.io/interceptionMode",
    "sidecar.istio.io/proxyUID",
    "traffic.sidecar.istio.io/excludeInterfaces",
    "traffic.sidecar.istio.io/kubevirtInterfaces",
    *(f"{start}{what}" for start in _DIRECTIONS for what in ("InboundPorts", "OutboundPorts", "OutboundIPRanges")),
)
"""What decides which traffic the proxy sees (istio/api annotation/annotations.yaml); there are many more."""
_CLOSE = 0.85
"""Of two annotations, the share that is equal; one of a newer Istio is not taken for an old one misspelled."""


@rule(
    "namespace_not_injected",
    Severity.INFO,
    kinds=("Namespace",),
    istio_code="IST0102",
    source=f"{_ANALYZERS}/injection/injection.go",
)
def namespace_not_injected(subject: Subject) -> Iterator[Problem]:
    """A namespace says whether it has sidecars; pods without one call whom they like, and no log shows it."""
    labels, name = subject.metadata["labels"], subject.document.name
    if name in _SYSTEM or name == subject.mesh.root_namespace or is_ambient(subject):
        return
    if not labels[_INJECTION].text and not labels[_REVISION].is_set and not subject.mesh.index(_injects_by_default):
        yield subject.metadata["name"].problem(
            "no label says whether sidecars are injected, so there are none", f"{_INJECTION}: enabled, or disabled"
        )


@rule(
    "namespace_injected_twice",
    Severity.WARNING,
    kinds=("Namespace",),
    istio_code="IST0123",
    source=f"{_ANALYZERS}/injection/injection.go",
)
def namespace_injected_twice(subject: Subject) -> Iterator[Problem]:
    """A namespace has one label of injection: `istio-injection` or `istio.io/rev`."""
    labels = subject.metadata["labels"]
    if labels[_INJECTION].text and labels[_REVISION].is_set and subject.document.name not in _SYSTEM:
        yield labels[_REVISION].problem(
            f"{_INJECTION} and {_REVISION} say two things; istio-injection counts", "one of the two labels"
        )


@rule(
    "service_port_unnamed",
    Severity.INFO,
    kinds=("Service",),
    istio_code="IST0118",
    source=f"{_ANALYZERS}/service/portname.go",
)
def service_port_unnamed(subject: Subject) -> Iterator[Problem]:
    """A Service's port is named for its protocol, or says `appProtocol`; else the proxies look at the bytes."""
    if _is_none_of_ours(subject) or _is_external(subject):
        return
    for port in subject.spec["ports"].mappings():
        app = port["appProtocol"]
        known = port["name"].text, port["protocol"].text, app.text if app.is_set else None
        if kubernetes_protocol(port["port"].number or 0, *known) == "":
            yield port["name"].problem(
                f"the name {port['name'].text!r} says no protocol, so the proxies look at the bytes",
                "http-web or tcp-db, or appProtocol",
            )


@rule(
    "service_external_name_tcp",
    Severity.WARNING,
    kinds=("Service",),
    istio_code="IST0150",
    source=f"{_ANALYZERS}/service/portname.go",
    until=(1, 21),
)
def service_external_name_tcp(subject: Subject) -> Iterator[Problem]:
    """The port of an ExternalName Service says a protocol other than tcp: before 1.21 it takes its port for all."""
    if _is_none_of_ours(subject) or not _is_external(subject):
        return
    for port in subject.spec["ports"].mappings():
        app = port["appProtocol"]
        known = port["name"].text, port["protocol"].text, app.text if app.is_set else None
        if port["name"].text == "tcp" or kubernetes_protocol(port["port"].number or 0, *known) == "":
            yield port["name"].problem(
                f"port {port['port'].number} of an ExternalName Service takes whatever is sent there", "name: tls-443"
            )


@rule(
    "annotation_misspelled",
    Severity.WARNING,
    kinds=("Namespace", "Pod", "Service"),
    istio_code="IST0108",
    source=f"{_ANALYZERS}/annotations/annotations.go",
)
def annotation_misspelled(subject: Subject) -> Iterator[Problem]:
    """An annotation of Istio's is spelled as Istio spells it; it takes no notice of another spelling."""
    for name, value in subject.metadata["annotations"].pairs():
        if name.partition("/")[0].endswith("istio.io") and name not in _ANNOTATIONS:
            close = difflib.get_close_matches(name, _ANNOTATIONS, 1, _CLOSE)
            if close:
                yield value.problem(f"Istio has no annotation {name!r}, so it does nothing", close[0])


def _is_none_of_ours(subject: Subject) -> bool:
    labels = subject.metadata["labels"]
    return subject.namespace in _SYSTEM or labels["istio"].is_set or labels["release"].text == "istio"


def _is_external(subject: Subject) -> bool:
    return subject.spec["type"].text == "ExternalName"


def _injects_by_default(mesh: Inventory) -> bool:
    """`enableNamespacesByDefault` of the injector's ConfigMap, JSON that is found in its text."""
    return any(
        '"enableNamespacesByDefault": true' in item.root["data"]["values"].text
        for item in mesh.of_kind("ConfigMap")
        if item.document.name.startswith("istio-sidecar-injector")
    )
