"""Rules on `exportTo` (istio/istio pkg/config/validation/validation.go validateExportTo, pkg/config/visibility)."""

from collections.abc import Iterator
from functools import partial

from analyzer.mesh.names import is_dns1123_label
from analyzer.validation.names import is_label
from analyzer.validation.node import Problem
from analyzer.validation.rule import SCHEMA_ERROR, WEBHOOK, rule
from analyzer.validation.subject import Subject
from analyzer.vocabulary import Severity

_KINDS = ("ServiceEntry", "DestinationRule", "VirtualService")
_ALONE = {"*": "everybody", "~": "nobody"}
_refused = partial(
    rule, severity=Severity.ERROR, kinds=_KINDS, istio_code=SCHEMA_ERROR, source=f"{WEBHOOK} validateExportTo"
)


@_refused("export_to_invalid")
def export_to_invalid(subject: Subject) -> Iterator[Problem]:
    """`.`, `*`, a namespace, and on a ServiceEntry `~`."""
    for scope in subject.spec["exportTo"].texts():
        if scope.text == "~" and subject.kind != "ServiceEntry":
            yield scope.problem("`~` is for ServiceEntries only", 'exportTo: ["."]')
        elif scope.text not in (".", "*", "~") and not is_label(scope.text):
            yield scope.problem(f"{scope.text!r} is neither `.`, `*`, `~` nor a namespace", 'exportTo: ["."]')


@_refused("export_to_duplicate")
def export_to_duplicate(subject: Subject) -> Iterator[Problem]:
    """No namespace twice; `.` together with the object's own namespace is twice."""
    seen: set[str] = set()
    for scope in subject.spec["exportTo"].texts():
        named = subject.namespace if scope.text == "." else scope.text
        if named in seen:
            both = "`.` is its own namespace, and that" if named == subject.namespace else repr(named)
            yield scope.problem(f"{both} is named twice", "once is enough")
        seen.add(named)


@_refused("export_to_not_alone")
def export_to_not_alone(subject: Subject) -> Iterator[Problem]:
    """`*` and `~` stand alone."""
    scopes = subject.spec["exportTo"].texts()
    for scope in scopes:
        if scope.text in _ALONE and len(subject.spec["exportTo"].items()) > 1:
            yield scope.problem(
                f"`{scope.text}` is {_ALONE[scope.text]}, and stands alone", f'exportTo: ["{scope.text}"]'
            )


@rule("export_to_missing", Severity.INFO, kinds=("ServiceEntry",), source="istio/api service_entry.proto")
def export_to_missing(subject: Subject) -> Iterator[Problem]:
    """What is left out, or empty, is everybody."""
    if subject.spec.is_set and not subject.spec["exportTo"].items():
        if subject.mesh.mesh_config["defaultServiceExportTo"].items():
            return
        yield subject.spec["exportTo"].problem(
            "exportTo is left out, so every namespace may use this entry", 'exportTo: ["."]'
        )


@rule("export_to_nobody", Severity.DANGER, kinds=("ServiceEntry",), source="istio/istio pkg/config/visibility")
def export_to_nobody(subject: Subject) -> Iterator[Problem]:
    """`~` hides an entry from everybody, its own namespace included."""
    for scope in subject.spec["exportTo"].texts():
        if scope.text == "~":
            yield scope.problem("nobody sees this entry, its own namespace neither", 'exportTo: ["."]')


@rule("export_to_no_namespace", Severity.DANGER, kinds=_KINDS, source="istio/istio pilot/pkg/model/push_context.go")
def export_to_no_namespace(subject: Subject) -> Iterator[Problem]:
    """A namespace that does not exist sees nothing, whatever is exported to it."""
    for scope in subject.spec["exportTo"].texts():
        if scope.text in (".", "*", "~") or not is_label(scope.text):
            continue
        known = subject.mesh.namespaces
        if not is_dns1123_label(scope.text):
            yield scope.problem(f"no namespace can be called {scope.text!r}", scope.text.lower())
        elif known is not None and scope.text not in known:
            yield scope.problem(f"there is no namespace {scope.text!r} among those given")
