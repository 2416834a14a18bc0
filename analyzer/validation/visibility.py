"""Rules on `exportTo` and on metadata (istio/istio pkg/config/visibility; validation.go)."""

from collections import Counter
from collections.abc import Iterator

from analyzer.mesh.names import is_dns1123_label
from analyzer.validation.rule import Problem, Subject, rule
from analyzer.vocabulary import Severity

_ALONE = ("*", "~")


@rule("export_to_invalid", Severity.ERROR, istio_code="IST0106")
def invalid(subject: Subject) -> Iterator[Problem]:
    """`.`, `*`, `~` or a namespace."""
    for path, scope in subject.places("exportTo"):
        if scope not in (".", *_ALONE) and not is_dns1123_label(str(scope)):
            yield Problem(path, f"{scope!r} is neither `.`, `*`, `~` nor a namespace")


@rule("export_to_duplicate", Severity.ERROR, istio_code="IST0106")
def duplicate(subject: Subject) -> Iterator[Problem]:
    """`.` together with the entry's own namespace is a duplicate too."""
    own = subject.entry.namespace
    scopes = Counter(own if scope == "." else scope for scope in subject.entry.export_to)
    for scope, count in scopes.items():
        if count > 1:
            yield Problem(("spec", "exportTo"), f"{scope!r} is named {count} times")


@rule("export_to_not_alone", Severity.ERROR, istio_code="IST0106")
def not_alone(subject: Subject) -> Iterator[Problem]:
    """`*` and `~` stand alone."""
    scopes = subject.entry.export_to
    for scope in _ALONE:
        if scope in scopes and len(scopes) > 1:
            yield Problem(("spec", "exportTo"), f"{scope!r} must stand alone")


@rule("export_to_missing", Severity.INFO)
def missing(subject: Subject) -> Iterator[Problem]:
    """What is left out is everybody."""
    if not subject.entry.export_to:
        yield Problem(("spec",), "exportTo is left out, so every namespace may use this entry", 'exportTo: ["."]')


@rule("dry_run_annotation", Severity.ERROR, istio_code="IST0106")
def dry_run(subject: Subject) -> Iterator[Problem]:
    """Only AuthorizationPolicies may be tried so."""
    if "istio.io/dry-run" in subject.entry.annotations:
        yield Problem(
            ("metadata", "annotations", "istio.io/dry-run"), "istio.io/dry-run is for AuthorizationPolicy only"
        )
