"""Read mesh documents: YAML or JSON, files or folders, one document or a list, whatever kubectl and Helm print.

A document that cannot be understood is a warning with its place, never a crash, and costs no other document; other
kinds are nobody's business here, and Secrets are not looked into.
"""

import gc
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from analyzer.errors import TRY_READING, ManifestError, Place
from analyzer.mesh.objects import Document, Origin
from analyzer.mesh.placed import NotYAML, read_yaml

_ENDINGS = (".yaml", ".yml", ".json")
_HINT = "name a YAML or JSON file, a folder of them, or -"
_LARGEST = 256 << 20
"""Bytes of one file; a whole cluster's export stays far below."""
_DEEPEST_LIST = 4
_DOCUMENT_START = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_NOTHING = re.compile(r"(\s|^#.*$|^%.*$)*", re.MULTILINE)


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

    Raises `ManifestError` for a path that does not exist or cannot be read, and for a folder without such files.
    """
    documents: list[Document] = []
    warnings: list[MeshWarning] = []
    with without_garbage_collection():
        for file in _files(paths):
            _read_file(file, documents, warnings)
    return documents, warnings


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """For work that makes a million objects and no cycles: looking for some among them doubles the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()
            gc.unfreeze()  # what was made counts as old: nobody looks through it for being new
            gc.enable()


def _files(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        where = Path(path)
        if path == "-" or where.is_file():
            yield path
        elif where.is_dir():
            files = [str(file) for file in sorted(where.rglob("*")) if file.suffix in _ENDINGS and file.is_file()]
            if not files:  # as good as a folder that is misspelt
                raise ManifestError(f"no file here ends in {', '.join(_ENDINGS)}", Place(path), _HINT)
            yield from files
        else:
            raise ManifestError("no such file or folder", Place(path), _HINT)


def _read_file(file: str, documents: list[Document], warnings: list[MeshWarning]) -> None:
    try:
        raw = sys.stdin.buffer.read() if file == "-" else _bytes(Path(file))
    except OSError as error:
        raise ManifestError(f"cannot be read: {error.strerror}", Place(file), TRY_READING) from error
    number = 0
    for first_line, piece in _pieces(raw.decode("utf-8-sig", "replace")):
        try:
            for content in _contents(piece, first_line):
                number += 1
                if content is not None:
                    _take(content, Origin(file, number, _line(content, first_line), raw), documents, warnings)
        except NotYAML as error:
            number += 1
            warnings.append(MeshWarning(file, number, error.line + 1, f"not YAML or JSON: {error.problem}"))


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > _LARGEST:
        raise ManifestError(
            f"larger than {_LARGEST >> 20} MiB", Place(str(path)), "split the export by kind or namespace"
        )
    return path.read_bytes()


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """A text cut at its `---` lines, each piece with the number of its first line (from 0).

    YAML allows `---` at the start of a line nowhere but between documents, so that a broken one ends there.
    """
    starts = [0, *(match.start() for match in _DOCUMENT_START.finditer(text)), len(text)]
    line = 0
    for start, end in pairwise(starts):
        piece = text[start:end]
        if start > 0 or not _NOTHING.fullmatch(piece):
            yield line, piece
        line += piece.count("\n")


def _contents(piece: str, first_line: int) -> Iterator[Any]:
    try:
        yield from read_yaml(piece, first_line)
    except NotYAML:
        if not piece.lstrip().startswith(("{", "[")):
            raise
        try:  # JSON that YAML does not take: escaped surrogates, one object after the other
            contents = list(_json_contents(piece))
        except (ValueError, RecursionError):
            contents = []
        if not contents:
            raise
        yield from contents


def _json_contents(text: str) -> Iterator[Any]:
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        place += len(text[place:]) - len(text[place:].lstrip())
        if place == len(text):
            return
        content, place = decoder.raw_decode(text, place)
        yield content


def _take(
    content: Any, origin: Origin, documents: list[Document], warnings: list[MeshWarning], inherited: "_Of | None" = None
) -> None:
    """One document, or the items of a list of them."""

    def warn(problem: str) -> None:
        warnings.append(MeshWarning(origin.file, origin.document, origin.line, problem))

    if not isinstance(content, Mapping):
        warn("not a Kubernetes object")
        return
    of = _Of(content.get("kind"), content.get("apiVersion"), 0)
    if inherited is not None:  # items of `kubectl get --raw` do not repeat what their list says
        of = _Of(of.kind or inherited.kind, of.api_version or inherited.api_version, inherited.depth)
    items = content.get("items")
    if isinstance(of.kind, str) and of.kind.endswith("List") and "items" in content and of.depth < _DEEPEST_LIST:
        inner = _Of(of.kind.removesuffix("List"), of.api_version, of.depth + 1)
        for item in items if isinstance(items, Sequence) and not isinstance(items, str) else ():
            _take(item, replace(origin, line=_line(item, origin.line - 1)), documents, warnings, inner)
        return
    metadata = content.get("metadata")
    if isinstance(of.kind, str) and not isinstance(metadata, Mapping) and ".istio.io/" not in str(of.api_version):
        return  # a Kustomization, a Helm values file and the like: other kinds are nobody's business here
    if not isinstance(of.kind, str) or not isinstance(metadata, Mapping):
        warn("not a Kubernetes object: kind or metadata is missing")
        return
    if of.kind == "Secret":
        return
    documents.append(
        Document(
            kind=of.kind,
            api_version=str(of.api_version or ""),
            namespace=str(metadata.get("namespace") or "default"),
            name=str(metadata.get("name") or ""),
            content=content,
            origin=origin,
        )
    )


@dataclass(frozen=True)
class _Of:
    """What a document says that it is, and how many lists it stands in."""

    kind: Any
    api_version: Any
    depth: int


def _line(content: Any, otherwise: int) -> int:
    """The line (from 1) that a mapping or list starts on."""
    places = getattr(content, "lc", None)
    return (otherwise if places is None else places.line) + 1
