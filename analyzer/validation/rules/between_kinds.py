"""Rules between ServiceEntries and the objects that refer to their hosts."""

from collections.abc import Iterator

from analyzer.mesh.names import covers
from analyzer.validation.node import Problem
from analyzer.validation.rule import rule
from analyzer.validation.service_entry import resolution_of
from analyzer.validation.subject import Inventory, Subject
from analyzer.vocabulary import Resolution, Severity


@rule(
    "destination_rule_host_unknown",
    Severity.WARNING,
    kinds=("DestinationRule",),
    istio_code="IST0174",
    source="istio/istio pkg/config/analysis/analyzers/destinationrule",
)
def destination_rule_host_unknown(subject: Subject) -> Iterator[Problem]:
    """A DestinationRule outside the cluster is for a host that some ServiceEntry registers."""
    host = subject.spec["host"].text
    if "." not in host or host.endswith((".local", ".svc")):
        return
    hosts = subject.mesh.index(_entries_by_host)
    if not any(covers(known, host) or covers(host, known) for known in hosts):
        yield subject.spec["host"].problem(f"there is no ServiceEntry for {host!r}", "a ServiceEntry for the host")


@rule(
    "gateway_to_none",
    Severity.DANGER,
    kinds=("VirtualService",),
    source="istio.io tasks/traffic-management/egress/egress-gateway",
)
def gateway_to_none(subject: Subject) -> Iterator[Problem]:
    """A gateway cannot send to an entry with resolution NONE: it would dial itself, or has no endpoint (UH)."""
    if all(gateway.text == "mesh" for gateway in subject.spec["gateways"].texts()):
        return
    entries = subject.mesh.index(_entries_by_host)
    for route in (route for key in ("http", "tls", "tcp") for route in subject.spec[key].mappings()):
        for item in route["route"].mappings():
            host = item["destination"]["host"]
            entry = entries.get(host.text.lower())
            if entry is not None and resolution_of(entry) is Resolution.NONE:
                yield host.problem(
                    f"{entry.reference} ({entry.place}) has resolution NONE, with which a gateway reaches nobody",
                    "resolution: DNS",
                )


@rule(
    "hidden_by_sidecar",
    Severity.DANGER,
    kinds=("ServiceEntry",),
    source="istio/istio pilot/pkg/model/sidecar.go",
)
def hidden_by_sidecar(subject: Subject) -> Iterator[Problem]:
    """In a namespace whose Sidecar lists egress hosts, an entry counts only if it is on the list."""
    listed = subject.mesh.index(_listed).get(subject.namespace)
    if listed is None:
        return
    sidecar, lines = listed
    for host in subject.spec["hosts"].texts():
        if not any(_imports(namespace, name, host.text, subject.namespace) for namespace, name in lines):
            yield host.problem(
                f"{sidecar.reference} ({sidecar.place}) does not list {host.text}, so this namespace does not see it",
                f"hosts: [./{host.text}] in the Sidecar",
            )


def _entries_by_host(mesh: Inventory) -> dict[str, Subject]:
    found: dict[str, Subject] = {}
    for entry in mesh.of_kind("ServiceEntry"):
        for host in entry.spec["hosts"].texts():
            found.setdefault(host.text.lower(), entry)
    return found


def _listed(mesh: Inventory) -> dict[str, tuple[Subject, list[tuple[str, str]]]]:
    """By namespace, the Sidecar for all its workloads and what its egress listeners list."""
    found: dict[str, tuple[Subject, list[tuple[str, str]]]] = {}
    for sidecar in mesh.of_kind("Sidecar"):
        listeners = sidecar.spec["egress"].mappings()
        if listeners and not sidecar.spec["workloadSelector"]["labels"].pairs():
            lines = [host.text.partition("/") for listener in listeners for host in listener["hosts"].texts()]
            pairs = [(sidecar.namespace if line[0] == "." else line[0], line[2]) for line in lines]
            found.setdefault(sidecar.namespace, (sidecar, pairs))
    return found


def _imports(namespace: str, name: str, host: str, own: str) -> bool:
    """Whether a line of the list imports a host: the same name, or one below its wildcard."""
    if namespace not in ("*", own):
        return False
    if name == "*" or name.lower() == host.lower():
        return True
    return name.startswith("*.") and host.lower().removeprefix("*").endswith(name.lower()[1:])
