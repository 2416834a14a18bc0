"""Rules on a VirtualService, as far as egress needs them (istio/istio pkg/config/validation/validation.go)."""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from analyzer.mesh.names import covers
from analyzer.validation.names import is_address, is_address_or_cidr, is_label, why_no_wildcard_domain
from analyzer.validation.node import Node, Problem
from analyzer.validation.rule import SCHEMA_ERROR, WEBHOOK, rule
from analyzer.validation.subject import Inventory, Subject
from analyzer.validation.visibility import meeting, scopes_of
from analyzer.vocabulary import Severity

MESH = "mesh"
_KIND = ("VirtualService",)
_WEBHOOK = f"{WEBHOOK} ValidateVirtualService"
_ANALYZERS = "istio/istio pkg/config/analysis/analyzers/virtualservice"
_ROUTES = ("http", "tls", "tcp")
_refused = partial(rule, severity=Severity.ERROR, kinds=_KIND, istio_code=SCHEMA_ERROR, source=_WEBHOOK)
_analyzed = partial(rule, severity=Severity.WARNING, kinds=_KIND)


@_refused("virtual_service_host_invalid")
def virtual_service_host_invalid(subject: Subject) -> Iterator[Problem]:
    """Hosts are DNS names, wildcards or IP addresses; a lone `*` only behind gateways."""
    for host in subject.spec["hosts"].texts():
        why = why_no_wildcard_domain(host.text)
        if why is not None and not is_address(host.text):
            yield host.problem(f"{host.text!r} is no host: {why}", "api.example.com")
        elif host.text == "*" and MESH in gateways_of(subject):
            yield host.problem("a lone `*` is not allowed for sidecars (gateway `mesh`)", "name the hosts")


@_refused("virtual_service_host_duplicate")
def virtual_service_host_duplicate(subject: Subject) -> Iterator[Problem]:
    """No host twice, and none that another one covers."""
    hosts = subject.spec["hosts"].texts()
    for index, host in enumerate(hosts):
        for other in hosts[:index]:
            if _matches(other.text, host.text):
                yield host.problem(f"{host.text!r} is covered by {other.text!r}", "keep one of them")
                break


@_refused("virtual_service_routes_missing")
def virtual_service_routes_missing(subject: Subject) -> Iterator[Problem]:
    """At least one http, tls or tcp route, and each tls and tcp route leads somewhere."""
    if subject.spec.is_set and not any(subject.spec[key].items() for key in _ROUTES):
        yield subject.spec.problem("http, tls or tcp must be given")
    for key in ("tls", "tcp"):
        for route in subject.spec[key].mappings():
            if not route["route"].items():
                yield route["route"].problem(f"the {key} route leads nowhere", "route: [{destination: {host: NAME}}]")


@_refused("virtual_service_delegate")
def virtual_service_delegate(subject: Subject) -> Iterator[Problem]:
    """Without hosts it is a delegate: no gateways, no tls and no tcp routes."""
    if not subject.spec.is_set or subject.spec["hosts"].items():
        return
    for key in ("gateways", "tls", "tcp"):
        if subject.spec[key].items():
            yield subject.spec[key].problem(f"without hosts it is a delegate, and that has no {key}", "hosts: [NAME]")


@_refused("virtual_service_gateway_invalid")
def virtual_service_gateway_invalid(subject: Subject) -> Iterator[Problem]:
    """Gateways are called `name`, `namespace/name` or `mesh`."""
    for gateway in subject.spec["gateways"].texts():
        parts = gateway.text.split("/")
        if len(parts) > 2 or not all(map(is_label, parts)):
            if len(parts) == 1 and why_no_wildcard_domain(gateway.text) is None and "*" not in gateway.text:
                continue  # the old way, by full name
            yield gateway.problem(f"{gateway.text!r} is no Gateway", "istio-system/istio-egressgateway")


