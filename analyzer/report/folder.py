"""Write the output folder of `run` and `propose`: whole files only, nobody else's touched."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from analyzer.drafts import written
from analyzer.errors import TRY_WRITING, AnalyzerError, Place, because
from analyzer.pipeline import Audit
from analyzer.shapes import summary_as_json
from analyzer.text import spreadsheet_cell
from analyzer.vocabulary import MANAGED_BY, MANAGED_BY_LABEL

_MANIFESTS = "manifests"
_PATCHES = "patches"
_COMPANIONS = "companions"
_NARROWED = "narrowed"
_MARKS = (f"{MANAGED_BY_LABEL}: {MANAGED_BY}", f"{MANAGED_BY}/reason", f"Proposed by {MANAGED_BY}")
"""What tells files of an earlier run from those of other people."""


def write_output(audit: Audit, out: str | Path) -> list[Path]:
    """Write manifests, patches, companions, narrowed entries, what is not proposed and the summary.

    Return the files written, sorted.

    Files of an earlier run that are no longer proposed are removed, if they carry this tool's marks; those that the
    mesh was read from are applied, and stay.
    Raises `AnalyzerError` where the folder cannot be written.
    """
    root = Path(out)
    applied = _applied(audit, root)
    files = {
        **{proposal.file: proposal.yaml for proposal in audit.proposals.proposed},
        **{patch.file: patch.text for patch in audit.proposals.patches},
        **{item.file: item.yaml for item in audit.assessment.narrowings.narrowed},
        **{patch.file: patch.text for patch in audit.assessment.narrowings.patches},
        **{file.file: file.text for file in audit.companions.files},
        f"{_MANIFESTS}/kustomization.yaml": _kustomization(audit, applied),
        "not_proposed.csv": _not_proposed(audit),
        "summary.json": as_text(summary_as_json(audit)),
    }
    try:
        _remove_stale(root, set(files) | applied)
        return sorted(write_file(root / name, text) for name, text in files.items())
    except OSError as error:
        raise AnalyzerError(
            f"cannot be written: {because(error)}", Place(str(error.filename or out)), TRY_WRITING
        ) from error


def write_file(path: Path, text: str) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))
    return path


def as_text(content: Any) -> str:
    """JSON for people and diffs: indented, in the order given, ASCII only."""
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


def _applied(audit: Audit, root: Path) -> set[str]:
    """Manifests in the output folder that the mesh was read from, as names below it."""
    below = (root / _MANIFESTS).resolve()
    read = {Path(item.origin.file).resolve() for item in audit.mesh.objects() if item.origin is not None}
    found = (file.relative_to(below) for file in read if file.is_relative_to(below) and file.suffix == ".yaml")
    return {f"{_MANIFESTS}/{file.as_posix()}" for file in found}


def _kustomization(audit: Audit, applied: set[str]) -> str:
    files = applied.union(proposal.file for proposal in audit.proposals.proposed)
    resources = sorted(file.removeprefix(f"{_MANIFESTS}/") for file in files)
    lines = ["apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization"]
    lines += ["resources:", *(f"  - {resource}" for resource in resources)] if resources else ["resources: []"]
    return "\n".join(lines) + "\n"


def _not_proposed(audit: Audit) -> str:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["destination", "verdict", "reason code", "reason", "namespace", "workload", "protocol", "entries"])
    for item in audit.proposals.not_proposed:
        cells = [
            item.key.name,
            item.verdict.value,
            item.code,
            item.reason,
            item.key.source_namespace or "",
            item.key.source_workload or "",
            item.key.application_protocol or "",
        ]
        table.writerow([*(spreadsheet_cell(str(cell)) for cell in cells), item.entries])
    return out.getvalue()


def _remove_stale(root: Path, current: set[str]) -> None:
    ours = [
        *(root / _MANIFESTS).rglob("*.yaml"),
        *(root / _PATCHES).glob("*.patch"),
        *(file for ending in ("yaml", "patch") for file in (root / _NARROWED).rglob(f"*.{ending}")),
        *(file for ending in ("yaml", "md", "sh") for file in (root / _COMPANIONS).rglob(f"*.{ending}")),
    ]
    for file in sorted(ours):
        name = file.relative_to(root).as_posix()
        if name not in current and any(mark in file.read_text("utf-8", "replace") for mark in _MARKS):
            file.unlink()
            _remove_if_empty(file.parent, root)


def _remove_if_empty(folder: Path, root: Path) -> None:
    """The folder of a namespace goes with its last file; those that stand in the output folder itself stay."""
    while folder.parent != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
