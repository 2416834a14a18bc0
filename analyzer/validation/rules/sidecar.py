"""Rules on a Sidecar (istio/istio pkg/config/validation/validation.go ValidateSidecar)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial

from analyzer.mesh.protocols import port_class
from analyzer.validation.names import (
    is_address,
    is_label,
    is_partial_wildcard,
    why_no_fqdn,
    why_no_unix_address,
    why_no_wildcard_domain,
)
from analyzer.validation.node import Node, Problem
from analyzer.validation.rule import SCHEMA_ERROR, SCHEMA_WARNING, WEBHOOK, rule
from analyzer.validation.selecting import ambient_namespaces, is_ambient, labels_of, pods_of, selected
from analyzer.validation.subject import Inventory, Subject
from analyzer.vocabulary import Mode, Severity

_WEBHOOK = f"{WEBHOOK} ValidateSidecar"
_KIND = ("Sidecar",)
_SELECTOR = "istio/istio pkg/config/analysis/analyzers/sidecar/selector.go"
_UNIX = "unix://"
_PARTS = ("egress", "ingress", "outboundTrafficPolicy", "inboundConnectionPool")
_refused = partial(rule, severity=Severity.ERROR, kinds=_KIND, istio_code=SCHEMA_ERROR, source=_WEBHOOK)
_warned = partial(rule, severity=Severity.WARNING, kinds=_KIND, istio_code=SCHEMA_WARNING, source=_WEBHOOK)
_danger = partial(rule, severity=Severity.DANGER, kinds=_KIND)


@_refused("sidecar_empty")
def sidecar_empty(subject: Subject) -> Iterator[Problem]:
    """A Sidecar with neither egress, ingress, outboundTrafficPolicy nor inboundConnectionPool is refused."""
    said = (subject.spec[part] for part in _PARTS)
    if subject.spec.is_set and not any(part.items() or isinstance(part.value, Mapping) for part in said):
        yield subject.spec.problem("an empty Sidecar is refused", 'egress: [{hosts: ["./*", "istio-system/*"]}]')


@_refused("sidecar_egress_hosts_missing")
def sidecar_egress_hosts_missing(subject: Subject) -> Iterator[Problem]:
    """Each egress listener names at least one host."""
    for listener in subject.spec["egress"].mappings():
        if not listener["hosts"].items():
            yield listener["hosts"].problem("the egress listener names no host", 'hosts: ["./*", "istio-system/*"]')


@_refused("sidecar_host_invalid")
def sidecar_host_invalid(subject: Subject) -> Iterator[Problem]:
    """Hosts are `namespace/name`: a namespace, `.`, `*` or `~`, and a full DNS name, `*.` and a domain, or `*`."""
    for _, host in _egress_hosts(subject):
        why = _why_no_egress_host(host.text, subject)
        if why is not None:
            yield host.problem(f"{host.text!r}: {why}", "shop/api.example.com, ./* or istio-system/*")


@_refused("sidecar_catch_all_not_last")
def sidecar_catch_all_not_last(subject: Subject) -> Iterator[Problem]:
    """The one egress listener without a port is the last one."""
    listeners = subject.spec["egress"].mappings()
    for listener in listeners[:-1]:
        if not listener["port"].is_set:
            yield listener.problem("an egress listener without port must be the only one and the last", "move it down")


@_refused("sidecar_port_invalid")
def sidecar_port_invalid(subject: Subject) -> Iterator[Problem]:
    """A listener's port has a number from 1 to 65535 (0 with a `unix://` bind), a known protocol and no targetPort."""
    for listener in [*subject.spec["egress"].mappings(), *subject.spec["ingress"].mappings()]:
        port = listener["port"]
        if not port.is_set:
            continue
        number = port["number"].number or 0
        socket = listener["bind"].text.startswith(_UNIX) and listener.path[1] == "egress"
        if not 1 <= number <= 65535 and not (socket and number == 0):
            yield port["number"].problem(f"{number} is no port number", "1 to 65535")
        if port["name"].text and not is_label(port["name"].text):
            yield port["name"].problem(f"{port['name'].text!r} is no port name")
        if port_class(port["protocol"].text) is None:
            yield port["protocol"].problem(f"Istio knows no protocol {port['protocol'].text!r}", "HTTP, TLS or TCP")
        if port["targetPort"].number:
            yield port["targetPort"].problem("targetPort has no meaning in a Sidecar", "leave it out")