@_refused("tls_match_invalid")
def tls_match_invalid(subject: Subject) -> Iterator[Problem]:
    """A tls route matches by sniHosts, each of them covered by one of the hosts; ports are port numbers."""
    hosts = [host.text for host in subject.spec["hosts"].texts()]
    for route in subject.spec["tls"].mappings():
        if not route["match"].items():
            yield route["match"].problem(
                "a tls route needs a match", f"match: [{{sniHosts: [{(hosts or ['NAME'])[0]}]}}]"
            )
        for match in route["match"].mappings():
            if not match["sniHosts"].items():
                yield match["sniHosts"].problem("a tls match needs sniHosts")
            for sni in match["sniHosts"].texts():
                why = why_no_wildcard_domain(sni.text)
                if why is not None:
                    yield sni.problem(f"{sni.text!r} is no server name: {why}")
                elif not any(_matches(host, sni.text) for host in hosts):
                    yield sni.problem(f"{sni.text!r} is covered by none of the hosts", f"hosts: [{sni.text}]")


@_refused("route_match_invalid")
def route_match_invalid(subject: Subject) -> Iterator[Problem]:
    """Ports are port numbers, subnets addresses or CIDRs, and the gateways of a match are those of the service."""
    known = gateways_of(subject)
    for route in _routes(subject):
        for match in route["match"].mappings():
            number = match["port"].number
            if number is not None and not 1 <= number <= 65535:
                yield match["port"].problem(f"{number} is no port number", "1 to 65535")
            for subnet in match["destinationSubnets"].texts():
                if not is_address_or_cidr(subnet.text):
                    yield subnet.problem(f"{subnet.text!r} is neither an IP address nor a CIDR")
            for gateway in match["gateways"].texts():
                if gateway.text not in known:
                    yield gateway.problem(f"{gateway.text!r} is none of the gateways", "name it in spec.gateways too")


@_refused("destination_invalid")
def destination_invalid(subject: Subject) -> Iterator[Problem]:
    """A destination has a host, a valid port, a valid subset; weights are not negative and not all zero."""
    for route in _routes(subject):
        destinations = route["route"].mappings()
        weights = [item["weight"].number or 0 for item in destinations]
        if len(destinations) > 1 and sum(weights) == 0:
            yield route["route"].problem("the weights add up to nothing", "weight: 100")
        for item in destinations:
            yield from _wrong_destination(item["destination"])
            if (item["weight"].number or 0) < 0:
                yield item["weight"].problem("a weight is not negative")


@_analyzed("destination_not_found", istio_code="IST0101", source=f"{_ANALYZERS}/destinationhosts.go")
def destination_not_found(subject: Subject) -> Iterator[Problem]:
    """A destination outside the cluster needs a ServiceEntry; without one HTTP gets 503 NC, TLS and TCP are blocked."""
    entries = subject.mesh.index(_entry_hosts)
    for route in _routes(subject):
        for item in route["route"].mappings():
            host = item["destination"]["host"]
            if _is_external(host.text) and not any(_matches(known, host.text) for known in entries):
                yield host.problem(f"there is no ServiceEntry for {host.text!r}", "a ServiceEntry with resolution: DNS")


@_analyzed("gateway_not_found", istio_code="IST0101", source=f"{_ANALYZERS}/gateways.go")
def gateway_not_found(subject: Subject) -> Iterator[Problem]:
    """The Gateways that are named are there; one of another namespace is `namespace/name`."""
    known = {gateway.reference for gateway in subject.mesh.of_kind("Gateway")}
    for gateway in subject.spec["gateways"].texts():
        if known and gateway.text != MESH and _full_name(gateway.text, subject.namespace) not in known:
            yield gateway.problem(
                f"there is no Gateway {_full_name(gateway.text, subject.namespace)}", "namespace/name"
            )


@_analyzed("subset_not_found", istio_code="IST0101", source=f"{_ANALYZERS}/destinationrules.go")
def subset_not_found(subject: Subject) -> Iterator[Problem]:
    """A subset is one that some DestinationRule has for the host."""
    known = subject.mesh.index(_subsets)
    for route in _routes(subject):
        for item in route["route"].mappings():
            subset, host = item["destination"]["subset"], item["destination"]["host"].text
            if subset.text and subset.text not in known.get(host, ()):
                yield subset.problem(
                    f"no DestinationRule has the subset {subset.text!r} for {host}", "a DestinationRule"
                )


