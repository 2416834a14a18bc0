"""Check documents against every rule that the chosen version of Istio has."""

from collections.abc import Iterator, Mapping, Sequence

from analyzer.mesh.documents import MeshWarning, read_documents
from analyzer.mesh.loading import NETWORKING, service_entry_of
from analyzer.mesh.model import Document, ServiceEntry
from analyzer.validation.across import across_entries
from analyzer.validation.finding import Finding
from analyzer.validation.rule import Problem, Rule, Subject, Version, known_rules, position
from analyzer.vocabulary import NEWEST_ISTIO, Severity


def validate_paths(paths: Sequence[str], istio_version: str = NEWEST_ISTIO) -> list[Finding]:
    """Check everything in some files and folders as one mesh.

    Raises `ManifestError` for a path that cannot be read.
    """
    documents, warnings = read_documents(paths)
    return sorted([*map(_unreadable, warnings), *validate(documents, istio_version)], key=lambda finding: finding.order)


def validate(documents: Sequence[Document], istio_version: str = NEWEST_ISTIO) -> list[Finding]:
    """Check the ServiceEntries among some documents, alone and against each other; other kinds are left alone."""
    version = _version(istio_version)
    findings: list[Finding] = []
    read: list[tuple[Document, ServiceEntry]] = []
    rules = [rule for rule in known_rules() if rule.holds_for(version)]
    for document in documents:
        if document.kind != "ServiceEntry" or not document.api_version.startswith(NETWORKING):
            continue
        subject = _subject(document, version)
        if isinstance(subject, Finding):
            findings.append(subject)
            continue
        read.append((document, subject.entry))
        findings += [_finding(document, rule, problem) for rule in rules for problem in rule.check(subject)]
    findings += [_finding(document, rule, problem) for document, rule, problem in across_entries(read, version)]
    return sorted(findings, key=lambda finding: finding.order)


def _version(text: str) -> Version:
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


def _subject(document: Document, version: Version) -> Subject | Finding:
    spec = document.content.get("spec")
    try:
        entry = service_entry_of(document)
        if not isinstance(spec, Mapping):
            raise TypeError("spec is missing")
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        problem = Problem(("spec",), f"cannot be read as a ServiceEntry: {error}")
        return _finding(document, Rule("unreadable", Severity.ERROR, _no_check), problem)
    return Subject(document, spec, entry, version)


def _no_check(subject: Subject) -> Iterator[Problem]:
    return iter(())


def _finding(document: Document, rule: Rule, problem: Problem) -> Finding:
    line, column = position(document, problem.path)
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
    )


def _unreadable(warning: MeshWarning) -> Finding:
    return Finding(
        warning.file, warning.line, 1, warning.document, "-", "unreadable", None, Severity.ERROR, None, warning.problem
    )