@_refused("sidecar_bind_invalid")
def sidecar_bind_invalid(subject: Subject) -> Iterator[Problem]:
    """A listener binds to an IP address, an egress listener also to a `unix://` path."""
    for listener in [*subject.spec["egress"].mappings(), *subject.spec["ingress"].mappings()]:
        bind = listener["bind"].text
        if bind.startswith(_UNIX) and listener.path[1] == "egress":
            why = why_no_unix_address(bind.removeprefix(_UNIX))
            if why is not None:
                yield listener["bind"].problem(f"bind: {why}")
        elif bind and not is_address(bind):
            yield listener["bind"].problem(f"{bind!r} is no IP address", "bind: 127.0.0.1")


@_refused("sidecar_port_duplicate")
def sidecar_port_duplicate(subject: Subject) -> Iterator[Problem]:
    """Listeners of one direction have different ports."""
    for direction in ("egress", "ingress"):
        seen: set[int] = set()
        for listener in subject.spec[direction].mappings():
            number = listener["port"]["number"].number
            if number in seen:
                yield listener["port"]["number"].problem(f"two {direction} listeners have port {number}")
            seen |= {number} if number else set()


@_refused("sidecar_ingress_port_missing")
def sidecar_ingress_port_missing(subject: Subject) -> Iterator[Problem]:
    """An ingress listener has a port."""
    for listener in subject.spec["ingress"].mappings():
        if not listener["port"].is_set:
            yield listener["port"].problem("the ingress listener has no port")


@_refused("sidecar_egress_proxy_invalid")
def sidecar_egress_proxy_invalid(subject: Subject) -> Iterator[Problem]:
    """egressProxy goes with ALLOW_ANY only, and has a full host name and a port."""
    policy = subject.spec["outboundTrafficPolicy"]
    proxy = policy["egressProxy"]
    if not proxy.is_set:
        return
    if policy["mode"].text != Mode.ALLOW_ANY:
        yield proxy.problem("egressProxy works with mode ALLOW_ANY only", "mode: ALLOW_ANY")
    elif why_no_fqdn(proxy["host"].text) is not None:
        yield proxy["host"].problem(f"{proxy['host'].text!r} is no full host name")
    elif not 1 <= (proxy["port"]["number"].number or 0) <= 65535:
        yield proxy["port"].problem("egressProxy needs a port", "port: {number: 3128}")


@_refused("sidecar_mode_not_served")
def sidecar_mode_not_served(subject: Subject) -> Iterator[Problem]:
    """ALLOW_ANY_DYNAMIC_DNS is for the whole mesh only."""
    mode = subject.spec["outboundTrafficPolicy"]["mode"]
    if mode.text == Mode.ALLOW_ANY_DYNAMIC_DNS:
        yield mode.problem("ALLOW_ANY_DYNAMIC_DNS is for the whole mesh only", "mode: REGISTRY_ONLY or ALLOW_ANY")


@_warned("sidecar_host_duplicate")
def sidecar_host_duplicate(subject: Subject) -> Iterator[Problem]:
    """A host that another line of the listener covers is taken with a warning."""
    for listener in subject.spec["egress"].mappings():
        seen: dict[str, set[str]] = {}
        for host in listener["hosts"].texts():
            namespace, slash, name = host.text.partition("/")
            known = seen.setdefault(subject.namespace if namespace == "." else namespace, set())
            if slash and (name in known or "*" in known or (name == "*" and known)):
                yield host.problem(f"{host.text!r} is covered twice", "keep one of the lines")
            known.add(name)


