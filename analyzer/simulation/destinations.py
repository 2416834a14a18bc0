"""Where a route of a VirtualService leads: the cluster of a destination, with its subset.

Sources: istio/istio pilot/pkg/networking/core/route/route.go (GetDestinationCluster), pilot/pkg/model/push_context.go
(destinationRule: the client's namespace, then the service's, then the root's).
"""

from dataclasses import replace

from analyzer.mesh.model import DestinationRule
from analyzer.mesh.routing import RouteDestination
from analyzer.simulation.clusters import Cluster, Clusters
from analyzer.simulation.listeners import Leads
from analyzer.simulation.registry import Registry
from analyzer.simulation.routes import Client, full_host
from analyzer.simulation.services import CLUSTER_DOMAIN
from analyzer.simulation.visibility import EVERYBODY, scope_of


class Destinations:
    """The clusters that routes of one scope may lead to."""

    def __init__(self, registry: Registry, client: Client, clusters: Clusters) -> None:
        self._mesh, self._client, self._clusters = registry.mesh, client, clusters
        self._rules = registry.destination_rules

    def of(self, leads: Leads) -> tuple[Cluster, ...]:
        """The clusters that a route leads to; destinations without weight get no traffic beside others.

        One without a port means a service's only port, else the port dialled; an HTTP route knows services of the
        port dialled alone, so that it is that port there.
        """
        weighted = [item for item in leads.destinations if item.weight > 0] or leads.destinations
        return tuple(self._cluster(item, full_host(item.host, leads.namespace), leads) for item in weighted)

    def _cluster(self, destination: RouteDestination, host: str, leads: Leads) -> Cluster:
        services = self._clusters.services_named(host)
        is_single = bool(services) and len(services[0].ports) == 1 and not leads.http
        number = destination.port or (services[0].ports[0].number if is_single else leads.port)
        if not services and host.endswith(f".svc.{CLUSTER_DOMAIN}") and not self._mesh.services:
            return Cluster(None, note=f"No Service documents say whether {host} exists.")
        cluster = self._clusters.of(host, number)
        if destination.subset is None or cluster.missing is not None:
            return cluster
        if self._has_subset(host, destination.subset, services[0].source.namespace):
            return cluster
        return replace(cluster, missing=f"no DestinationRule visible here gives {host} the subset {destination.subset}")

    def _has_subset(self, host: str, subset: str, namespace: str) -> bool:
        """Subsets are those of the rule that Istio picks, merged with others of its host and namespace."""
        places = [self._client.namespace, namespace, self._mesh.config.root_namespace]
        for place in dict.fromkeys(places):
            rules = [rule for rule in self._rules if rule.namespace == place and self._sees(rule, place)]
            hosts = {full_host(rule.host, rule.namespace) for rule in rules}
            best = max(
                (name for name in hosts if _covers(name, host)),
                key=lambda name: (name[0] != "*", len(name)),
                default=None,
            )
            if best is not None:
                return any(subset in rule.subsets for rule in rules if full_host(rule.host, rule.namespace) == best)
        return False

    def _sees(self, rule: DestinationRule, place: str) -> bool:
        scope = scope_of(rule, rule.export_to, self._mesh.config.destination_rule_export_to)
        return scope == EVERYBODY or self._client.namespace in scope


def _covers(pattern: str, host: str) -> bool:
    return pattern == host or (pattern.startswith("*") and host.endswith(pattern[1:]))
