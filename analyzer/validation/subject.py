"""What a rule looks at: one object, the version of Istio, and every other object beside it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from analyzer.mesh.model import Document
from analyzer.validation.node import Node
from analyzer.versions import Version

Index = TypeVar("Index")


@dataclass(frozen=True)
class Subject:
    """One object of a kind that is known, with the mesh that it stands in."""

    document: Document
    version: Version
    mesh: "Inventory"

    @property
    def kind(self) -> str:
        """`kind`, as written."""
        return self.document.kind

    @property
    def namespace(self) -> str:
        """`metadata.namespace`, or `default`."""
        return self.document.namespace

    @property
    def reference(self) -> str:
        """`<namespace>/<name>`."""
        return f"{self.document.namespace}/{self.document.name}"

    @cached_property
    def root(self) -> Node:
        """The whole document."""
        return Node((), self.document.content)

    @cached_property
    def metadata(self) -> Node:
        """`metadata`."""
        return self.root["metadata"]

    @cached_property
    def spec(self) -> Node:
        """`spec`."""
        return self.root["spec"]

    @property
    def place(self) -> str:
        """Where it was read."""
        return f"{self.document.origin.file}:{self.document.origin.line}"


class Inventory:
    """Every object of all files together: what rules between objects look things up in."""

    def __init__(self, documents: Sequence[Document], version: Version) -> None:
        self.subjects = [Subject(document, version, self) for document in documents]
        self._by_kind: dict[str, list[Subject]] = defaultdict(list)
        for subject in self.subjects:
            self._by_kind[subject.kind].append(subject)
        self._indexes: dict[Callable[[Inventory], Any], Any] = {}

    def of_kind(self, kind: str) -> list[Subject]:
        """All objects of one kind, in the order in which they were read."""
        return self._by_kind.get(kind, [])

    def index(self, build: Callable[["Inventory"], Index]) -> Index:
        """What a rule looks things up in, built once for all objects."""
        if build not in self._indexes:
            self._indexes[build] = build(self)
        found: Index = self._indexes[build]
        return found

    @cached_property
    def namespaces(self) -> frozenset[str] | None:
        """The names of all namespaces, or null where no Namespace was given."""
        return frozenset(subject.document.name for subject in self.of_kind("Namespace")) or None

    @cached_property
    def mesh_config(self) -> Node:
        """The `mesh` of the ConfigMap `istio`, else the first revision's, or nothing (istio/istio manifests/charts)."""
        found = {(item.document.name, item.document.namespace): item for item in self.of_kind("ConfigMap")}
        for name, namespace in sorted(found, key=lambda place: (place[0] != "istio", place)):
            if name == "istio" or name.startswith("istio-"):
                content = _yaml(found[name, namespace].root["data"]["mesh"].text)
                if isinstance(content, Mapping):
                    return Node((), content)
        return Node((), None)

    @cached_property
    def hosts_with_tls(self) -> frozenset[str]:
        """Hosts, in lower case, towards which some DestinationRule originates TLS."""
        return frozenset(
            rule.spec["host"].text.lower() for rule in self.of_kind("DestinationRule") if _originates(rule.spec)
        )

    @property
    def root_namespace(self) -> str:
        """`rootNamespace` of the mesh, where configuration for all namespaces lives."""
        return self.mesh_config["rootNamespace"].text or "istio-system"


def _originates(spec: Node) -> bool:
    policy = spec["trafficPolicy"]
    settings = [policy["tls"], *(port["tls"] for port in policy["portLevelSettings"].mappings())]
    return any(tls["mode"].text in ("SIMPLE", "MUTUAL") for tls in settings)


def _yaml(text: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text) if text else None
    except (YAMLError, ValueError):
        return None
