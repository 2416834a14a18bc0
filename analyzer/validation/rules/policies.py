"""Rules on AuthorizationPolicy and Telemetry (istio/istio pkg/config/validation/validation.go, pkg/config/security)."""

from collections.abc import Iterator
from functools import partial

from analyzer.validation.names import is_address_or_cidr
from analyzer.validation.node import Node, Problem
from analyzer.validation.rule import SCHEMA_ERROR, SCHEMA_WARNING, WEBHOOK, rule
from analyzer.validation.subject import Subject
from analyzer.vocabulary import Severity

_POLICY = ("AuthorizationPolicy",)
_KINDS = ("AuthorizationPolicy", "Telemetry")
_WEBHOOK = f"{WEBHOOK} ValidateAuthorizationPolicy"
_IDENTITIES = ("principals", "notPrincipals", "namespaces", "notNamespaces", "serviceAccounts", "notServiceAccounts")
_UNKNOWN_TO_CUSTOM = (*_IDENTITIES[:4], "requestPrincipals", "notRequestPrincipals")
_BLOCKS = ("ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks")
_TCP_SOURCES = (*_IDENTITIES[:4], *_BLOCKS)
_HTTP_OPERATIONS = ("hosts", "notHosts", "methods", "notMethods", "paths", "notPaths")
_SOURCE_KEYS = ("source.ip", "remote.ip", "source.namespace", "source.principal", "source.serviceAccount")
_TARGET_KEYS = ("destination.ip", "destination.port", "connection.sni")
_AUTH_KEYS = ("request.auth.principal", "request.auth.audiences", "request.auth.presenter")
_KEYS = (*_SOURCE_KEYS, *_TARGET_KEYS, *_AUTH_KEYS)
_KEY_PREFIXES = ("request.headers[", "request.auth.claims[", "experimental.envoy.filters.")
_refused = partial(rule, severity=Severity.ERROR, kinds=_POLICY, istio_code=SCHEMA_ERROR, source=_WEBHOOK)


@rule(
    "selector_and_target",
    Severity.ERROR,
    kinds=_KINDS,
    istio_code=SCHEMA_ERROR,
    source=f"{WEBHOOK} validateOneOfSelectorType",
)
def selector_and_target(subject: Subject) -> Iterator[Problem]:
    """Either a selector or targets."""
    given = [key for key in ("selector", "targetRef", "targetRefs") if subject.spec[key].is_set]
    if len(given) > 1:
        yield subject.spec[given[1]].problem(f"{' and '.join(given)} exclude each other", "keep one of them")


@rule(
    "match_labels_invalid",
    Severity.ERROR,
    kinds=(*_KINDS, "DestinationRule"),
    istio_code=SCHEMA_ERROR,
    source=f"{WEBHOOK} validateWorkloadSelector",
)
def match_labels_invalid(subject: Subject) -> Iterator[Problem]:
    """A selector has no empty key and no `*`."""
    selector = "workloadSelector" if subject.kind == "DestinationRule" else "selector"
    for key, value in subject.spec[selector]["matchLabels"].pairs():
        if not key or "*" in key or "*" in value.text:
            yield value.problem(f"{key!r}: empty keys and `*` are not allowed in a selector")


@_refused("deny_without_rules")
def deny_without_rules(subject: Subject) -> Iterator[Problem]:
    """DENY and CUSTOM need rules: without any they would never match."""
    action = subject.spec["action"]
    if action.text in ("DENY", "CUSTOM") and not subject.spec["rules"].is_set:
        yield action.problem(f"{action.text} without rules never matches", "rules: [{}] for every request")


@_refused("provider_misplaced")
def provider_misplaced(subject: Subject) -> Iterator[Problem]:
    """CUSTOM names a provider, and nothing else does."""
    action, provider = subject.spec["action"], subject.spec["provider"]
    if action.text == "CUSTOM" and subject.spec["rules"].is_set and not provider["name"].text:
        yield action.problem("CUSTOM needs a provider", "provider: {name: NAME}")
    elif action.text != "CUSTOM" and provider.is_set:
        yield provider.problem("a provider goes with CUSTOM only", "action: CUSTOM")


@_refused("policy_rule_empty")
def policy_rule_empty(subject: Subject) -> Iterator[Problem]:
    """`from`, `to`, their source and operation say something; no value is empty."""
    for policy in subject.spec["rules"].mappings():
        for key, inner in (("from", "source"), ("to", "operation")):
            if policy[key].is_set and not policy[key].items():
                yield policy[key].problem(f"`{key}` is empty", "leave it out")
            for item in policy[key].mappings():
                said = [value for _, value in item[inner].pairs() if value.items()]
                if not said:
                    yield item[inner].problem(f"`{key}.{inner}` is empty", "leave it out")
                for value in said:
                    yield from (text.problem("an empty value") for text in value.texts() if not text.text)


@_refused("policy_value_invalid")
def policy_value_invalid(subject: Subject) -> Iterator[Problem]:
    """IP blocks are addresses or CIDRs, ports are port numbers in quotes."""
    for policy in subject.spec["rules"].mappings():
        for source in (item["source"] for item in policy["from"].mappings()):
            for block in (text for key in _BLOCKS for text in source[key].texts()):
                if not is_address_or_cidr(block.text):
                    yield block.problem(f"{block.text!r} is neither an IP address nor a CIDR")
        for operation in (item["operation"] for item in policy["to"].mappings()):
            for port in (text for key in ("ports", "notPorts") for text in operation[key].texts()):
                if not port.text.isdigit() or not 1 <= int(port.text) <= 65535:
                    yield port.problem(f"{port.text!r} is no port number", '"443"')


