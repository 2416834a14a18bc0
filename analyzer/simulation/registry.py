"""All services of a mesh in the order in which istiod looks at them.

Sources: istio/istio pilot/pkg/model/push_context.go (servicesExportedToNamespace, SortServicesByCreationTime).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from analyzer.mesh.model import Mesh, ServiceEntry
from analyzer.mesh.objects import MeshObject
from analyzer.simulation.services import Service, services_of
from analyzer.simulation.versions import Version
from analyzer.simulation.visibility import EVERYBODY, Visibilities, scope_of

Item = TypeVar("Item", bound=MeshObject)
_Age = tuple[bool, bool, str, Any]


class Order:
    """By age, oldest first. Where nobody gave a time, any order is possible: `forward` is one, its reverse another."""

    def __init__(self, *, forward: bool) -> None:
        self._forward = forward

    def of(self, items: Iterable[Item]) -> list[Item]:
        """Objects by age, then by name."""
        return self._sorted(list(items), lambda item: (item.name, item.namespace), lambda item: item)

    def of_services(self, services: Iterable[Service]) -> list[Service]:
        """Services by age, then by host, then by namespace."""
        return self._sorted(list(services), lambda item: (item.host, item.source.namespace), lambda item: item.source)

    def _sorted(self, items: list[Any], name: Any, source: Any) -> list[Any]:
        dated: list[Any] = []
        undated: list[Any] = []
        for item in items:
            (undated if source(item).creation_timestamp is None else dated).append(item)
        dated.sort(key=lambda item: (source(item).proposed, source(item).creation_timestamp, *name(item)))
        undated.sort(key=lambda item: (*name(item), source(item).name))
        if not self._forward:
            undated = _reversed_by_source(undated, source)
        both = [*undated, *dated] if self._forward else [*dated, *undated]
        return sorted(both, key=lambda item: source(item).proposed)


def _reversed_by_source(items: list[Any], source: Any) -> list[Any]:
    """Objects the other way round, each one's own services still in their order."""
    groups: dict[int, list[Any]] = {}
    for item in items:
        groups.setdefault(id(source(item)), []).append(item)
    return [item for group in reversed(groups.values()) for item in group]


def is_age_open(one: MeshObject, other: MeshObject) -> bool:
    """Whether nobody knows which of two objects is older."""
    undated = one.creation_timestamp is None or other.creation_timestamp is None
    return one is not other and one.proposed == other.proposed and undated


def is_order_known(items: Iterable[MeshObject]) -> bool:
    """Whether ages say everything: at most one object is undated where others stand beside it."""
    undated: dict[bool, int] = defaultdict(int)
    every: dict[bool, int] = defaultdict(int)
    for item in items:
        every[item.proposed] += 1
        undated[item.proposed] += item.creation_timestamp is None
    return all(undated[proposed] == 0 or every[proposed] == 1 for proposed in every)


def group_of(scope: frozenset[str], item: MeshObject, namespace: str) -> int:
    """Where an object stands for a namespace, before age decides: its own, exported to it by name, public."""
    return 2 if scope == EVERYBODY else int(item.namespace != namespace)


class Registry:
    """The services that each namespace may see, in order: its own that are not public, then what others export to it
    by name, then what is public.
    """

    def __init__(self, mesh: Mesh, version: Version, order: Order, *, captures_dns: bool) -> None:
        visibilities, default = Visibilities(mesh, version), mesh.config.service_export_to
        public: list[Service] = []
        private: dict[str, list[Service]] = defaultdict(list)
        scopes: dict[int, frozenset[str]] = {}
        for service in services_of(mesh, version, captures_dns=captures_dns):
            source = service.source
            scope = scopes.get(id(source))
            if scope is None:
                scope = scope_of(source, source.export_to, default)
                if isinstance(source, ServiceEntry):
                    scope = visibilities.capped(source, scope)
                scopes[id(source)] = scope
            if scope == EVERYBODY:
                public.append(service)
            else:
                for namespace in scope:
                    private[namespace].append(service)
        self.public = order.of_services(public)
        self._private = {
            namespace: sorted(
                order.of_services(services), key=lambda item: group_of(scopes[id(item.source)], item.source, namespace)
            )
            for namespace, services in private.items()
        }
        self._homes = {service.source.namespace for service in self.public}

    def visible_in(self, namespace: str) -> list[Service]:
        """What proxies of a namespace may learn of."""
        return [*self._private.get(namespace, ()), *self.public]

    def group_of(self, service: Service, namespace: str) -> int:
        """Which of the groups of `visible_in` a service is in; only within one does age decide."""
        alone = any(item is service for item in self._private.get(namespace, ()))
        return group_of(frozenset((namespace,)) if alone else EVERYBODY, service.source, namespace)

    def is_like_any_other(self, namespace: str) -> bool:
        """Whether nothing is exported to a namespace alone and no public service lives there."""
        return namespace not in self._private and namespace not in self._homes


def visible_entries(mesh: Mesh, namespace: str, version: Version = (1, 31)) -> Sequence[ServiceEntry]:
    """The ServiceEntries that proxies of a namespace may learn of, in Istio's order, each once."""
    registry = Registry(mesh, version, Order(forward=True), captures_dns=False)
    found = {id(service.source): service.source for service in registry.visible_in(namespace)}
    return [source for source in found.values() if isinstance(source, ServiceEntry)]
