"""What a namespace sees of a mesh, and what it would see if somebody exported or listed it.

Sources: istio/istio pilot/pkg/model/push_context.go (exportTo), pilot/pkg/model/sidecar.go (which Sidecar applies,
which hosts it lists, whose entry survives where several namespaces have one for a host).
"""

from analyzer.mesh.model import Mesh, ServiceEntry, Sidecar
from analyzer.mesh.names import covers
from analyzer.readiness.relatives import Near, Relatives
from analyzer.simulation.registry import Order, group_of
from analyzer.simulation.services import Service
from analyzer.simulation.sidecars import in_one_namespace
from analyzer.simulation.versions import version_of
from analyzer.simulation.visibility import EVERYBODY, scope_of


class Sight:
    """The entries of a mesh as the proxies of one namespace see them, where no workload has a Sidecar of its own."""

    def __init__(self, mesh: Mesh, relatives: Relatives, namespace: str, istio_version: str) -> None:
        self.relatives = relatives
        self.is_known = not mesh.is_empty
        self.sidecar = _sidecar(mesh, namespace)
        self._namespace = namespace
        self._default = mesh.config.service_export_to
        self.version = version_of(istio_version)
        self._entries = relatives.entries

    def entry(self, reference: str | None) -> ServiceEntry | None:
        """The entry of a `<namespace>/<name>`."""
        return None if reference is None else self._entries.get(reference)

    def exported(self, entry: ServiceEntry) -> bool:
        """Whether an entry is exported to this namespace, whatever else hides it."""
        return exports_to(entry, self._default, self._namespace)

    def scopes(self, entry: ServiceEntry) -> tuple[str, ...]:
        """Where an entry is exported to, by its own words or the mesh's."""
        return entry.export_to or self._default or ("*",)

    def sees(self, near: Near) -> bool:
        """Whether proxies here learn of an entry's host, or of the entry where it came near by its address."""
        if near.pattern not in near.entry.hosts:
            return self.sees_any(near.entry)
        return self.exported(near.entry) and self._listed(near) and not self._hidden(near)

    def sees_any(self, entry: ServiceEntry) -> bool:
        """Whether proxies here learn of any host of an entry."""
        return any(self.sees(Near(entry, host)) for host in entry.hosts)

    def hidden(self, near: Near) -> bool:
        """Whether an entry is exported and listed here, and another one for the same host hides it."""
        return self.exported(near.entry) and self._listed(near) and self._hidden(near)

    def _hidden(self, near: Near) -> bool:
        """Whether proxies here take the host from another namespace: they learn of one namespace's entries alone."""
        same = [
            other for other in self.relatives.same_host(near.pattern) if other.entry.namespace != near.entry.namespace
        ]
        if not same:
            return False
        rivals = [other.entry for other in (near, *same) if self.exported(other.entry) and self._listed(other)]
        ordered = sorted(
            Order(forward=True).of(rivals), key=lambda entry: group_of(self._scope(entry), entry, self._namespace)
        )
        services = [Service(entry, near.pattern, None) for entry in ordered]
        kept = in_one_namespace(services, self._namespace, self.version, has_sidecar=self.sidecar is not None)
        return all(service.source.namespace != near.entry.namespace for service in kept)

    def _scope(self, entry: ServiceEntry) -> frozenset[str]:
        return scope_of(entry, entry.export_to, self._default)

    def _listed(self, near: Near) -> bool:
        return self.sidecar is None or lists(self.sidecar, near.entry.namespace, near.pattern)


def exports_to(entry: ServiceEntry, default: tuple[str, ...], namespace: str) -> bool:
    """Whether an entry, or the mesh's default where it says nothing, exports it to a namespace."""
    scope = scope_of(entry, entry.export_to, default)
    return scope == EVERYBODY or namespace in scope


def lists(sidecar: Sidecar, namespace: str, host: str) -> bool:
    """Whether some egress listener of a Sidecar takes a host of a namespace; one without egress takes everything."""
    if sidecar.egress is None:
        return True
    return any(
        _takes(pattern, sidecar.namespace, namespace, host) for listener in sidecar.egress for pattern in listener.hosts
    )


def _takes(pattern: str, home: str, namespace: str, host: str) -> bool:
    """`ns/dnsName`: a wildcard host is taken only by a pattern that covers all of it."""
    scope, _, name = pattern.partition("/")
    if scope != "*" and namespace != (home if scope == "." else scope):
        return False
    return name == "*" or name.lower() == host.lower() or (name.startswith("*") and covers(name, host.lstrip("*")))


def _sidecar(mesh: Mesh, namespace: str) -> Sidecar | None:
    """The Sidecar of all workloads of a namespace: its own, else the root namespace's, the oldest of several."""
    for home in (namespace, mesh.config.root_namespace):
        found = [sidecar for sidecar in mesh.sidecars if sidecar.namespace == home and not sidecar.workload_selector]
        if found:
            return min(found, key=lambda sidecar: (sidecar.creation_timestamp or "", sidecar.name))
    return None
