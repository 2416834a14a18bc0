"""What documents say of the pods behind a workload: their labels, and whether their proxies answer DNS.

Sources: istio/istio pkg/bootstrap/config.go (proxy metadata), pilot/pkg/model/context.go (DNSCapture).
"""

import ipaddress
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache

from analyzer.mesh.model import Mesh, Pod
from analyzer.simulation.services import BY_ITSELF

_CAPTURE = "ISTIO_META_DNS_CAPTURE"
_ALLOCATE = "ISTIO_META_DNS_AUTO_ALLOCATE"
_ALLOCATED = tuple(ipaddress.ip_network(network) for network in ("240.240.0.0/16", "2001:2::/48"))
Version = tuple[int, int]


class Workloads:
    """The pods of a mesh by workload."""

    def __init__(self, mesh: Mesh, version: Version) -> None:
        self._metadata, self._version = mesh.config.proxy_metadata, version
        self._pods: dict[tuple[str, str | None], list[Pod]] = defaultdict(list)
        for pod in mesh.pods:
            for workload in {pod.workload, pod.name, None}:
                self._pods[pod.namespace, workload].append(pod)

    def labels_of(self, namespace: str, workload: str | None) -> Sequence[Mapping[str, str]] | None:
        """The distinct labels of a workload's pods (of the whole namespace's where it is null); null if unknown."""
        pods = self._pods.get((namespace, workload))
        if pods is None:
            return None
        return list({tuple(sorted(pod.labels.items())): pod.labels for pod in pods}.values())

    def captures_dns(self, namespace: str, workload: str | None) -> Sequence[bool]:
        """Whether the proxies answer DNS themselves with allocated addresses; both where pods differ."""
        pods = self._pods.get((namespace, workload), ())
        found = {self._captures({**self._metadata, **pod.proxy_metadata}) for pod in pods}
        return sorted(found) or [self._captures(self._metadata)]

    def _captures(self, metadata: Mapping[str, str]) -> bool:
        """DNS capture is off unless switched on; istiod allocates by itself since 1.25, before on request."""
        allocates = self._version >= BY_ITSELF or metadata.get(_ALLOCATE, "").lower() == "true"
        return metadata.get(_CAPTURE, "").lower() == "true" and allocates


@lru_cache(maxsize=1 << 15)
def is_allocated_address(address: str | None) -> bool:
    """Whether an address is of the ranges that istiod allocates from: who dialled it, had it from the proxy's DNS."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    return any(ip.version == network.version and ip in network for network in _ALLOCATED)
