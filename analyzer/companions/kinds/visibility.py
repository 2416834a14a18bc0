"""The visibility kit: the smallest thing that makes lines without a name carry one.

A proxy looks at the server name only on a listener that some entry needs it for, and the catch-all listener has
none (istio/istio pilot/pkg/networking/core/listener.go). One TLS entry without addresses on a port makes Istio put a
TLS inspector there. This one admits nobody: STATIC without endpoints answers with UH, where NONE would let whoever
sends its name go anywhere. A wildcard, because no address is ever allocated to one, which would take the entry, and
the inspector with it, off the port (pilot/pkg/controllers/ipallocate).
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from analyzer.companions.companion import CompanionFile, Companions, Situation, lines_by_sidecar
from analyzer.companions.objects import LABELS, manifest
from analyzer.detection.texts import entries
from analyzer.evidence import Destination
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.proposals.manifest_yaml import as_yaml
from analyzer.proposals.rendering import annotations_of
from analyzer.simulation.registry import visible_entries
from analyzer.versions import version_of
from analyzer.vocabulary import ACCESS_LOG_FIELDS, ApplicationProtocol, EgressClass

_HOST = "*.show-server-names.egress.internal"
_NAME = "egress-audit-visibility"
_TLS_PORTS = frozenset((443, 465, 636, 853, 989, 990, 993, 995, 5061, 5671, 6443, 8443, 8883, 9093, 9443))
"""Ports on which the client speaks first, in TLS: an inspector would hang protocols in which the server does."""
_LOGS_BLOCKED_NAMES = (1, 11)
_LOG = "egress-audit-access-log"
_HAS_PROVIDERS = (1, 23)
"""Since then the cluster's real name has a command of its own; before, the mesh's own format is the safer one."""
_REQUEST_HEADERS = {
    "method": ":METHOD",
    "path": "X-ENVOY-ORIGINAL-PATH?:PATH",
    "authority": ":AUTHORITY",
    "user_agent": "USER-AGENT",
    "request_id": "X-REQUEST-ID",
    "x_forwarded_for": "X-FORWARDED-FOR",
}
_CALLER = {
    "source_namespace": "%ENVIRONMENT(POD_NAMESPACE)%",
    "source_workload": "%ENVIRONMENT(ISTIO_META_WORKLOAD_NAME)%",
    "source_pod": "%ENVIRONMENT(POD_NAME)%",
}
"""Who logs, from what the injector sets in the proxy's container (istio/istio manifests/charts/istio-control)."""


class Visibility:
    """An entry that brings a TLS inspector, and an access log with what the log lacks."""

    name = "visibility"
    summary = "An entry by which nameless TLS lines show their server name; an access log with the fields that lack."

    def make(self, situation: Situation) -> Companions:
        """An entry for each namespace with nameless lines on ports of TLS; a log provider for lacking fields."""
        files: list[CompanionFile] = []
        hidden: set[tuple[str, str]] = set()
        for namespace, destinations in situation.outbound.items():
            by_port = _nameless(destinations)
            missing = {port: seen for port, seen in by_port.items() if not _is_inspected(situation, namespace, port)}
            if missing:
                files.append(_entry(situation, namespace, missing))
                hidden |= situation.unlisted(namespace, _HOST, namespace, missing)
        notes = _silenced(situation)
        notes += [
            f"Sidecar {reference} hides the entry that brings the inspector: add {lines} to its egress hosts."
            for reference, lines in lines_by_sidecar(hidden)
        ]
        lacking = _lacking(situation)
        if lacking and version_of(situation.istio_version) >= _HAS_PROVIDERS:
            files += _access_log(situation, lacking)
        if files and version_of(situation.istio_version) < _LOGS_BLOCKED_NAMES:
            notes.append("Before Istio 1.11 the proxy logs no server name for what it blocks, inspector or not.")
        return Companions(tuple(files), tuple(notes))


