"""What narrows the mesh for some proxies, and what holds for all: Sidecars, the mesh configuration, Telemetry.

Sources: istio/api networking/v1alpha3/sidecar.proto, mesh/v1alpha1/config.proto, telemetry/v1alpha1/telemetry.proto.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from analyzer.mesh.objects import MeshObject, Port
from analyzer.mesh.routing import RouteDestination
from analyzer.vocabulary import Mode


@dataclass(frozen=True)
class OutboundPolicy:
    """`outboundTrafficPolicy`; where it is written without a mode it means REGISTRY_ONLY, the enum's zero."""

    mode: Mode = Mode.REGISTRY_ONLY
    egress_proxy: RouteDestination | None = None


@dataclass(frozen=True)
class EgressListener:
    """One `Sidecar.egress[]` item; without a port it takes all that no other listener took."""

    hosts: tuple[str, ...]
    port: Port | None = None
    bind: str = ""
    capture_mode: str = "DEFAULT"


@dataclass(frozen=True, kw_only=True)
class Sidecar(MeshObject):
    """`networking.istio.io` Sidecar; `egress` is null where it says nothing, which means everything."""

    workload_selector: Mapping[str, str] | None = None
    egress: tuple[EgressListener, ...] | None = None
    outbound_policy: OutboundPolicy | None = None


class Visibility(StrEnum):
    """`serviceEntryVisibility`: how far an entry may be seen, whatever its exportTo says."""

    PUBLIC = "PUBLIC"
    NAMESPACE = "NAMESPACE"
    NONE = "NONE"


@dataclass(frozen=True)
class LabelSelector:
    """A Kubernetes label selector: `matchLabels`, and `matchExpressions` as (key, operator, values)."""

    labels: Mapping[str, str] = field(default_factory=dict)
    expressions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels fulfil every condition (k8s.io/apimachinery pkg/labels/selector.go)."""
        return all(labels.get(key) == value for key, value in self.labels.items()) and all(
            _fulfils(labels.get(key), operator, values) for key, operator, values in self.expressions
        )


def _fulfils(value: str | None, operator: str, values: tuple[str, ...]) -> bool:
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    return operator in ("Exists", "DoesNotExist") and (value is not None) is (operator == "Exists")


@dataclass(frozen=True)
class VisibilityPolicy:
    """Which visibility the entries of some namespaces have; a selector that cannot be read matches nothing."""

    visibility: Visibility
    selectors: tuple[LabelSelector | None, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MeshConfig(MeshObject):
    """The `mesh` key of the ConfigMap `istio` in Istio's namespace.

    `proxy_metadata` is `defaultConfig.proxyMetadata`; the access log's format is null where Istio's own holds.
    """

    root_namespace: str = "istio-system"
    outbound_policy: OutboundPolicy = field(default_factory=lambda: OutboundPolicy(Mode.ALLOW_ANY))
    service_export_to: tuple[str, ...] = ()
    virtual_service_export_to: tuple[str, ...] = ()
    destination_rule_export_to: tuple[str, ...] = ()
    proxy_metadata: Mapping[str, str] = field(default_factory=dict)
    access_log_file: str = ""
    access_log_format: str | None = None
    access_log_encoding: str = "TEXT"
    trust_domain: str = "cluster.local"
    default_visibility: Visibility = Visibility.PUBLIC
    visibility_policies: tuple[VisibilityPolicy, ...] = ()
    visibility_applies_to_sidecars: bool = False


@dataclass(frozen=True)
class AccessLogging:
    """One `Telemetry.accessLogging[]` item; `filter` is its CEL expression."""

    providers: tuple[str, ...] = ()
    disabled: bool = False
    filter: str | None = None
    mode: str | None = None


@dataclass(frozen=True, kw_only=True)
class Telemetry(MeshObject):
    """`telemetry.istio.io` Telemetry, as far as it decides what is logged."""

    selector: Mapping[str, str] | None = None
    access_logging: tuple[AccessLogging, ...] = ()
