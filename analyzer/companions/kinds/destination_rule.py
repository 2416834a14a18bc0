"""DestinationRule: TLS that the proxy originates, where an application speaks plain HTTP to a host that has TLS.

Proposed only where the log itself shows both, HTTP on 80 and TLS on 443 of one host from one namespace. The entry's
port 80 then goes to 443, and only port 80 is wrapped: TLS for all ports would wrap the applications' own TLS again
(istio.io tasks/traffic-management/egress/egress-tls-origination).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from analyzer.companions.companion import CompanionFile, Companions, Situation, Use
from analyzer.companions.objects import manifest
from analyzer.mesh.model import DestinationRule, ServiceEntry
from analyzer.proposals.naming import object_name
from analyzer.versions import version_of
from analyzer.vocabulary import ApplicationProtocol, Resolution

_PLAIN, _SECURE = 80, 443
_VERIFIES = (1, 21)


class TLSOrigination:
    """A DestinationRule, and the entry whose port 80 goes to 443; the two are applied together."""

    name = "destination_rule"
    summary = "TLS originated by the proxy for hosts called in plain HTTP that were seen to speak TLS too."

    def make(self, situation: Situation) -> Companions:
        """Two files a host and namespace, and why there are none for some."""
        files: list[CompanionFile] = []
        notes: list[str] = []
        for namespace, uses in situation.uses.items():
            for host, plain in _hosts_with_both(uses):
                why = _why_not(situation, plain.entry, namespace, host)
                if why is None:
                    files += _pair(situation, namespace, host, plain)
                else:
                    notes.append(f"No TLS origination for {host} in {namespace}: {why}.")
        if files and version_of(situation.istio_version) < _VERIFIES:
            notes.append("Before Istio 1.21 the proxy does not verify the server unless `caCertificates` is set.")
        if files and "egress_gateway" in situation.settings.proposals.companions:
            notes.append("What goes through the egress gateway is not wrapped: choose one of the two for a host.")
        return Companions(tuple(files), tuple(notes))


def _hosts_with_both(uses: Sequence[Use]) -> list[tuple[str, Use]]:
    """Hosts that are called in plain HTTP on 80 and in TLS on 443, with the use of the former."""
    plain: dict[str, Use] = {}
    secure: set[str] = set()
    for use in uses:
        key = use.destination.key
        if key.host is None or key.host not in use.entry.hosts:
            continue
        if key.application_protocol is ApplicationProtocol.HTTP and key.destination_port == _PLAIN:
            plain.setdefault(key.host, use)
        elif key.application_protocol is ApplicationProtocol.TLS and key.destination_port == _SECURE:
            secure.add(key.host)
    return sorted((host, use) for host, use in plain.items() if host in secure)


def _why_not(situation: Situation, entry: ServiceEntry, namespace: str, host: str) -> str | None:
    if entry.namespace != namespace or not entry.proposed:
        return f"{entry.reference} is not ours to change: give its port {_PLAIN} `targetPort: {_SECURE}` there first"
    if entry.resolution is not Resolution.DNS or len(entry.hosts) > 1:
        return f"{entry.reference} is not for this host alone, resolved by DNS"
    rule = _rule_for(situation, host)
    return None if rule is None else f"the DestinationRule {rule.reference} is for the host already"


def _rule_for(situation: Situation, host: str) -> DestinationRule | None:
    return next((rule for rule in situation.mesh.destination_rules if rule.host.lower() == host), None)


def _pair(situation: Situation, namespace: str, host: str, use: Use) -> list[CompanionFile]:
    name = object_name(host)
    rule: dict[str, Any] = {
        "host": host,
        "exportTo": ["."],
        "trafficPolicy": {"portLevelSettings": [{"port": {"number": _PLAIN}, "tls": {"mode": "SIMPLE", "sni": host}}]},
    }
    ports = tuple(replace(port, target_port=_SECURE) if port.number == _PLAIN else port for port in use.entry.ports)
    entry: dict[str, Any] = {
        "hosts": list(use.entry.hosts),
        "exportTo": list(use.entry.export_to),
        "location": use.entry.location.value,
        "ports": [
            {"number": port.number, "name": port.name, "protocol": port.protocol}
            | ({"targetPort": port.target_port} if port.target_port else {})
            for port in ports
        ],
        "resolution": use.entry.resolution.value,
    }
    together = "Apply the DestinationRule and the ServiceEntry together: each alone breaks the calls."
    return [
        manifest(
            "destination_rule",
            kind,
            (namespace, made),
            spec,
            reason=f"{what} {together}",
            seen=[use.destination],
            istio_version=situation.istio_version,
        )
        for kind, made, spec, what in (
            ("DestinationRule", name, rule, f"The proxy speaks TLS to {host} for callers that speak plain HTTP."),
            ("ServiceEntry", use.entry.name, entry, f"Port {_PLAIN} of {host} goes to {_SECURE} of the server."),
        )
    ]


COMPANION = TLSOrigination()
