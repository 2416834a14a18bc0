"""What envelopes claim of the pod that wrote a line, kept only where Kubernetes itself would take it for a name.

Names are checked by Kubernetes' rules (kubernetes/kubernetes staging/src/k8s.io/apimachinery/pkg/util/validation/
validation.go: DNS-1123 subdomain for pods, DNS-1123 label for namespaces and containers), so no control character,
markup or path ever becomes a label. A claim that fails is dropped, the line is not.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from analyzer.parsing.envelopes import NOTHING, Claims
from analyzer.parsing.json_values import dump, load_object

CONTAINER = "container"
"""Key of the container's name; it decides whether a line counts and is no column."""
PROXY_CONTAINER = "istio-proxy"
"""Sidecars, gateways, waypoints and ztunnel all run in a container of this name (istio/istio manifests/charts)."""

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_CLUSTER = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9._:/@]{0,251}[A-Za-z0-9])?")
_RULES = {
    "source_cluster": _CLUSTER,
    "source_namespace": _LABEL,
    "source_workload": _SUBDOMAIN,
    "source_pod": _SUBDOMAIN,
    CONTAINER: _LABEL,
}
_DOCKERSHIM = re.compile(r"/?k8s_(?P<container>[^_]+)_(?P<source_pod>[^_]+)_(?P<source_namespace>[^_]+)_.*")
"""kubernetes/kubernetes pkg/kubelet/dockershim/naming.go, before 1.24."""
_NODE = re.compile(r"[a-z]+~[^~]*~(?P<source_pod>[^~]+)\.(?P<source_namespace>[^~.]+)~[^~]*")
"""`sidecar~IP~POD.NAMESPACE~DOMAIN` (istio/istio pilot/pkg/model/context.go, ServiceNode)."""
_LOG_PATH = re.compile(
    r"(?P<source_pod>[a-z0-9][-a-z0-9.]*)_(?P<source_namespace>[a-z0-9][-a-z0-9]*)"
    r"_(?P<container>[a-z0-9][-a-z0-9]*)-[0-9a-f]{64}(?![0-9a-f])"
)
"""`/var/log/containers/<pod>_<namespace>_<container>-<id>.log`, of which shippers make tags and stream names."""
_PATH_START = ("var.log.containers.", "/var/log/containers/", "containers.", "containers/")

_KEYS = {
    "source_cluster": (
        "kubernetes.cluster_name", "kubernetes.cluster.name", "orchestrator.cluster.name", "k8s.cluster.name",
        "k8s_cluster_name", "kube_cluster_name", "cluster_name", "clusterName", "cluster",
    ),
    "source_namespace": (
        "kubernetes.namespace_name", "kubernetes.namespace", "kubernetes.namespace.name", "kubernetes.pod_namespace",
        "k8s.namespace.name", "k8s_namespace_name", "kubernetes_namespace_name", "kubernetes_namespace",
        "kube_namespace", "io.kubernetes.pod.namespace", "PodNamespace", "namespace_name", "namespaceName", "namespace",
    ),
    "source_workload": (
        "kubernetes.deployment.name", "kubernetes.statefulset.name", "kubernetes.daemonset.name",
        "k8s.deployment.name", "k8s.statefulset.name", "k8s.daemonset.name", "k8s_deployment_name",
        "k8s_statefulset_name", "k8s_daemonset_name", "kube_deployment", "kube_stateful_set", "kube_daemon_set",
    ),
    "source_pod": (
        "kubernetes.pod_name", "kubernetes.pod.name", "kubernetes.pod", "k8s.pod.name", "k8s_pod_name",
        "kubernetes_pod_name", "kube_pod_name", "io.kubernetes.pod.name", "PodName", "pod_name", "podName", "pod",
    ),
    CONTAINER: (
        "kubernetes.container_name", "kubernetes.container.name", "kubernetes.container", "k8s.container.name",
        "k8s_container_name", "kubernetes_container_name", "kube_container_name", "io.kubernetes.container.name",
        "ContainerName", "container_name", "containerName", "container",
    ),
}  # fmt: skip
"""Keys of Fluent Bit's and Fluentd's kubernetes filters, Elastic's ECS, OpenTelemetry's semantic conventions (also
as Loki and Splunk spell them), Datadog's tags, Azure's ContainerLogV2 and the kubelet's Docker labels. What a shipper
puts under a key of its own stands first: the plain words may come out of a line that it parsed into the record."""
_FIRST_WORDS = {word for keys in _KEYS.values() for key in keys for word in (key, key.partition(".")[0])}
_MOST_LEVELS = 3


def claims(**names: str | None) -> dict[str, str]:
    """Those of the names that Kubernetes would take."""
    return {key: name for key, name in names.items() if name and _RULES[key].fullmatch(name)}


def claims_of(known: Mapping[str, Any]) -> Claims:
    """What the metadata of a record says of its writer, under whatever keys a shipper put it."""
    told = {key: known[key] for key in known if key in _FIRST_WORDS or key.partition(".")[0] in _FIRST_WORDS}
    return _claims_of(dump(told)) if told else NOTHING


@lru_cache(maxsize=1 << 12)
def _claims_of(metadata: bytes) -> Claims:
    """One object for one set of metadata: a pod writes many lines."""
    flat: dict[str, str] = {}
    _flatten(load_object(metadata) or {}, "", flat, _MOST_LEVELS)
    found: dict[str, str | None] = {
        label: next((flat[key] for key in keys if key in flat), None) for label, keys in _KEYS.items()
    }
    shim = _DOCKERSHIM.fullmatch(found[CONTAINER] or "")
    if shim is not None:
        found |= shim.groupdict()
    return claims(**found)


def claims_of_path(text: str) -> dict[str, str]:
    """What a tag, a stream name or a file name says that was made of the kubelet's path of a container's log."""
    for start in _PATH_START:
        _, found, rest = text.rpartition(start)
        if found:
            text = rest
            break
    match = _LOG_PATH.match(text)
    return {} if match is None else claims(**match.groupdict())


def claims_of_node(text: Any) -> dict[str, str]:
    """What the name of an Istio proxy's node says of its pod."""
    match = _NODE.fullmatch(text) if isinstance(text, str) else None
    return {} if match is None else claims(**match.groupdict())


def merged(outer: Mapping[str, str], inner: Mapping[str, str]) -> dict[str, str]:
    """The claims of an envelope and of one inside it.

    The outer one was put round by whoever collected the line, the inner one may be text that the pod printed, so
    the outer one wins, and an inner one that names another pod is not listened to at all.
    """
    pod = outer.get("source_pod")
    if pod is not None and inner.get("source_pod", pod) != pod:
        return dict(outer)
    return {**inner, **outer}


def _flatten(known: Mapping[str, Any], before: str, flat: dict[str, str], levels: int) -> None:
    """Keys one inside the other, with dots; a key that holds dots itself may be the line's own and comes second."""
    for key, value in known.items():
        if isinstance(value, dict) and levels:
            _flatten(value, f"{before}{key}.", flat, levels - 1)
    for key, value in known.items():
        single = value[0] if isinstance(value, list) and len(value) == 1 else value
        if isinstance(single, str):
            flat.setdefault(before + key, single)
