"""Read mesh documents: YAML or JSON, files or folders, one document or a list, whatever kubectl and Helm print.

A document that cannot be understood is a warning with its place, never a crash; other kinds are nobody's
business here, and Secrets are not looked into.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from analyzer.errors import ManifestError, Place
from analyzer.mesh.model import Document, Origin

_ENDINGS = (".yaml", ".yml", ".json")
_LARGEST = 256 << 20
"""Bytes of one file; a whole cluster's export stays far below."""
_DEEPEST_LIST = 4


@dataclass(frozen=True)
class MeshWarning:
    """A document that was not understood."""

    file: str
    document: int
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: document {self.document}: {self.problem}"


def read_documents(paths: Sequence[str]) -> tuple[list[Document], list[MeshWarning]]:
    """Every Kubernetes object in some files and folders (`-` is standard input), in the order given.

    Raises `ManifestError` for a path that does not exist or cannot be read.
    """
    documents: list[Document] = []
    warnings: list[MeshWarning] = []
    for file in _files(paths):
        _read_file(file, documents, warnings)
    return documents, warnings


def _files(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        where = Path(path)
        if path == "-" or where.is_file():
            yield path
        elif where.is_dir():
            yield from (str(file) for file in sorted(where.rglob("*")) if file.suffix in _ENDINGS and file.is_file())
        else:
            raise ManifestError(
                "no such file or folder", Place(path), "name a YAML or JSON file, a folder of them, or -"
            )


def _read_file(file: str, documents: list[Document], warnings: list[MeshWarning]) -> None:
    try:
        raw = sys.stdin.buffer.read() if file == "-" else _bytes(Path(file))
    except OSError as error:
        raise ManifestError(f"cannot be read: {error.strerror}", Place(file)) from error
    text = raw.decode("utf-8-sig", "replace")
    yaml = YAML(typ="rt", pure=True)
    yaml.allow_duplicate_keys = False
    number = 0
    try:
        for content in yaml.load_all(text):
            number += 1
            if content is not None:
                _take(content, Origin(file, number, _line(content), raw), documents, warnings, 0)
    except (YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        warnings.append(MeshWarning(file, number + 1, mark.line + 1 if mark else 1, f"not YAML or JSON: {problem}"))


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > _LARGEST:
        raise ManifestError(
            f"larger than {_LARGEST >> 20} MiB", Place(str(path)), "split the export by kind or namespace"
        )
    return path.read_bytes()


def _take(content: Any, origin: Origin, documents: list[Document], warnings: list[MeshWarning], depth: int) -> None:
    """One document, or the items of a list of them."""
    if not isinstance(content, Mapping):
        warnings.append(MeshWarning(origin.file, origin.document, origin.line, "not a Kubernetes object"))
        return
    kind = content.get("kind")
    items = content.get("items")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(items, Sequence) and depth < _DEEPEST_LIST:
        for item in items:
            _take(item, replace(origin, line=_line(item)), documents, warnings, depth + 1)
        return
    metadata = content.get("metadata")
    if (
        isinstance(kind, str)
        and not isinstance(metadata, Mapping)
        and ".istio.io/" not in str(content.get("apiVersion"))
    ):
        return  # a Kustomization, a Helm values file and the like: other kinds are nobody's business here
    if not isinstance(kind, str) or not isinstance(metadata, Mapping):
        warnings.append(
            MeshWarning(
                origin.file, origin.document, origin.line, "not a Kubernetes object: kind or metadata is missing"
            )
        )
        return
    if kind == "Secret":
        return
    documents.append(
        Document(
            kind=kind,
            api_version=str(content.get("apiVersion") or ""),
            namespace=str(metadata.get("namespace") or "default"),
            name=str(metadata.get("name") or ""),
            content=content,
            origin=origin,
        )
    )


def _line(content: Any) -> int:
    mark = getattr(content, "lc", None)
    return 1 if mark is None or mark.line is None else int(mark.line) + 1
