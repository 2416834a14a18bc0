"""The rules that decide one request in one scope, one after the other.

The order is Istio's and Envoy's: the listener of the dialled address, else the port's; the chain by prefix and
server name; for HTTP the virtual host by Host header, then its routes; then whether the cluster works (istio/istio
pilot/pkg/networking/core; envoyproxy/envoy source/common/listener_manager/filter_chain_manager_impl.cc).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from analyzer.classification.names import INVALID_SNI
from analyzer.evidence import Request
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.mesh.scoping import OutboundPolicy
from analyzer.simulation.clusters import Cluster
from analyzer.simulation.listeners import ChainGroup, Leads, Listener, Target
from analyzer.simulation.matching import left_open, possible_routes
from analyzer.simulation.owners import Owners
from analyzer.simulation.ports import PortView
from analyzer.simulation.replay import Decision
from analyzer.simulation.routes import Route
from analyzer.simulation.scope import Scope
from analyzer.vocabulary import ApplicationProtocol, Mode, Outcome, Resolution

HTTP = (ApplicationProtocol.HTTP, ApplicationProtocol.GRPC)
_PORT_SUFFIX = re.compile(r":(\d+)$")


@dataclass(frozen=True)
class Policy:
    """The outbound policy that holds in a scope, and the Sidecar that sets it where one does."""

    outbound: OutboundPolicy
    set_by: str | None = None


class Deciding(NamedTuple):
    """One request being decided: dialled at `address`, by proxies of a scope, under a policy."""

    request: Request
    address: str | None
    scope: Scope
    policy: Policy
    owners: Owners

    def decide(self) -> Decision:
        """What would happen to the request, and the rule that says so."""
        number = self.request.destination_port
        if number is None:
            because = "The log does not show which port was dialled."
            return Decision(Outcome.CONDITIONAL, "destination_unknown", because, conditions=("host_unknown",))
        view = self.scope.port(number)
        listener = view.listener(self.address)
        if listener is None:
            because = f"No service visible here has a listener for this address and port {number}"
            return self._fallthrough("no_listener", because)
        if listener.refused is not None:
            by, why = listener.refused
            because = f"Envoy refuses the whole listener of port {number}: {why} ({by})."
            return Decision(Outcome.BROKEN, "listener_refused", because, by)
        group = listener.group_for(self.address)
        if not self._is_http:
            return self._raw(listener, group)
        if listener.http and not listener.is_of_prefix(group):
            return self._http(view, listener)
        return self._plain(group.rest or listener.default)

    @property
    def _is_http(self) -> bool:
        return self.request.application_protocol in HTTP

    def _raw(self, listener: Listener, group: ChainGroup) -> Decision:
        """Bytes that the log does not show as HTTP: by server name, else by whatever takes the rest."""
        if listener.takes_all is not None:
            by = listener.takes_all.by
            because = f"{by} declares this port HTTP_PROXY, which takes every byte on it for HTTP."
            return Decision(Outcome.BROKEN, "http_proxy_takes_all", because, by)
        name = self.request.requested_server_name
        if name is not None:
            named = _named(group, name)
            if named is not None:
                return self._reached(named, "server_name")
        rest = group.rest or listener.default
        if rest is not None:
            return self._rest(listener, rest)
        if name is not None:
            because = "No service visible here has this server name on this address and port"
            return self._fallthrough("no_server_name", because)
        otherwise = self._fallthrough("no_chain", "No chain of this port's listener takes these bytes")
        goes_out = otherwise.outcome is Outcome.ALLOWED
        if group.asks_names and not (goes_out and self.scope.all_work(group)):
            because = "Allowed if the server name is one of the services on this port; the log does not show it."
            return Decision(Outcome.CONDITIONAL, "server_name_unknown", because, conditions=("sni_unknown",))
        may_be_http = listener.http and listener.http_since_proposed and self.request.destination_port != 80
        if may_be_http and not goes_out:
            because = "If these bytes are HTTP, they are routed by Host, and that was not logged."
            return Decision(Outcome.CONDITIONAL, "may_be_http", because, conditions=("host_unknown",))
        return otherwise

    def _plain(self, rest: Target | None) -> Decision:
        """HTTP where no Host is looked at: a chain without server names takes it as bytes, or none does."""
        if rest is not None:
            return self._reached(rest, "match_all_chain")
        return self._fallthrough("no_chain", "This port's listener does not look for plain HTTP here")

    def _rest(self, listener: Listener, target: Target) -> Decision:
        decision = self._reached(target, "match_all_chain")
        if decision.outcome is Outcome.MISDIRECTED and self._own_may_be_older(listener, target):
            because = f"{target.by} takes all of this port if it is older than the request's own entry."
            return Decision(Outcome.CONDITIONAL, "match_all_chain", because, target.by, True, ("creation_order",))
        nameless = self.request.key.host is None and target.service.address is None
        if decision.outcome is not Outcome.ALLOWED or not nameless or self.owners.is_for_it(self.request, target):
            return decision
        rivals = [item for item in listener.ignored if item.service.host != target.service.host]
        if not rivals:
            return decision
        claiming = next((item for item in rivals if self._is_dialled_at(item)), None)
        if claiming is not None:
            because = f"{target.by} takes this traffic, which was sent to an address of {claiming.by}."
            return Decision(Outcome.MISDIRECTED, "match_all_chain", because, target.by, decision.unguarded, stray=True)
        rival = rivals[0]
        because = f"{target.by} takes all of this port; {rival.by} wants it too, and only DNS knows whose this is."
        return Decision(Outcome.CONDITIONAL, "match_all_chain", because, target.by, True, ("dns_answer",))

    def _is_dialled_at(self, target: Target) -> bool:
        """Whether the dialled address is of a prefix that a target's entry lists."""
        return target.service.is_prefix and self.owners.is_for_it(self.request, target)

    def _own_may_be_older(self, listener: Listener, target: Target) -> bool:
        """Whether one of those that the target silenced is the request's own, and nobody knows which is older."""
        return any(
            self.owners.is_for_it(self.request, item) and self.scope.is_order_open(target.service, item.service)
            for item in listener.ignored
        )

    def _http(self, view: PortView, listener: Listener) -> Decision:
        request = self.request
        if request.method_is_connect:
            because = (
                "CONNECT matches no route of an HTTP listener (404 in every mode); declare the proxy as a TCP port."
            )
            return Decision(Outcome.BROKEN, "connect_has_no_route", because)
        if listener.any_host is not None:
            target = listener.any_host
            if not view.virtual_hosts.serves(target.service):
                because = (
                    f"The listener of {target.by} has no virtual host: another port of that host stands for it (404)."
                )
                return Decision(Outcome.BROKEN, "no_route", because, target.by)
            return self._route(target, view.virtual_hosts.routes_for(target.service), "own_listener_any_host")
        if request.authority is None:
            because = "The log does not show the Host header."
            return Decision(Outcome.CONDITIONAL, "host_unknown", because, conditions=("host_unknown",))
        found = view.virtual_hosts.find(self._domain(request.authority))
        if found is None:
            because = "No service visible here has this host on this port, so the catch-all route decides"
            return self._fallthrough("no_virtual_host", because)
        target, routes = found
        if target.service.resolution is Resolution.DYNAMIC_DNS and not listener.is_dynamic:
            because = f"{target.by} matches, but the port's chain is another service's and lacks the forward proxy."
            return Decision(
                Outcome.CONDITIONAL, "forward_proxy_missing", because, target.by, conditions=("creation_order",)
            )
        return self._route(target, routes, "virtual_host")

    def _domain(self, authority: str) -> str:
        """The Host header as a virtual host's domain would be looked up."""
        host = authority.lower()
        port = _PORT_SUFFIX.search(host)
        if port and (self.scope.version >= (1, 16) or int(port[1]) == self.request.destination_port):
            host = host[: port.start()]
        return host[1:-1] if host.startswith("[") and host.endswith("]") else host

    def _route(self, target: Target, routes: Sequence[Route] | None, rule: str) -> Decision:
        if routes is None:
            return self._reached(target, rule)
        decisions = self._routings(target, routes, rule, self.request)
        if len({decision.outcome for decision in decisions}) == 1:
            return self._with_doubt_of_path(decisions[0], target, routes, rule)
        by, unknown = routes[0].by.reference, left_open(possible_routes(routes, self.request), self.request)
        because = f"It depends on what {by} matches on and the log does not show: {', '.join(unknown)}."
        conditions = ("host_unknown",) if "authority" in unknown else ()  # there is no word for the others
        return Decision(Outcome.CONDITIONAL, "route_unknown", because, by, conditions=conditions)

    def _routings(self, target: Target, routes: Sequence[Route], rule: str, request: Request) -> Sequence[Decision]:
        return [self._routed(target, route, routes, rule) for route in possible_routes(routes, request)]

    def _with_doubt_of_path(self, decision: Decision, target: Target, routes: Sequence[Route], rule: str) -> Decision:
        """A decision that another path would have changed says whose word the path is.

        Envoy logs `%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%` and routes by the path alone (envoyproxy/envoy
        docs/root/configuration/observability/access_log/usage.rst, the default format).
        """
        if self.request.path is None:
            return decision
        any_path = self._routings(target, routes, rule, replace(self.request, path=None))
        if len({other.outcome for other in any_path}) == 1:
            return decision
        because = f"{decision.because} The logged path decides it, and X-Envoy-Original-Path lets a client write that."
        return replace(decision, because=because)

    def _routed(self, target: Target, route: Route | None, routes: Sequence[Route], rule: str) -> Decision:
        if route is None:
            by = routes[0].by.reference
            return Decision(Outcome.BROKEN, "no_route", f"No route of {by} matches this request (404).", by)
        by = route.by.reference
        if route.answer == "redirect":
            return Decision(Outcome.ALLOWED, "redirect", f"{by} answers with a redirect.", by)
        if route.answer is not None:
            return Decision(Outcome.BROKEN, route.answer, f"{by} answers by itself; nothing is sent on.", by)
        leads = Leads(route.destinations, route.by.namespace, self.request.destination_port or 0, http=True)
        clusters = self.scope.destinations.of(leads)
        hosts = {cluster.service.host for cluster in clusters if cluster.service is not None}
        stays = hosts == {target.service.host} and not any(cluster.missing for cluster in clusters)
        by = target.by if stays else by
        led = Target(target.service, target.port, by, leads, rerouted=not stays, http=target.http)
        return self._reached(led, rule if stays else "virtual_service_route")

    def _reached(self, target: Target, rule: str) -> Decision:
        """A chain or route takes the request: does it work, and is it the request's own?"""
        clusters = self.scope.behind(target)
        target = _with_owner(target, clusters)
        by, unguarded = target.by, rule in _UNCHECKED and self._is_open(target)
        note = next((cluster.note for cluster in clusters if cluster.note), "")
        for cluster in clusters:
            if cluster.missing is not None:
                how = "route_without_cluster" if target.rerouted else "no_cluster"
                return Decision(Outcome.BROKEN, how, f"Matched {by}, but {cluster.missing}.", by)
        for cluster in clusters:
            if cluster.doubt is not None:
                return Decision(Outcome.CONDITIONAL, rule, f"Matched {by}. {note}", by, unguarded, (cluster.doubt,))
        checked = rule not in _UNCHECKED or target.rerouted
        stray = not checked and not self.owners.is_for_it(self.request, target)
        if stray and self.owners.is_anothers(self.request, target):
            because = f"{by} takes this traffic for {target.service.host}, which is not what was asked for."
            return Decision(Outcome.MISDIRECTED, rule, because, by, unguarded, stray=True)
        named = stray and self.request.key.host is not None
        return Decision(Outcome.ALLOWED, rule, self._because(target, rule, note), by, unguarded, stray=named)

    def _is_open(self, target: Target) -> bool:
        """Whether others than those meant may pass; a Service's and an allocated address are nobody else's."""
        return not target.service.stands_by_itself

    def _because(self, target: Target, rule: str, note: str) -> str:
        service, port = target.service, target.port
        where = f"{service.host} of {service.source.reference}, port {port.number} {port.protocol}".rstrip()
        text = {
            "virtual_host": f"The Host header matches {where}.",
            "server_name": f"The server name matches {where}.",
            "own_listener_any_host": f"{target.by} has a listener of its own for this address that takes any Host.",
            "virtual_service_route": f"{target.by} leads it elsewhere.",
        }.get(rule, f"{target.by} takes everything on this address and port {target.port.number}, whatever the name.")
        return f"{text} {note}".rstrip()

    def _fallthrough(self, rule: str, because: str) -> Decision:
        """Nothing that is registered takes the request: the outbound policy decides."""
        outbound, by = self.policy.outbound, self.policy.set_by
        if outbound.mode is Mode.REGISTRY_ONLY:
            return Decision(Outcome.BLOCKED, rule, f"{because}, and the policy is REGISTRY_ONLY{_of(by)}.", by)
        if outbound.egress_proxy is not None and outbound.mode is Mode.ALLOW_ANY:
            return self._to_proxy(f"{because}, so it goes to the egress proxy of {by}", by)
        how = "allow_any_dynamic_dns" if outbound.mode is Mode.ALLOW_ANY_DYNAMIC_DNS and self._is_http else rule
        return Decision(Outcome.ALLOWED, how, f"{because}, and the policy is {outbound.mode}{_of(by)}.", by, True)

    def _to_proxy(self, because: str, by: str | None) -> Decision:
        assert self.policy.outbound.egress_proxy is not None
        proxy = self.policy.outbound.egress_proxy
        leads = Leads((proxy,), self.scope.client.namespace, self.request.destination_port or 0)
        (cluster,) = self.scope.destinations.of(leads)
        if cluster.missing is not None:
            return Decision(Outcome.BROKEN, "egress_proxy", f"{because}, but {cluster.missing}.", by)
        return Decision(Outcome.ALLOWED, "egress_proxy", f"{because}.", by, True)


