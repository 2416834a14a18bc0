"""Make the companions that were asked for, and let none out that Istio or Kubernetes would refuse."""

from collections.abc import Sequence

from analyzer.companions.companion import CompanionFile, Companions, Situation, known_companions
from analyzer.errors import UsageError
from analyzer.mesh.model import Document, Origin
from analyzer.mesh.placed import read_yaml
from analyzer.validation import Finding, validate
from analyzer.vocabulary import Severity


def check_names(names: Sequence[str]) -> None:
    """Raise `UsageError` for a companion that this build does not know."""
    for name in names:
        if name not in known_companions():
            raise UsageError(f"no companion is called {name!r}", hint=f"known: {', '.join(known_companions())}")


def make_companions(situation: Situation) -> Companions:
    """The files of every companion that the settings ask for, without those that validation refuses.

    Raises `UsageError` for a companion that this build does not know.
    """
    wanted = situation.settings.proposals.companions
    check_names(wanted)
    made = [known_companions()[name].make(situation) for name in sorted(set(wanted))]
    files = [file for companions in made for file in companions.files]
    notes = [note for companions in made for note in companions.notes]
    refused = _refused(files, situation.istio_version)
    kept = [file for file in files if file.file not in refused]
    notes += [f"{file} was not written: {finding.message}." for file, finding in sorted(refused.items())]
    return Companions(tuple(sorted(kept, key=lambda file: file.file)), tuple(notes))


def documents_of(files: Sequence[CompanionFile]) -> list[Document]:
    """The Kubernetes objects among some files, read back from their very text."""
    return [
        _document(file, content) for file in files if file.file.endswith(".yaml") for content in read_yaml(file.text)
    ]


def _document(file: CompanionFile, content: dict[str, object]) -> Document:
    metadata = content["metadata"]
    assert isinstance(metadata, dict)
    origin = Origin(file.file, 1, 1, file.text.encode())
    kind, version = str(content["kind"]), str(content["apiVersion"])
    return Document(kind, version, metadata.get("namespace", "default"), metadata["name"], content, origin)


def _refused(files: Sequence[CompanionFile], istio_version: str) -> dict[str, Finding]:
    """The first reason of each file that would be refused; steps of a rollout are looked at one by one."""
    found: dict[str, Finding] = {}
    for document in documents_of(files):
        for finding in validate([document], istio_version):
            if finding.severity is Severity.ERROR:
                found.setdefault(finding.file, finding)
    return found
