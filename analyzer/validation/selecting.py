"""Which pods a selector takes, and which of them have no sidecar."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from analyzer.validation.node import Node
from analyzer.validation.subject import Inventory, Subject

_DATAPLANE, _REDIRECTION = "istio.io/dataplane-mode", "ambient.istio.io/redirection"


def labels_of(node: Node) -> dict[str, str]:
    """The pairs of a mapping whose values are texts."""
    return {key: value.text for key, value in node.pairs()}


def selects(selector: Mapping[str, str], pod: Subject) -> bool:
    """Whether a selector of labels takes a pod."""
    labels = labels_of(pod.metadata["labels"])
    return all(labels.get(key) == value for key, value in selector.items())


def pods_of(mesh: Inventory) -> dict[str, list[Subject]]:
    """Pods by namespace."""
    found: dict[str, list[Subject]] = defaultdict(list)
    for pod in mesh.of_kind("Pod"):
        found[pod.namespace].append(pod)
    return found


def selected(mesh: Inventory, selector: Mapping[str, str], namespaces: Iterable[str]) -> list[Subject]:
    """The pods of some namespaces that a selector takes."""
    pods = mesh.index(pods_of)
    return [pod for namespace in namespaces for pod in pods.get(namespace, ()) if selects(selector, pod)]


def is_ambient(subject: Subject) -> bool:
    """Whether ztunnel takes the traffic of a pod, or of a namespace's, in place of a sidecar."""
    if subject.kind == "Pod":
        return subject.metadata["annotations"][_REDIRECTION].text == "enabled"
    return subject.metadata["labels"][_DATAPLANE].text == "ambient"


def ambient_namespaces(mesh: Inventory) -> frozenset[str]:
    """The namespaces whose traffic ztunnel takes."""
    return frozenset(item.document.name for item in mesh.of_kind("Namespace") if is_ambient(item))
