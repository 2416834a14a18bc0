"""Rules on every object: API version, metadata, fields and their types."""

import difflib
from collections.abc import Iterator

from analyzer.mesh.names import is_dns1123_label, is_dns1123_subdomain
from analyzer.validation.names import why_no_label
from analyzer.validation.node import Problem
from analyzer.validation.rule import CRD, SCHEMA_ERROR, WEBHOOK, rule
from analyzer.validation.shape import Fault, Misfit, known_kinds, misfits
from analyzer.validation.subject import Subject
from analyzer.vocabulary import Severity

_NAMES = "kubernetes/apimachinery pkg/util/validation/validation.go"
_METADATA = "kubernetes/apimachinery pkg/apis/meta/v1/types.go"
_KINDS = (
    "AuthorizationPolicy",
    "DestinationRule",
    "EnvoyFilter",
    "Gateway",
    "PeerAuthentication",
    "ProxyConfig",
    "RequestAuthentication",
    "ServiceEntry",
    "Sidecar",
    "Telemetry",
    "VirtualService",
    "WasmPlugin",
    "WorkloadEntry",
    "WorkloadGroup",
)
_CLOSE = 0.8
"""Of two words, the share that is equal; a new kind of Istio's is not taken for an old one misspelled."""
_ALWAYS_REJECT = "internal.istio.io/webhook-always-reject"


@rule("kind_unknown", Severity.ERROR, source=CRD)
def kind_unknown(subject: Subject) -> Iterator[Problem]:
    """A kind in Istio's groups is spelled as Istio spells it; Kubernetes has no object of another spelling."""
    group = subject.document.api_version.rpartition("/")[0]
    if subject.kind in _KINDS or not group.endswith(".istio.io"):
        return
    spelled = {kind.lower(): kind for kind in _KINDS}
    close = difflib.get_close_matches(subject.kind.lower(), spelled, 1, _CLOSE)
    if close:
        yield subject.root["kind"].problem(f"Istio has no kind {subject.kind!r}", f"kind: {spelled[close[0]]}")


@rule("api_version_unknown", Severity.ERROR, source=CRD)
def api_version_unknown(subject: Subject) -> Iterator[Problem]:
    """The API version is one that Kubernetes serves for the kind."""
    kind = known_kinds()[subject.kind]
    group, _, version = subject.document.api_version.rpartition("/")
    if group != kind.group or version not in kind.versions:
        newest = next(name for name, since in kind.versions.items() if since is None or subject.version >= since)
        yield subject.root["apiVersion"].problem(
            f"there is no {subject.kind} in {subject.document.api_version!r}", f"apiVersion: {kind.group}/{newest}"
        )


@rule("api_version_not_served", Severity.ERROR, source=CRD)
def api_version_not_served(subject: Subject) -> Iterator[Problem]:
    """The API version is served by this Istio: `networking.istio.io/v1` since 1.22."""
    kind = known_kinds()[subject.kind]
    group, _, version = subject.document.api_version.rpartition("/")
    since = kind.versions.get(version) if group == kind.group else None
    if since is not None and subject.version < since:
        older = next(name for name, first in kind.versions.items() if first is None or subject.version >= first)
        yield subject.root["apiVersion"].problem(
            f"{group}/{version} is served since Istio {since[0]}.{since[1]}", f"apiVersion: {group}/{older}"
        )


@rule("name_invalid", Severity.ERROR, source=_NAMES)
def name_invalid(subject: Subject) -> Iterator[Problem]:
    """Kubernetes wants a DNS-1123 subdomain as `metadata.name`: lower case, digits, - and ., 253 at the most."""
    name = subject.metadata["name"]
    if not name.is_set and subject.metadata["generateName"].text:
        return
    if not is_dns1123_subdomain(name.text):
        yield name.problem(f"{name.value!r} is no object name", "lower case letters, digits, - and ., 253 at the most")


@rule("namespace_invalid", Severity.ERROR, source=_NAMES)
def namespace_invalid(subject: Subject) -> Iterator[Problem]:
    """Kubernetes wants a DNS-1123 label as `metadata.namespace`."""
    namespace = subject.metadata["namespace"]
    if namespace.is_set and not is_dns1123_label(namespace.text):
        yield namespace.problem(
            f"{namespace.value!r} is no namespace", "lower case letters, digits and inner hyphens, 63 at the most"
        )