@_refused("policy_condition_invalid")
def policy_condition_invalid(subject: Subject) -> Iterator[Problem]:
    """A condition has a key that Istio knows, and values."""
    for policy in subject.spec["rules"].mappings():
        for condition in policy["when"].mappings():
            key = condition["key"]
            if key.text not in _KEYS and not key.text.startswith(_KEY_PREFIXES):
                yield key.problem(f"Istio knows no attribute {key.text!r}", "key: connection.sni")
            if not condition["values"].items() and not condition["notValues"].items():
                yield condition.problem(f"the condition on {key.text} has no values", "values: [api.example.com]")
            for value in (*condition["values"].texts(), *condition["notValues"].texts()):
                if not value.text:
                    yield value.problem("an empty value")


@_refused("custom_by_identity")
def custom_by_identity(subject: Subject) -> Iterator[Problem]:
    """A CUSTOM rule looks at no identity: namespaces, principals and what a token says are not known to it."""
    for policy in subject.spec["rules"].mappings() if subject.spec["action"].text == "CUSTOM" else ():
        for source in (item["source"] for item in policy["from"].mappings()):
            for name in _UNKNOWN_TO_CUSTOM:
                if source[name].items():
                    yield source[name].problem(f"`{name}` is not supported with CUSTOM", "ipBlocks")
        for condition in policy["when"].mappings():
            key = condition["key"]
            if key.text in ("source.namespace", "source.principal") or key.text.startswith("request.auth."):
                yield key.problem(f"{key.text} is not supported with CUSTOM", "key: source.ip")


@rule("deny_by_http_only", Severity.WARNING, kinds=_POLICY, istio_code=SCHEMA_WARNING, source=_WEBHOOK)
def deny_by_http_only(subject: Subject) -> Iterator[Problem]:
    """A DENY rule that looks at HTTP only denies all TCP in its scope."""
    for policy in subject.spec["rules"].mappings() if subject.spec["action"].text == "DENY" else ():
        sources = [item["source"] for item in policy["from"].mappings() if item["source"].is_set]
        operations = [item["operation"] for item in policy["to"].mappings() if item["operation"].is_set]
        by_source = any(source[key].is_set for source in sources for key in _TCP_SOURCES)
        by_port = any(operation[key].is_set for operation in operations for key in ("ports", "notPorts"))
        if (sources and not operations and not by_source) or (operations and not by_port):
            yield policy.problem("this rule looks at HTTP only, so it denies all TCP in its scope", 'ports: ["443"]')


@rule(
    "allow_needs_identity",
    Severity.DANGER,
    kinds=_POLICY,
    source="istio.io tasks/traffic-management/egress/egress-gateway",
)
def allow_needs_identity(subject: Subject) -> Iterator[Problem]:
    """Behind a server that passes TLS on there is no client identity: namespaces and principals never match."""
    labels = {(key, node.text) for key, node in subject.spec["selector"]["matchLabels"].pairs()}
    passing = next((gateway for gateway in subject.mesh.of_kind("Gateway") if _only_passes_tls(gateway, labels)), None)
    if passing is None or subject.spec["action"].text not in ("", "ALLOW"):
        return
    for identity in _identities(subject):
        yield identity.problem(
            f"{passing.reference} passes TLS on, so the gateway knows no client: this never matches",
            "tls.mode: ISTIO_MUTUAL, or ipBlocks",
        )


@rule(
    "allow_by_http_on_tls",
    Severity.DANGER,
    kinds=_POLICY,
    source="istio/istio pilot/pkg/security/authz/builder/builder.go",
)
def allow_by_http_on_tls(subject: Subject) -> Iterator[Problem]:
    """Where TLS is passed on, an ALLOW rule with hosts, methods or paths never matches."""
    labels = {(key, node.text) for key, node in subject.spec["selector"]["matchLabels"].pairs()}
    if subject.spec["action"].text not in ("", "ALLOW"):
        return
    if not any(_only_passes_tls(gateway, labels) for gateway in subject.mesh.of_kind("Gateway")):
        return
    for policy in subject.spec["rules"].mappings():
        for operation in (item["operation"] for item in policy["to"].mappings()):
            for key in _HTTP_OPERATIONS:
                if operation[key].items():
                    yield operation[key].problem(
                        f"`{key}` is of HTTP, and the gateway passes TLS on: this never matches",
                        "when: [{key: connection.sni, values: [NAME]}]",
                    )


@rule(
    "telemetry_provider_unnamed",
    Severity.ERROR,
    kinds=("Telemetry",),
    istio_code=SCHEMA_ERROR,
    source=f"{WEBHOOK} validateTelemetryProviders",
)
def telemetry_provider_unnamed(subject: Subject) -> Iterator[Problem]:
    """A provider has a name."""
    for logging in subject.spec["accessLogging"].mappings():
        for provider in logging["providers"].items():
            if not provider["name"].text:
                yield provider.problem("the provider has no name", "name: envoy")


def _identities(subject: Subject) -> Iterator[Node]:
    for policy in subject.spec["rules"].mappings():
        for source in (item["source"] for item in policy["from"].mappings()):
            yield from (source[key] for key in _IDENTITIES if source[key].items())


def _only_passes_tls(gateway: Subject, labels: set[tuple[str, str]]) -> bool:
    """Whether a policy for workloads with these labels meets the gateway, and each of its servers passes TLS on."""
    selector = {(key, node.text) for key, node in gateway.spec["selector"].pairs()}
    servers = gateway.spec["servers"].mappings()
    return (
        bool(labels)
        and labels <= selector
        and bool(servers)
        and all(
            server["tls"].is_set and (server["tls"]["mode"].text or "PASSTHROUGH") == "PASSTHROUGH"
            for server in servers
        )
    )
