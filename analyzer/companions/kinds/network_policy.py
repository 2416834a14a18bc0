"""NetworkPolicy: so that pods cannot go round their sidecar, as far as a network policy can tell.

It sees pods, addresses and ports, never names, and cannot tell the sidecar from the application beside it. What it
closes: UDP, which proxies do not capture, and every port that no entry needs. With the egress gateway companion the
ports that go through the gateway are closed too (istio.io ops/best-practices/security).
"""

from collections.abc import Sequence
from typing import Any

from analyzer.companions.companion import CompanionFile, Companions, Situation, Use
from analyzer.companions.objects import manifest
from analyzer.companions.through_gateway import goes_through_gateway
from analyzer.evidence import Destination

_NAME = "egress-audit-egress"
_ANYWHERE = ("0.0.0.0/0", "::/0")
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10")
_PRIVATE_6 = ("fc00::/7", "fe80::/10")
_NAMESPACE = "kubernetes.io/metadata.name"
_NOT_PODS = (
    "The Kubernetes API server and pods on the host network are no pods to a NetworkPolicy: add an ipBlock for those "
    "that are called."
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
    settings = situation.settings.companions
    outside = [use for use in uses if not (behind and goes_through_gateway(use))]
    egress: list[dict[str, Any]] = [
        {
            "to": [{"namespaceSelector": {"matchLabels": {_NAMESPACE: settings.dns_namespace}}}],
            "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
        },
        {"to": [{"namespaceSelector": {}}], "ports": [{"protocol": "TCP"}]},
        *_to_addresses(outside),
        *_to_anywhere(outside, situation.registered_elsewhere[namespace]),
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


def _to_addresses(uses: Sequence[Use]) -> list[dict[str, Any]]:
    """Entries with addresses of their own: those, on their ports."""
    ports: dict[str, set[int]] = {}
    for use in uses:
        for address in use.entry.addresses:
            ports.setdefault(_cidr(address), set()).update(port.number for port in use.entry.ports)
    return [{"to": [{"ipBlock": {"cidr": cidr}}], "ports": _tcp(numbers)} for cidr, numbers in sorted(ports.items())]


def _to_anywhere(uses: Sequence[Use], elsewhere: Sequence[Destination]) -> list[dict[str, Any]]:
    """Entries that go by name or are not known: any address outside the cluster's usual ranges, on their ports."""
    numbers = {port.number for use in uses if not use.entry.addresses for port in use.entry.ports}
    numbers |= {item.key.destination_port for item in elsewhere if item.key.destination_port}
    if not numbers:
        return []
    blocks = [
        {"ipBlock": {"cidr": cidr, "except": list(private)}}
        for cidr, private in zip(_ANYWHERE, (_PRIVATE, _PRIVATE_6), strict=True)
    ]
    return [{"to": blocks, "ports": _tcp(numbers)}]


def _cidr(address: str) -> str:
    if "/" in address:
        return address
    return f"{address}/{128 if ':' in address else 32}"


def _tcp(numbers: set[int]) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": number} for number in sorted(numbers)]


COMPANION = EgressNetworkPolicy()
