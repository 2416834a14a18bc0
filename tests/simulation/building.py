"""Cases of the replay as a mesh operator writes them: entries in a line, Kubernetes objects, what is asked, what comes.

An entry in a line is `host[,host]:port/PROTOCOL[,port/PROTOCOL] [RESOLUTION] [addr A,B] [exp N,M] [in NAMESPACE]
[endpoints A,B] [vip ADDRESS] [labels k=v,k=v] [selects k=v] [undated]`; resolution DNS, namespace `egress`, and
each is older than the next. What is asked is `[<namespace>/]<workload>: <ip>:<port> [name] [METHOD path]` under
the protocol that the proxy saw; names of `tcp` are known from elsewhere.
"""

from collections.abc import Mapping
from typing import Any

from analyzer.evidence import DestinationKey, Request
from analyzer.mesh.loading import mesh_of
from analyzer.mesh.model import Document, Endpoint, Mesh, Origin, Port, ServiceEntry
from analyzer.vocabulary import ApplicationProtocol, EgressClass, Mode, Resolution

GROUPS = {"Sidecar": "networking.istio.io/v1", "Telemetry": "telemetry.istio.io/v1"}
CORE = ("Service", "Pod", "Namespace", "ConfigMap")
WEB = {
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": "2025-01-01T00:00:00Z"},
    "spec": {"clusterIP": "10.96.0.10", "ports": [{"port": 80, "name": "http-web"}]},
}


def mesh_in(case: Mapping[str, Any]) -> Mesh:
    """The mesh of a case: what exists, and what is proposed over it."""
    existing = _objects(case.get("documents", ()))
    existing = existing.over(Mesh(tuple(entry(text, n) for n, text in enumerate(case.get("entries", ()), 1))))
    first = len(case.get("entries", ())) + 1
    proposed = _objects(case.get("proposed_documents", ()))
    lines = tuple(entry(f"{text} undated", n) for n, text in enumerate(case.get("proposed", ()), first))
    return existing.over(proposed.over(Mesh(lines)).as_proposed())


def _objects(documents: Any) -> Mesh:
    warnings: list[Any] = []
    mesh = mesh_of([_document(WEB if item == "web" else item, n) for n, item in enumerate(documents, 1)], warnings)
    assert warnings == []
    return mesh


def _document(content: Mapping[str, Any], number: int) -> Document:
    kind, metadata = content["kind"], content["metadata"]
    version = {**dict.fromkeys(CORE, "v1"), "EndpointSlice": "discovery.k8s.io/v1", **GROUPS}
    api = content.get("apiVersion") or version.get(kind, "networking.istio.io/v1")
    return Document(kind, api, metadata.get("namespace", "default"), metadata["name"], content, Origin("case", number))


def entry(text: str, number: int) -> ServiceEntry:
    """An entry out of its line."""
    first, *words = text.split()
    hosts, _, ports = first.rpartition(":")
    resolution = Resolution(words[0]) if words and words[0] in Resolution.__members__ else Resolution.DNS
    namespace = _after(words, "in") or "egress"
    vip = _after(words, "vip")
    endpoints = _after(words, "endpoints") or ("192.0.2.200" if resolution is Resolution.STATIC else "")
    endpoints = "" if "no-endpoints" in words else endpoints
    selects = _after(words, "selects")
    return ServiceEntry(
        namespace=namespace,
        name=_after(words, "named") or f"e{number}",
        hosts=tuple(hosts.split(",")),
        ports=tuple(_port(port, n) for n, port in enumerate(ports.split(","))),
        addresses=_list(_after(words, "addr")),
        resolution=resolution,
        endpoints=() if selects else tuple(Endpoint(address) for address in _list(endpoints)),
        workload_selector=_pairs(selects) if selects else None,
        export_to=_list(_after(words, "exp")),
        labels=_pairs(_after(words, "labels")),
        auto_addresses={hosts: _list(vip)} if vip else {},
        creation_timestamp=None if "undated" in words else f"2026-01-{number:02}T00:00:00Z",
    )


def _after(words: list[str], word: str) -> str:
    return words[words.index(word) + 1] if word in words else ""


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in _list(text))


def _port(text: str, number: int) -> Port:
    written, _, protocol = text.partition("/")
    return Port(int(written), f"p{number}", protocol)


def request(protocol: str, asked: str) -> Request:
    """What is asked, out of its line."""
    who, separator, rest = asked.partition(": ")
    source, what = (who, rest) if separator else ("client", asked)
    namespace, slash, workload = source.rpartition("/")
    place, *words = what.split()
    ip, _, port = place.rpartition(":")
    ip = ip.strip("[]")
    name = words[0] if words else None
    host = name.lower().partition(":")[0].rstrip(".") if name else None
    spoken = ApplicationProtocol.HTTP if protocol == "connect" else ApplicationProtocol(protocol)
    is_http = spoken in (ApplicationProtocol.HTTP, ApplicationProtocol.GRPC)
    literal = host if host and not host.replace(".", "").isdigit() else None
    key = DestinationKey(namespace if slash else "app", workload, literal, None if literal else ip, int(port), spoken)
    return Request(
        key=key,
        authority=name if is_http else None,
        requested_server_name=name if protocol == "tls" else None,
        destination_ip=ip,
        destination_port=int(port),
        application_protocol=spoken,
        method_is_connect=protocol == "connect",
        egress_class=EgressClass.BLOCKED,
        entries=1,
        method=words[1] if len(words) > 1 else None,
        path=words[2] if len(words) > 2 else None,
    )


def mode_of(text: str) -> Mode:
    """R, A or D as in the tables, or a mode's own name."""
    short = {"R": Mode.REGISTRY_ONLY, "A": Mode.ALLOW_ANY, "D": Mode.ALLOW_ANY_DYNAMIC_DNS}
    return short.get(text) or Mode(text)
