"""Namespace: the labels that selectors of the mesh look at."""

from analyzer.mesh.fields import common
from analyzer.mesh.kinds import MeshKind
from analyzer.mesh.objects import Document
from analyzer.mesh.services import Namespace

_OWN_NAME = "kubernetes.io/metadata.name"


def namespace_of(document: Document) -> Namespace:
    """A Namespace document as a value; Kubernetes labels each with its own name."""
    known = common(document)
    return Namespace(**{**known, "labels": {_OWN_NAME: document.name, **known["labels"]}})


KIND = MeshKind("Namespace", "", "namespaces", namespace_of)