@rule("label_invalid", Severity.ERROR, source=_NAMES)
def label_invalid(subject: Subject) -> Iterator[Problem]:
    """Labels are texts of at most 63 letters, digits, - _ and ."""
    for key, value in subject.metadata["labels"].pairs():
        if not isinstance(value.value, str):
            yield value.problem(f"the label {key} must be a text", f'{key}: "{_plain(value.value)}"')
            continue
        why = why_no_label(key, value.text) or ("63 characters at the most" if len(value.text) > 63 else None)
        if why is not None:
            yield value.problem(why)


@rule("annotation_invalid", Severity.ERROR, source=_METADATA)
def annotation_invalid(subject: Subject) -> Iterator[Problem]:
    """Annotations are texts."""
    for key, value in subject.metadata["annotations"].pairs():
        if not isinstance(value.value, str):
            yield value.problem(f"the annotation {key} must be a text", f'{key}: "{_plain(value.value)}"')


@rule("dry_run_annotation", Severity.ERROR, source=f"{WEBHOOK} checkDryRunAnnotation", istio_code=SCHEMA_ERROR)
def dry_run_annotation(subject: Subject) -> Iterator[Problem]:
    """`istio.io/dry-run` is for AuthorizationPolicies that allow or deny, and says true or false."""
    value = subject.metadata["annotations"]["istio.io/dry-run"]
    if not value.is_set or not known_kinds()[subject.kind].group.endswith(".istio.io"):
        return
    if subject.kind != "AuthorizationPolicy":
        yield value.problem("istio.io/dry-run is for AuthorizationPolicy only", "take the annotation away")
    elif subject.spec["action"].text not in ("", "ALLOW", "DENY"):
        yield value.problem("istio.io/dry-run works with the actions ALLOW and DENY only")
    elif value.text not in ("1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"):
        yield value.problem(f"{value.value!r} is neither true nor false", 'istio.io/dry-run: "true"')


@rule("always_rejected", Severity.ERROR, source=f"{WEBHOOK} validateMetadata", istio_code=SCHEMA_ERROR)
def always_rejected(subject: Subject) -> Iterator[Problem]:
    """An object with Istio's own test annotation is refused, whatever it says."""
    if subject.metadata["annotations"][_ALWAYS_REJECT].is_set:
        yield subject.metadata["annotations"][_ALWAYS_REJECT].problem("the webhook refuses every object with this")


@rule("spec_missing", Severity.ERROR, source=CRD, istio_code=SCHEMA_ERROR)
def spec_missing(subject: Subject) -> Iterator[Problem]:
    """An object says something."""
    is_core = known_kinds()[subject.kind].group == ""
    if not subject.spec.is_set and not is_core and subject.kind not in ("AuthorizationPolicy", "Telemetry"):
        yield subject.spec.problem(f"a {subject.kind} without spec says nothing")


@rule("field_type", Severity.ERROR, source=CRD, istio_code=SCHEMA_ERROR)
def field_type(subject: Subject) -> Iterator[Problem]:
    """A field has the type of its schema: Kubernetes does not turn texts into numbers, nor null into a list."""
    yield from _of(subject, Fault.TYPE)


@rule("field_value", Severity.ERROR, source=CRD, istio_code=SCHEMA_ERROR)
def field_value(subject: Subject) -> Iterator[Problem]:
    """A field with a fixed set of words holds one of them, in their case."""
    yield from _of(subject, Fault.WORD)


@rule("field_unknown", Severity.DANGER, source=CRD)
def field_unknown(subject: Subject) -> Iterator[Problem]:
    """An unknown field is dropped in silence, unless a strict client refuses the object (kubectl since 1.27)."""
    yield from _of(subject, Fault.UNKNOWN)


@rule("status_written", Severity.INFO, source=CRD)
def status_written(subject: Subject) -> Iterator[Problem]:
    """What stands in `status` is Istio's to write; applying it changes nothing."""
    managed = subject.metadata["uid"].is_set or subject.metadata["resourceVersion"].is_set
    if subject.root["status"].pairs() and not managed:
        yield subject.root["status"].problem("status is written by Istio, not by whoever applies the object")


def _of(subject: Subject, fault: Fault) -> Iterator[Problem]:
    for misfit in _misfits(subject):
        if misfit.fault is fault:
            yield misfit.node.problem(misfit.message, misfit.hint)


def _misfits(subject: Subject) -> list[Misfit]:
    if not subject.spec.is_set:
        return []
    return list(misfits(subject.spec, known_kinds()[subject.kind].spec))


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