@_warned("sidecar_everything_and_more")
def sidecar_everything_and_more(subject: Subject) -> Iterator[Problem]:
    """`*/*` selects everything, so nothing belongs beside it."""
    for listener in subject.spec["egress"].mappings():
        hosts = listener["hosts"].texts()
        everything = next((host for host in hosts if host.text == "*/*"), None)
        if everything is not None and any(not host.text.startswith("*/") for host in hosts):
            yield everything.problem("`*/*` selects everything; nothing belongs beside it", "take it away, or the rest")


@_danger("sidecar_policy_empty", source="istio/istio pilot/pkg/model/sidecar.go")
def sidecar_policy_empty(subject: Subject) -> Iterator[Problem]:
    """An empty outboundTrafficPolicy is REGISTRY_ONLY, because that is the first word of the enumeration."""
    policy = subject.spec["outboundTrafficPolicy"]
    if isinstance(policy.value, Mapping) and not policy["mode"].is_set:
        yield policy.problem("an outboundTrafficPolicy without mode is REGISTRY_ONLY", "mode: REGISTRY_ONLY")


@_danger("sidecar_without_control_plane", source="istio.io reference/config/networking/sidecar")
def sidecar_without_control_plane(subject: Subject) -> Iterator[Problem]:
    """An egress list without the root namespace hides shared services: telemetry, gateways, entries for all."""
    root = subject.mesh.root_namespace
    names = {host.text.partition("/")[0] for _, host in _egress_hosts(subject)}
    if names and not names & {"*", root, "~"} and not (subject.namespace == root and "." in names):
        yield subject.spec["egress"].problem(f"no host of {root} is listed, so its services are hidden", f"{root}/*")


@_danger("sidecar_exact_hosts_only", since=(1, 31), source="istio/istio pilot/pkg/model/sidecar.go")
def sidecar_exact_hosts_only(subject: Subject) -> Iterator[Problem]:
    """A listener that lists exact names of exact namespaces only sees one entry for each, and its first address.

    Where the entries are given too, this is said only of hosts that have several.
    """
    several = subject.mesh.index(_several)
    for listener in subject.spec["egress"].mappings():
        hosts = listener["hosts"].texts()
        if not hosts or any("*" in host.text or host.text.startswith("~") for host in hosts):
            continue
        listed = {_home(host.text, subject.namespace) for host in hosts}
        if listed & several or not subject.mesh.of_kind("ServiceEntry"):
            yield listener["hosts"].problem(
                "only exact names are listed: of several entries for a host, and of several addresses, only the first "
                "is seen",
                "istio-system/*",
            )


@rule(
    "sidecar_conflict",
    Severity.WARNING,
    kinds=_KIND,
    istio_code="IST0111",
    source="istio/istio pkg/config/analysis/analyzers/sidecar/defaultselector.go",
)
def sidecar_conflict(subject: Subject) -> Iterator[Problem]:
    """A namespace has one Sidecar without workloadSelector at the most."""
    if subject.spec["workloadSelector"]["labels"].pairs():
        return
    first = subject.mesh.index(_default_sidecars)[subject.namespace]
    if first.reference != subject.reference:
        yield subject.metadata["name"].problem(
            f"{first.reference} ({first.place}) has no workloadSelector either: which one counts is undefined",
            "one Sidecar without workloadSelector a namespace",
        )


@rule("sidecar_selector_conflict", Severity.WARNING, kinds=_KIND, istio_code="IST0110", source=_SELECTOR)
def sidecar_selector_conflict(subject: Subject) -> Iterator[Problem]:
    """A pod is selected by one Sidecar: of several the oldest counts, and nobody sees which that is."""
    selector = labels_of(subject.spec["workloadSelector"]["labels"])
    for other in subject.mesh.index(_selecting).get(subject.namespace, ()) if selector else ():
        theirs = labels_of(other.spec["workloadSelector"]["labels"])
        if other.reference == subject.reference or not _may_meet(selector, theirs):
            continue
        both = selected(subject.mesh, {**selector, **theirs}, [subject.namespace])
        pod = next((pod for pod in both if not is_ambient(pod)), None)
        # Without Pods it is known only where every pod of the one is one of the other.
        known = pod is not None or (not subject.mesh.of_kind("Pod") and selector.items() >= theirs.items())
        if known:
            whose = f"the pod {pod.document.name}" if pod else "every pod of this one"
            yield subject.spec["workloadSelector"].problem(
                f"{other.reference} ({other.place}) selects {whose} too", "labels that no other Sidecar asks for"
            )


