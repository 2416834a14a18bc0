"""Which Sidecar holds for a workload, and which services its egress lists import.

Sources: istio/istio pilot/pkg/model/push_context.go (getSidecarScope), pilot/pkg/model/sidecar.go
(selectServices, servicesForExactHosts), istio/api networking/v1alpha3/sidecar.proto.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from analyzer.mesh.scoping import EgressListener, Sidecar
from analyzer.simulation.services import Service
from analyzer.simulation.versions import Version

EVERYTHING = EgressListener(("*/*",))


def candidates(
    sidecars: Sequence[Sidecar], namespace: str, root: str, labels: Sequence[Mapping[str, str]] | None
) -> list[Sidecar | None]:
    """The Sidecars that may hold for a workload, the likeliest first; one where its labels are known.

    A Sidecar that selects the workload comes before one for the whole namespace, that before the root namespace's;
    of several the oldest (`sidecars` are in that order). `labels` are those of its pods, null where nobody gave them.
    """
    own = [item for item in sidecars if item.namespace == namespace]
    selecting = [item for item in own if item.workload_selector]
    general = [item for item in own if not item.workload_selector]
    general += [item for item in sidecars if item.namespace == root and not item.workload_selector]
    otherwise = general[0] if general else None
    if labels is None:
        return [otherwise, *selecting]
    found: dict[int, Sidecar | None] = {}
    for pod in labels:
        chosen = next((item for item in selecting if _selects(item.workload_selector or {}, pod)), otherwise)
        found[id(chosen)] = chosen
    return list(found.values())


def _selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.items())


@dataclass(frozen=True)
class Imports:
    """The `hosts` of an egress listener: pairs of namespace and DNS name to take, and others to leave out."""

    taken: tuple[tuple[str, str], ...]
    left_out: tuple[tuple[str, str], ...] = ()

    def covers(self, namespace: str, host: str) -> bool:
        """Whether a host of a namespace is imported."""
        return _any_covers(self.taken, namespace, host) and not _any_covers(self.left_out, namespace, host)

    @cached_property
    def places(self) -> frozenset[str] | None:
        """The namespaces from which something is taken, null for any."""
        places = frozenset(place for place, _ in self.taken)
        return None if "*" in places else places

    @property
    def are_exact(self) -> bool:
        """Whether every pair names one host of one namespace."""
        return bool(self.taken) and not self.left_out and all("*" not in pair[0] + pair[1] for pair in self.taken)


def imports_of(listener: EgressListener, namespace: str, version: Version) -> Imports:
    """What an egress listener of a Sidecar in a namespace imports."""
    taken: list[tuple[str, str]] = []
    left_out: list[tuple[str, str]] = []
    for written in listener.hosts:
        place, slash, host = written.partition("/")
        if not slash or place == "~":
            continue
        if place.startswith("~"):
            if version >= (1, 31):
                left_out.append((_home(place[1:], namespace), host))
            continue
        taken.append((_home(place, namespace), host))
    if left_out and not taken:
        taken.append(("*", "*"))
    return Imports(tuple(taken), tuple(left_out))


def _home(written: str, namespace: str) -> str:
    return namespace if written == "." else written


def _any_covers(pairs: Iterable[tuple[str, str]], namespace: str, host: str) -> bool:
    return any(place in ("*", namespace) and is_subset(host, pattern) for place, pattern in pairs)


def is_subset(host: str, pattern: str) -> bool:
    """Whether every name that a host stands for is one of the pattern's (pkg/config/host/name.go, SubsetOf)."""
    if pattern == "*" or host == pattern:
        return True
    return pattern.startswith("*") and host.lstrip("*").endswith(pattern[1:]) and len(host) >= len(pattern)


def imported(
    services: Sequence[Service], listener: EgressListener, imports: Imports, version: Version
) -> Sequence[Service]:
    """The services that an egress listener takes, in the order given; `imports` are the listener's own."""
    if listener is EVERYTHING:
        return services
    wanted = _has_port(listener)
    found = [item for item in services if wanted(item) and imports.covers(item.source.namespace, item.host)]
    if version >= (1, 31) and imports.are_exact:
        first: dict[tuple[str, str], Service] = {}
        for item in found:
            first.setdefault((item.source.namespace, item.host), item)
        return list(first.values())
    return found


def _has_port(listener: EgressListener) -> Callable[[Service], bool]:
    port = listener.port
    if port is None or port.protocol == "HTTP_PROXY":
        return lambda service: True
    return lambda service: any(item.number == port.number for item in service.ports)


def in_one_namespace(
    services: Sequence[Service], namespace: str, version: Version, *, has_sidecar: bool
) -> Sequence[Service]:
    """Of the services of one host name only one namespace's survive.

    Since 1.24 the client's own, else a Kubernetes Service's, else the first; with a Sidecar before that the own,
    else the first; 1.22 and 1.23 without one a Kubernetes Service's, else the first; before, every one stays.
    """
    if len(services) < 2 or (version < (1, 22) and not has_sidecar):
        return services
    own_wins, kubernetes_wins = version >= (1, 24) or has_sidecar, version >= (1, 24) or not has_sidecar

    def rank(service: Service) -> int:
        if own_wins and service.source.namespace == namespace:
            return 0
        return 1 if kubernetes_wins and service.is_kubernetes else 2

    home = min(services, key=rank).source.namespace
    return [service for service in services if service.source.namespace == home]
