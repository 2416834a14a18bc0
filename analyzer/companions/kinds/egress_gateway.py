"""Egress gateway: what goes by name leaves through one gateway, which admits the names that are registered.

Shapes: istio.io tasks/traffic-management/egress/egress-gateway. TLS is passed on, so the gateway knows the server name
and no client: its policy is by name alone, and `source.namespaces` there would deny everything. Who may go through is
what the routes are exported to. The gateway needs an entry of its own, resolved by DNS, never NONE.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyzer.companions.companion import CompanionFile, Companions, Situation, Use, lines_by_sidecar
from analyzer.companions.objects import manifest
from analyzer.companions.through_gateway import gateway_protocol
from analyzer.evidence import Destination
from analyzer.proposals.naming import object_name

_NAME = "egress-audit"


@dataclass(frozen=True)
class _Route:
    """One host through the gateway: its ports with protocol, who calls it, and what was seen."""

    host: str
    ports: tuple[tuple[int, str], ...]
    namespaces: tuple[str, ...]
    seen: tuple[Destination, ...]


class EgressGateway:
    """A Gateway, a subset, a policy, and for each host an entry and a route."""

    name = "egress_gateway"
    summary = (
        "Gateway, DestinationRule, VirtualServices and AuthorizationPolicy that send what goes by name through one."
    )

    def make(self, situation: Situation) -> Companions:
        """The set, for the hosts that a gateway can serve, and which it cannot."""
        routes, notes = _routes(situation.uses)
        if not routes:
            return Companions((), tuple(notes))
        namespace, label = situation.settings.companions.gateway_namespace, _label(situation)
        others = [item for item in situation.mesh.gateways if dict(item.selector).items() & label.items()]
        files = [_gateway(situation, routes), _subset(situation, routes)]
        files += [file for route in routes for file in (_entry(situation, route), _virtual_service(situation, route))]
        if others:
            names = ", ".join(sorted(item.reference for item in others))
            notes.append(
                f"No AuthorizationPolicy: {names} is served by the gateway too, and a list of what is allowed would "
                "deny all that it serves."
            )
        else:
            files.append(_policy(situation, routes))
        notes.append(
            f"The gateway's Service in {namespace} must expose "
            f"{' and '.join(sorted({str(number) for route in routes for number, _ in route.ports}))}."
        )
        return Companions(tuple(files), (*notes, *_unlisted(situation, routes)))


def _unlisted(situation: Situation, routes: Sequence[_Route]) -> list[str]:
    """Sidecars whose lists keep the routes, or the gateway itself, from those who are to go through it."""
    home, service = situation.settings.companions.gateway_namespace, _service(situation)
    found = {
        line
        for route in routes
        for client in route.namespaces
        for host in (service, route.host)
        for line in situation.unlisted(home, host, client, [number for number, _ in route.ports])
    }
    return [
        f"Sidecar {reference} hides the gateway from its callers: add {lines} to its egress hosts."
        for reference, lines in lines_by_sidecar(found)
    ]


def _routes(uses: Mapping[str, Sequence[Use]]) -> tuple[list[_Route], list[str]]:
    by_host: dict[str, list[tuple[str, Use, str]]] = defaultdict(list)
    notes: set[str] = set()
    for namespace, found in uses.items():
        for use in found:
            key = use.destination.key
            protocol = gateway_protocol(use)
            if protocol is None:
                notes.add(f"{key.name} does not go through the gateway: only names resolved by DNS, on 80 and 443, do.")
            else:
                by_host[key.host or ""].append((namespace, use, protocol))
    routes = [
        _Route(
            host,
            tuple(sorted({(use.destination.key.destination_port or 0, protocol) for _, use, protocol in items})),
            tuple(sorted({namespace for namespace, _, _ in items})),
            tuple(use.destination for _, use, _ in items),
        )
        for host, items in sorted(by_host.items())
    ]
    return routes, sorted(notes)


def _label(situation: Situation) -> dict[str, str]:
    key, _, value = situation.settings.companions.gateway_label.partition("=")
    return {key: value}


def _service(situation: Situation) -> str:
    settings = situation.settings
    domain = settings.networks.cluster_domains[0] if settings.networks.cluster_domains else "cluster.local"
    return f"{settings.companions.gateway_service}.{settings.companions.gateway_namespace}.svc.{domain}"


def _object(
    situation: Situation, kind: str, name: str, spec: dict[str, Any], reason: str, routes: Sequence[_Route]
) -> CompanionFile:
    namespace = situation.settings.companions.gateway_namespace
    return manifest(
        "egress_gateway",
        kind,
        (namespace, name),
        spec,
        reason=reason,
        seen=[destination for route in routes for destination in route.seen],
        istio_version=situation.istio_version,
    )


def _gateway(situation: Situation, routes: Sequence[_Route]) -> CompanionFile:
    hosts: dict[tuple[int, str], list[str]] = defaultdict(list)
    for route in routes:
        for port in route.ports:
            hosts[port].append(route.host)
    servers = [
        {"port": {"number": number, "name": protocol.lower(), "protocol": protocol}, "hosts": names}
        | ({"tls": {"mode": "PASSTHROUGH"}} if protocol == "TLS" else {})
        for (number, protocol), names in sorted(hosts.items())
    ]
    spec = {"selector": _label(situation), "servers": servers}
    return _object(situation, "Gateway", _NAME, spec, f"Serves {len(routes)} hosts; TLS is passed on.", routes)


def _subset(situation: Situation, routes: Sequence[_Route]) -> CompanionFile:
    spec = {
        "host": _service(situation),
        "exportTo": _exported(situation, routes),
        "subsets": [{"name": _NAME}],
    }
    reason = "Names the gateway for the routes of the namespaces that call through it."
    return _object(situation, "DestinationRule", _NAME, spec, reason, routes)


def _entry(situation: Situation, route: _Route) -> CompanionFile:
    spec = {
        "hosts": [route.host],
        "exportTo": ["."],
        "location": "MESH_EXTERNAL",
        "ports": [
            {"number": number, "name": protocol.lower(), "protocol": protocol} for number, protocol in route.ports
        ],
        "resolution": "DNS",
    }
    reason = f"The gateway's own entry for {route.host}: it resolves and calls the host."
    return _object(situation, "ServiceEntry", object_name(route.host), spec, reason, [route])


def _virtual_service(situation: Situation, route: _Route) -> CompanionFile:
    spec: dict[str, Any] = {
        "hosts": [route.host],
        "gateways": ["mesh", _NAME],
        "exportTo": _exported(situation, [route]),
    }
    for number, protocol in route.ports:
        key = "http" if protocol == "HTTP" else "tls"
        names = {"sniHosts": [route.host]} if protocol == "TLS" else {}
        through = {"host": _service(situation), "subset": _NAME, "port": {"number": number}}
        direct = {"host": route.host, "port": {"number": number}}
        spec[key] = [
            {"match": [{"gateways": [gateway], "port": number, **names}], "route": [{"destination": destination}]}
            for gateway, destination in (("mesh", through), (_NAME, direct))
        ]
    reason = f"Sends {route.host} of {', '.join(route.namespaces)} through the gateway, and from there to the host."
    return _object(situation, "VirtualService", object_name(route.host), spec, reason, [route])


def _policy(situation: Situation, routes: Sequence[_Route]) -> CompanionFile:
    plain = [route.host for route in routes if any(protocol == "HTTP" for _, protocol in route.ports)]
    secure = [route.host for route in routes if any(protocol == "TLS" for _, protocol in route.ports)]
    rules: list[dict[str, Any]] = []
    if plain:
        hosts = [name for host in plain for name in (host, f"{host}:*")]
        rules.append({"to": [{"operation": {"hosts": hosts}}]})  # no port: a policy sees the pod's, not the Service's
    if secure:
        rules.append({"when": [{"key": "connection.sni", "values": secure}]})
    spec = {"selector": {"matchLabels": _label(situation)}, "action": "ALLOW", "rules": rules}
    reason = "The gateway admits these names and no other; it knows no client where TLS is passed on."
    return _object(situation, "AuthorizationPolicy", _NAME, spec, reason, routes)


def _exported(situation: Situation, routes: Sequence[_Route]) -> list[str]:
    """The gateway's namespace and those that call."""
    own = situation.settings.companions.gateway_namespace
    return [".", *sorted({name for route in routes for name in route.namespaces} - {own})]


COMPANION = EgressGateway()