@rule("sidecar_selects_nothing", Severity.WARNING, kinds=_KIND, istio_code="IST0101", source=_SELECTOR)
def sidecar_selects_nothing(subject: Subject) -> Iterator[Problem]:
    """A workloadSelector finds a pod in the Sidecar's namespace, where Pods of that are given."""
    selector = labels_of(subject.spec["workloadSelector"]["labels"])
    given = subject.mesh.index(pods_of).get(subject.namespace)
    if selector and given and not selected(subject.mesh, selector, [subject.namespace]):
        yield subject.spec["workloadSelector"].problem(
            f"no pod in {subject.namespace} has these labels, so the Sidecar holds for nobody"
        )


@rule("sidecar_in_ambient", Severity.WARNING, kinds=_KIND, istio_code="IST0167", source=_SELECTOR)
def sidecar_in_ambient(subject: Subject) -> Iterator[Problem]:
    """A Sidecar is for pods with a sidecar: in ambient mode there is none, and ztunnel takes no notice of it."""
    selector = labels_of(subject.spec["workloadSelector"]["labels"])
    pods = selected(subject.mesh, selector, [subject.namespace]) if selector else []
    if any(map(is_ambient, pods)):
        node, what = subject.spec["workloadSelector"], "pods that it selects are"
    elif not selector and subject.namespace in subject.mesh.index(ambient_namespaces):
        node, what = subject.metadata["namespace"], "its namespace is"
    else:
        return
    yield node.problem(f"{what} in ambient mode, where a Sidecar does nothing", "a waypoint, or a NetworkPolicy")


def _may_meet(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether one pod can have the labels of both."""
    return all(other.get(key, value) == value for key, value in one.items())


def _selecting(mesh: Inventory) -> dict[str, list[Subject]]:
    found: dict[str, list[Subject]] = {}
    for subject in mesh.of_kind("Sidecar"):
        if subject.spec["workloadSelector"]["labels"].pairs():
            found.setdefault(subject.namespace, []).append(subject)
    return found


def _home(line: str, own: str) -> tuple[str, str]:
    namespace, _, name = line.partition("/")
    return own if namespace == "." else namespace, name


def _several(mesh: Inventory) -> set[tuple[str, str]]:
    """Hosts, by namespace, that have more than one entry or address."""
    found: Counter[tuple[str, str]] = Counter()
    for entry in mesh.of_kind("ServiceEntry"):
        for host in entry.spec["hosts"].texts():
            found[entry.namespace, host.text] += max(len(entry.spec["addresses"].items()), 1)
    return {place for place, count in found.items() if count > 1}


def _egress_hosts(subject: Subject) -> list[tuple[Node, Node]]:
    return [(listener, host) for listener in subject.spec["egress"].mappings() for host in listener["hosts"].texts()]


def _why_no_egress_host(text: str, subject: Subject) -> str | None:
    namespace, slash, name = text.partition("/")
    if not slash:
        return "must be of the form namespace/name"
    if not namespace or not name:
        return "neither namespace nor name may be empty"
    if namespace.startswith("~") and namespace != "~":
        if subject.version < (1, 31):
            return "hosts are excluded with `~namespace/` since Istio 1.31"
        namespace = namespace[1:]
    if namespace not in ("*", ".", "~") and not is_label(namespace):
        return f"{namespace!r} is no namespace"
    if name != "*" and "." not in name:
        return "short names are not allowed"
    if name != "*" and is_partial_wildcard(name):
        return "partial wildcards are not allowed"
    return None if name == "*" else why_no_wildcard_domain(name)


def _default_sidecars(mesh: Inventory) -> dict[str, Subject]:
    found: dict[str, Subject] = {}
    for subject in mesh.of_kind("Sidecar"):
        if not subject.spec["workloadSelector"]["labels"].pairs():
            found.setdefault(subject.namespace, subject)
    return found