def _nameless(destinations: Sequence[Destination]) -> dict[int, list[Destination]]:
    """Connections that no listener took, without a name, by port."""
    found: dict[int, list[Destination]] = defaultdict(list)
    for destination in destinations:
        key = destination.key
        let_by = destination.by_class.keys() & {EgressClass.BLOCKED, EgressClass.PASSTHROUGH}
        nameless = key.host is None and key.application_protocol is ApplicationProtocol.TCP
        if nameless and let_by and key.destination_port in _TLS_PORTS:
            found[key.destination_port].append(destination)
    return dict(sorted(found.items()))


def _is_inspected(situation: Situation, namespace: str, port: int) -> bool:
    """Whether some entry that the namespace sees already brings the inspector to the port."""
    return any(
        not entry.addresses and item.number == port and port_class(item.protocol) is PortClass.TLS
        for entry in visible_entries(situation.applied, namespace)
        for item in entry.ports
    )


def _entry(situation: Situation, namespace: str, by_port: dict[int, list[Destination]]) -> CompanionFile:
    seen = [destination for destinations in by_port.values() for destination in destinations]
    ports = ", ".join(map(str, by_port))
    spec: dict[str, Any] = {
        "hosts": [_HOST],
        "exportTo": ["."],
        "location": "MESH_EXTERNAL",
        "ports": [{"number": port, "name": f"tls-{port}", "protocol": "TLS"} for port in by_port],
        "resolution": "STATIC",
    }
    return manifest(
        "visibility",
        "ServiceEntry",
        (namespace, _NAME),
        spec,
        reason=f"{entries(sum(item.entries for item in seen))} on port {ports} show no server name; with this entry "
        "the proxy looks at it and logs it. It admits nobody, having no endpoint. Take it away when enough is known.",
        seen=seen,
        istio_version=situation.istio_version,
    )


def _lacking(situation: Situation) -> list[str]:
    """Fields that no entry of the log has, although the audit leans on them."""
    return [name for name, (present, total) in sorted(situation.coverage.items()) if total and not present]


def _access_log(situation: Situation, lacking: list[str]) -> list[CompanionFile]:
    """A log provider with every field of Istio's own JSON and who called, and the Telemetry that turns it on."""
    labels = {field: _operator(field) for field in ACCESS_LOG_FIELDS} | _CALLER
    provider = {"name": _LOG, "envoyFileAccessLog": {"path": "/dev/stdout", "logFormat": {"labels": labels}}}
    root = situation.mesh.config.root_namespace
    reason = f"No entry of the log has {', '.join(lacking)}; this provider logs them."
    document = {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {"name": _LOG, "namespace": root, "labels": LABELS, "annotations": annotations_of((), reason)},
        "spec": {"meshConfig": {"extensionProviders": [provider]}},
    }
    operator = f"companions/visibility/{root}/istiooperator-{_LOG}.yaml"
    telemetry = manifest(
        "visibility",
        "Telemetry",
        (root, _LOG),
        {"accessLogging": [{"providers": [{"name": _LOG}]}]},
        reason=f"Turns the provider {_LOG} of the mesh configuration on for every proxy.",
        seen=(),
        istio_version=situation.istio_version,
    )
    return [CompanionFile("visibility", operator, as_yaml(document), reason), telemetry]


def _operator(field: str) -> str:
    """Envoy's command for a field (istio/istio pilot/pkg/model/telemetry_logging.go)."""
    if field in _REQUEST_HEADERS:
        return f"%REQ({_REQUEST_HEADERS[field]})%"
    if field == "upstream_service_time":
        return "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"
    return f"%{field.upper()}_RAW%" if field == "upstream_cluster" else f"%{field.upper()}%"


def _silenced(situation: Situation) -> list[str]:
    """Telemetries that switch access logs off, or drop some, for a namespace or for all."""
    return [
        f"The Telemetry {item.reference} switches access logs off or drops some: what is not logged cannot be audited."
        for item in situation.mesh.telemetries
        if any(logging.disabled or logging.filter for logging in item.access_logging)
    ]


COMPANION = Visibility()
