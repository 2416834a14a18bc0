"""Who may see an object: `exportTo` as sets of namespaces (istio/istio pilot/pkg/model/push_context.go)."""

from collections.abc import Collection, Iterator

from analyzer.validation.subject import Subject

EVERYBODY = "*"
_DEFAULTS = {
    "ServiceEntry": "defaultServiceExportTo",
    "VirtualService": "defaultVirtualServiceExportTo",
    "DestinationRule": "defaultDestinationRuleExportTo",
}
"""What the mesh's configuration says where an object says nothing (istio/api mesh/v1alpha1/config.proto)."""


def scopes_of(subject: Subject) -> frozenset[str]:
    """The namespaces that may see an object, or just `*`; `~` stays and overlaps with nobody's namespace."""
    written = [node.text for node in subject.spec["exportTo"].texts()]
    if not written:
        defaults = [node.text for node in subject.mesh.mesh_config[_DEFAULTS[subject.kind]].texts()]
        written = defaults or [EVERYBODY]
    if EVERYBODY in written:
        return frozenset((EVERYBODY,))
    return frozenset(subject.namespace if scope == "." else scope for scope in written)


def meeting(scopes: frozenset[str], known: Collection[str]) -> Iterator[str]:
    """Those of some known scopes in which an object with these scopes is seen too, in a settled order."""
    if EVERYBODY in scopes:
        yield from (scope for scope in known if scope != "~")
    else:
        yield from sorted(scope for scope in scopes | {EVERYBODY} if scope in known)
