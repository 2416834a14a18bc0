"""Names inside the cluster: a scope problem, not a ServiceEntry's matter."""

from functools import lru_cache

from analyzer.classification.names import is_smuggled
from analyzer.detection.detector import Context
from analyzer.detection.texts import shown
from analyzer.evidence import Destination, Reason
from analyzer.mesh.tenants import public_suffixes
from analyzer.vocabulary import EgressClass, Verdict

_MULTICLUSTER = "clusterset.local"
"""Kubernetes multi-cluster services (KEP-1645)."""


class ClusterName:
    """Kubernetes' DNS names of services, the names that Istio makes up for its own hops, and names of one label."""

    name = "cluster_name"
    verdict = Verdict.INTERNAL
    position = 60
    summary = "The name is a Kubernetes service's, or has only one label."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """In-mesh traffic needs nothing; a cluster name that policy did not know is out of scope somewhere."""
        host = destination.key.host
        if destination.by_class.get(EgressClass.IN_MESH):
            return Reason(self.name, "A Kubernetes service in the mesh; the registry knows it already.")
        if host is None or is_smuggled(host):
            return None
        labels = host.split(".")
        if len(labels) == 1 or labels[-1] == "localhost":
            return Reason(self.name, f"{shown(host)} is resolved inside the cluster or the pod itself, not outside.")
        domains = (*context.settings.networks.cluster_domains, _MULTICLUSTER, "svc")
        if host.startswith("outbound_.") or host.endswith(tuple(f".{domain}" for domain in domains)):
            return Reason(self.name, f"{shown(host)} is a name inside the cluster: {_advice(destination)}.")
        if len(labels) == 2 and labels[1] in context.namespaces and not _is_top_level(labels[1]):
            return Reason(self.name, f"{shown(host)} is a service's name with its namespace: {_advice(destination)}.")
        return None


def _advice(destination: Destination) -> str:
    if destination.by_class.keys() & {EgressClass.BLOCKED, EgressClass.PASSTHROUGH}:
        return "the proxy did not know it, so look at exportTo, the Sidecar's egress hosts and the port"
    return "a Kubernetes service, not a ServiceEntry's matter"


@lru_cache(maxsize=1 << 12)
def _is_top_level(label: str) -> bool:
    """Whether a namespace is also a domain of the internet, as `dev` and `app` are."""
    return public_suffixes(unknown=False).publicsuffix(label) is not None


DETECTOR = ClusterName()