_ROUTED = (PortClass.HTTP, PortClass.AUTO)
_UNCHECKED = ("match_all_chain", "own_listener_any_host")
"""Rules that look at neither host nor server name."""


def _of(sidecar: str | None) -> str:
    return "" if sidecar is None else f" by Sidecar {sidecar}"


def _with_owner(target: Target, clusters: Sequence[Cluster]) -> Target:
    """A target of an entry as the Kubernetes Service's that has the same name and place too: the cluster is that one's.

    Source: istio/istio pilot/pkg/model/sidecar.go (appendSidecarServices); which of them came first decides nothing.
    """
    owner = clusters[0].service if clusters and not target.rerouted else None
    if owner is None or not owner.is_kubernetes or target.service.is_kubernetes:
        return target
    port = next((item for item in owner.ports if item.number == target.port.number), None)
    kind = None if port is None else port_class(port.protocol)
    is_same_chain = owner.address is not None and owner.plain_address == target.service.plain_address
    is_same_kind = kind is port_class(target.port.protocol)
    if port is None or not (kind in _ROUTED if target.http else is_same_chain and is_same_kind):
        return target
    return replace(target, service=owner, port=port, by=owner.source.reference)


def _named(group: ChainGroup, server_name: str) -> Target | None:
    """The chain of a server name as Envoy logged it; of an odd one only the clean end can be matched."""
    if not server_name.startswith(INVALID_SNI):
        return group.named(server_name.lower())
    name = server_name.removeprefix(INVALID_SNI)
    return replace(group, exact={}).named(name)
