"""Who may see an object: its exportTo, the mesh's defaults, and the ceiling that the mesh sets.

Sources: istio/istio pilot/pkg/model/push_context.go (initServiceRegistry), pilot/pkg/model/serviceentry_visibility.go.
"""

from analyzer.mesh.model import Mesh, ServiceEntry
from analyzer.mesh.objects import MeshObject
from analyzer.mesh.scoping import Visibility
from analyzer.simulation.versions import Version

EVERYBODY = frozenset(("*",))
NOBODY: frozenset[str] = frozenset()


def scope_of(item: MeshObject, export_to: tuple[str, ...], default: tuple[str, ...]) -> frozenset[str]:
    """The namespaces that see an object: their names, `EVERYBODY` or `NOBODY`. Of a default only `.` and `*` count."""
    if not export_to:
        if "." in default:
            return frozenset((item.namespace,))
        return EVERYBODY if "*" in default or not default else NOBODY
    if "*" in export_to:
        return EVERYBODY
    return NOBODY if "~" in export_to else frozenset(item.namespace if name == "." else name for name in export_to)


class Visibilities:
    """The mesh's ceiling on what entries may export (`serviceEntryVisibility`, for sidecars since 1.31)."""

    def __init__(self, mesh: Mesh, version: Version) -> None:
        self._config = mesh.config
        self._applies = version >= (1, 31) and self._config.visibility_applies_to_sidecars
        self._labels = {namespace.name: namespace.labels for namespace in mesh.namespaces}

    def capped(self, entry: ServiceEntry, scope: frozenset[str]) -> frozenset[str]:
        """What is left of an entry's scope under the ceiling."""
        ceiling = self._of(entry.namespace) if self._applies else Visibility.PUBLIC
        if ceiling is Visibility.PUBLIC:
            return scope
        own = frozenset((entry.namespace,))
        return own if ceiling is Visibility.NAMESPACE and (scope == EVERYBODY or scope >= own) else NOBODY

    def _of(self, namespace: str) -> Visibility:
        labels = self._labels.get(namespace, {"kubernetes.io/metadata.name": namespace})
        for policy in self._config.visibility_policies:
            if all(selector is not None and selector.matches(labels) for selector in policy.selectors):
                return policy.visibility
        return self._config.default_visibility
