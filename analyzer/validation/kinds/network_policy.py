"""NetworkPolicy (kubernetes/api networking/v1/types.go)."""

from typing import Any

from analyzer.validation.common_fields import LABELS, NUMBER, TEXT, TEXTS
from analyzer.validation.shape import Kind, Leaf, Words

_SELECTOR = {
    "matchLabels": LABELS,
    "matchExpressions": [{"key": TEXT, "operator": Words(("In", "NotIn", "Exists", "DoesNotExist")), "values": TEXTS}],
}
_PEERS: list[Any] = [
    {"podSelector": _SELECTOR, "namespaceSelector": _SELECTOR, "ipBlock": {"cidr": TEXT, "except": TEXTS}}
]
_PORTS: list[Any] = [{"protocol": Words(("TCP", "UDP", "SCTP")), "port": Leaf.PORT, "endPort": NUMBER}]

KIND = Kind(
    name="NetworkPolicy",
    group="networking.k8s.io",
    versions={"v1": None},
    spec={
        "podSelector": _SELECTOR,
        "policyTypes": [Words(("Ingress", "Egress"))],
        "ingress": [{"from": _PEERS, "ports": _PORTS}],
        "egress": [{"to": _PEERS, "ports": _PORTS}],
    },
)