@_analyzed("mesh_host_conflict", istio_code="IST0109", source=f"{_ANALYZERS}/conflictingmeshgatewayhosts.go")
def mesh_host_conflict(subject: Subject) -> Iterator[Problem]:
    """A host has one VirtualService for sidecars."""
    if MESH not in gateways_of(subject):
        return
    known = subject.mesh.index(_mesh_hosts)
    for host in subject.spec["hosts"].texts():
        by_scope = known[host.text]
        firsts = (by_scope[scope] for scope in meeting(scopes_of(subject), by_scope))
        first = next((other for other in firsts if other.reference != subject.reference), None)
        if first is not None:
            yield host.problem(f"{first.reference} ({first.place}) routes {host.text} too", "merge the two")


@_analyzed("host_not_in_gateway", istio_code="IST0132", source=f"{_ANALYZERS}/gateways.go")
def host_not_in_gateway(subject: Subject) -> Iterator[Problem]:
    """A host is one that the Gateway serves."""
    served = subject.mesh.index(_served_hosts)
    for gateway in subject.spec["gateways"].texts():
        hosts = served.get(_full_name(gateway.text, subject.namespace))
        for host in subject.spec["hosts"].texts() if hosts is not None else ():
            if not any(_matches(known, host.text) or _matches(host.text, known) for known in hosts or ()):
                yield host.problem(f"{gateway.text} does not serve {host.text}", "name the host in the Gateway too")


def gateways_of(subject: Subject) -> list[str]:
    """The gateways by name; none written is the sidecars of the mesh."""
    return [node.text for node in subject.spec["gateways"].texts()] or [MESH]


def _routes(subject: Subject) -> list[Node]:
    return [route for key in _ROUTES for route in subject.spec[key].mappings()]


def _wrong_destination(destination: Node) -> Iterator[Problem]:
    host, number = destination["host"], destination["port"]["number"].number
    why = "a lone `*` is not allowed" if host.text == "*" else why_no_wildcard_domain(host.text)
    if why is not None:
        yield host.problem(f"{host.text!r} is no destination: {why}" if host.text else "the destination has no host")
    if destination["port"].is_set and not 1 <= (number or 0) <= 65535:
        yield destination["port"].problem(f"{number} is no port number", "port: {number: 443}")
    if destination["subset"].text and not is_label(destination["subset"].text):
        yield destination["subset"].problem(f"{destination['subset'].text!r} is no subset name")


def _is_external(host: str) -> bool:
    """Whether a name is none of the cluster's: those cannot be checked without its Services."""
    return "." in host and not host.endswith((".local", ".svc")) and host.count(".") >= 1 and not is_address(host)


def _matches(pattern: str, host: str) -> bool:
    if pattern == "*":
        return True
    if host.startswith("*") and pattern.startswith("*"):
        return host.lower()[1:].endswith(pattern.lower()[1:])
    return covers(pattern, host)


def _full_name(gateway: str, namespace: str) -> str:
    return gateway if "/" in gateway else f"{namespace}/{gateway}"


def _entry_hosts(mesh: Inventory) -> list[str]:
    return [host.text for entry in mesh.of_kind("ServiceEntry") for host in entry.spec["hosts"].texts()]


def _subsets(mesh: Inventory) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for policy in mesh.of_kind("DestinationRule"):
        names = {subset["name"].text for subset in policy.spec["subsets"].mappings()}
        found.setdefault(policy.spec["host"].text, set()).update(names)
    return found


def _mesh_hosts(mesh: Inventory) -> dict[str, dict[str, Subject]]:
    """By host and scope, the first VirtualService for sidecars."""
    found: dict[str, dict[str, Subject]] = defaultdict(dict)
    for service in mesh.of_kind("VirtualService"):
        for host in service.spec["hosts"].texts() if MESH in gateways_of(service) else ():
            for scope in scopes_of(service):
                found[host.text].setdefault(scope, service)
    return found


def _served_hosts(mesh: Inventory) -> dict[str, list[str]]:
    return {
        gateway.reference: [
            host.text.rpartition("/")[2]
            for server in gateway.spec["servers"].mappings()
            for host in server["hosts"].texts()
        ]
        for gateway in mesh.of_kind("Gateway")
    }
