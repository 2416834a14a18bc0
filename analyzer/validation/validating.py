"""Check documents against every rule that the chosen version of Istio has."""

from collections.abc import Sequence

from analyzer.mesh.documents import MeshWarning, read_documents
from analyzer.mesh.model import Document
from analyzer.validation.finding import NO_OBJECT, Finding
from analyzer.validation.node import Problem, position
from analyzer.validation.rule import Rule, known_rules
from analyzer.validation.shape import known_kinds
from analyzer.validation.subject import Inventory
from analyzer.versions import version_of
from analyzer.vocabulary import NEWEST_ISTIO, Severity

UNREADABLE = "unreadable"
"""The code of what is no YAML, no JSON, or no Kubernetes object."""

MISNAMED = "kind_unknown"
"""The code of an object that is nearly of a kind of Istio's; other kinds are nobody's business."""


def validate_paths(paths: Sequence[str], istio_version: str = NEWEST_ISTIO) -> list[Finding]:
    """Check everything in some files and folders (`-` is standard input) as one mesh.

    Raises `ManifestError` for a path that cannot be read and `UsageError` for a version that is not supported.
    """
    version_of(istio_version)  # wrong usage is said before anything is read
    documents, warnings = read_documents(paths)
    findings = [*map(_unreadable, warnings), *validate(documents, istio_version)]
    return sorted(findings, key=lambda finding: finding.order)


def validate(documents: Sequence[Document], istio_version: str = NEWEST_ISTIO) -> list[Finding]:
    """Check some documents, alone and against each other; kinds that no rule knows are left alone.

    Raises `UsageError` for a version that is not supported.
    """
    version = version_of(istio_version)
    mesh = Inventory(documents, version)
    rules = {kind: [rule for rule in known_rules() if rule.holds_for(kind, version)] for kind in known_kinds()}
    misnamed = [rule for rule in known_rules() if rule.code == MISNAMED]
    findings = [
        _finding(subject.document, rule, problem)
        for subject in mesh.subjects
        for rule in (rules[subject.kind] if is_ours_to_check(subject.document) else misnamed)
        for problem in rule.check(subject)
    ]
    return sorted(set(findings), key=lambda finding: finding.order)


def is_ours_to_check(document: Document) -> bool:
    """Whether a document is of a kind that is validated, or means to be: other groups have kinds of the same name."""
    kind = known_kinds().get(document.kind)
    if kind is None:
        return False
    group, slash, _ = document.api_version.rpartition("/")
    if kind.name == "Gateway" and group == "gateway.networking.k8s.io":
        return False
    return group == kind.group or group.endswith(".istio.io") or not slash or kind.name == "ServiceEntry"


def _finding(document: Document, rule: Rule, problem: Problem) -> Finding:
    line, column = position(document.content, problem.path, document.origin.line)
    return Finding(
        file=document.origin.file,
        line=line,
        column=column,
        document=document.origin.document,
        object=document.reference,
        code=rule.code,
        istio_code=rule.istio_code,
        severity=rule.severity,
        since=f"{rule.since[0]}.{rule.since[1]}" if rule.since else None,
        message=problem.message,
        hint=problem.hint,
        text=document.origin.text,
    )


def _unreadable(warning: MeshWarning) -> Finding:
    return Finding(
        warning.file,
        warning.line,
        1,
        warning.document,
        NO_OBJECT,
        UNREADABLE,
        None,
        Severity.ERROR,
        None,
        warning.problem,
    )
