"""What a namespace sees of a mesh, and what it would see if somebody exported it."""

from analyzer.mesh.model import Mesh, ServiceEntry
from analyzer.readiness.relatives import Near, Relatives
from analyzer.simulation.services import services_of, visible_entries
from analyzer.simulation.versions import version_of


class Sight:
    """The entries of a mesh as the proxies of one namespace see them."""

    def __init__(self, mesh: Mesh, relatives: Relatives, namespace: str, istio_version: str) -> None:
        self.relatives = relatives
        self.is_known = not mesh.is_empty
        self._entries = {entry.reference: entry for entry in mesh.service_entries}
        exported = visible_entries(mesh, namespace)
        self._exported = {entry.reference for entry in exported}
        self._seen = {
            (service.entry.reference, service.host)
            for service in services_of(exported, namespace, version_of(istio_version))
        }
        self._seen_entries = {reference for reference, _ in self._seen}
        self.sidecar = None

    def entry(self, reference: str | None) -> ServiceEntry | None:
        """The entry of a `<namespace>/<name>`."""
        return None if reference is None else self._entries.get(reference)

    def sees(self, near: Near) -> bool:
        """Whether proxies here learn of an entry's host, or of the entry where it came near by its address."""
        return (near.entry.reference, near.pattern) in self._seen or (
            near.pattern not in near.entry.hosts and self.sees_any(near.entry)
        )

    def sees_any(self, entry: ServiceEntry) -> bool:
        """Whether proxies here learn of any host of an entry."""
        return entry.reference in self._seen_entries

    def exported(self, entry: ServiceEntry) -> bool:
        """Whether an entry is exported to this namespace, whatever else hides it."""
        return entry.reference in self._exported

    def hidden(self, entry: ServiceEntry) -> bool:
        """Whether an entry is exported to this namespace, and another one for the same host hides it."""
        return entry.reference in self._exported and entry.reference not in self._seen_entries
