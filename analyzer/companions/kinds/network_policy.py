"""NetworkPolicy: so that pods cannot go round their sidecar, as far as a network policy can tell.

It sees pods, addresses and ports, never names, and cannot tell the sidecar from the application beside it. What it
closes: UDP, which proxies do not capture, and every port that no entry needs. With the egress gateway companion the
ports that go through the gateway are closed too (istio.io ops/best-practices/security).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from analyzer.companions.companion import CompanionFile, Companions, Situation, Use
from analyzer.companions.objects import manifest
from analyzer.companions.through_gateway import gateway_protocol
from analyzer.evidence import Destination
from analyzer.mesh.model import Port, ServiceEntry
from analyzer.mesh.names import network_of
from analyzer.simulation.registry import visible_entries
from analyzer.versions import version_of
from analyzer.vocabulary import Resolution

_NAME = "egress-audit-egress"
_ANYWHERE = "anywhere"
_EVERY_ADDRESS = (("0.0.0.0/0", "169.254.0.0/16"), ("::/0", "fe80::/10"))
_NAMESPACE = "kubernetes.io/metadata.name"
_NOT_PODS = (
    "The Kubernetes API server, a node's DNS cache and pods on the host network are no pods to a NetworkPolicy: add an "
    "ipBlock for those that are called."
)
_OPEN = (
    "A NetworkPolicy cannot tell the sidecar from its application: on the ports that it leaves open a pod may still go "
    "round the sidecar. The companion egress_gateway closes them."
)


class EgressNetworkPolicy:
    """One policy a namespace: DNS, the cluster, and outside it only what entries need."""

    name = "network_policy"
    summary = "A NetworkPolicy a namespace: DNS, the cluster, and outside only the ports that entries need; no UDP."

    def make(self, situation: Situation) -> Companions:
        """A policy for each namespace that the log shows."""
        behind = "egress_gateway" in situation.settings.proposals.companions
        files = tuple(_policy(situation, namespace, uses, behind=behind) for namespace, uses in situation.uses.items())
        notes = (_NOT_PODS,) if behind else (_NOT_PODS, _OPEN)
        return Companions(files, notes if files else ())


def _policy(situation: Situation, namespace: str, uses: Sequence[Use], *, behind: bool) -> CompanionFile:
    egress: list[dict[str, Any]] = [
        {
            "to": [{"namespaceSelector": {"matchLabels": {_NAMESPACE: situation.settings.companions.dns_namespace}}}],
            "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
        },
        {"to": [{"namespaceSelector": {}}], "ports": [{"protocol": "TCP"}]},
        *_outside(_reached(situation, namespace, _routed(uses) if behind else frozenset())),
    ]
    seen: list[Destination] = [use.destination for use in uses]
    return manifest(
        "network_policy",
        "NetworkPolicy",
        (namespace, _NAME),
        {"podSelector": {}, "policyTypes": ["Egress"], "egress": egress},
        reason="Pods reach DNS, the cluster by TCP, and outside it only the addresses and ports that entries need.",
        seen=seen,
        istio_version=situation.istio_version,
    )


def _routed(uses: Sequence[Use]) -> frozenset[tuple[str, int]]:
    """Hosts and ports that leave through the gateway."""
    return frozenset(
        (use.destination.key.host or "", use.destination.key.destination_port or 0)
        for use in uses
        if gateway_protocol(use) is not None
    )


def _reached(situation: Situation, namespace: str, routed: frozenset[tuple[str, int]]) -> dict[str, set[int]]:
    """By CIDR, the ports that the namespace's entries lead to, used or not; `_ANYWHERE` where DNS tells the address."""
    ports: dict[str, set[int]] = defaultdict(set)
    for entry in visible_entries(situation.applied, namespace, version_of(situation.istio_version)):
        for port in entry.ports:
            if not all((host, port.number) in routed for host in entry.hosts):
                for cidr, number in _targets(entry, port):
                    ports[cidr].add(number)
    for destination in situation.registered_elsewhere[namespace]:
        ports[_ANYWHERE].add(destination.key.destination_port or 0)
    return {cidr: numbers - {0} for cidr, numbers in ports.items() if numbers - {0}}


def _targets(entry: ServiceEntry, port: Port) -> Iterator[tuple[str, int]]:
    """Where the proxy connects to: the endpoints; without any, what the client dialled (NONE) or what DNS answers."""
    number = port.target_port or port.number
    for endpoint in entry.endpoints:
        yield _cidr(endpoint.address), endpoint.ports.get(port.name, number)
    if not entry.endpoints:
        dialled = entry.addresses if entry.resolution is Resolution.NONE else ()
        for address in dialled or (_ANYWHERE,):
            yield _cidr(address), number


def _outside(ports: dict[str, set[int]]) -> list[dict[str, Any]]:
    """One rule for each CIDR; anywhere is every address but those of a node's own link, cloud metadata among them."""
    anywhere = [{"ipBlock": {"cidr": cidr, "except": [local]}} for cidr, local in _EVERY_ADDRESS]
    return [
        {
            "to": anywhere if cidr == _ANYWHERE else [{"ipBlock": {"cidr": cidr}}],
            "ports": [{"protocol": "TCP", "port": number} for number in sorted(numbers)],
        }
        for cidr, numbers in sorted(ports.items())
    ]


def _cidr(address: str) -> str:
    """An address as a CIDR; a name as anywhere."""
    network = network_of(address)
    return _ANYWHERE if network is None else str(network)


COMPANION = EgressNetworkPolicy()
