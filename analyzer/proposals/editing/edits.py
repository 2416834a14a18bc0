"""An existing object with something changed, where it stands in its file: every other byte stays as it is."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Protocol

from analyzer.mesh.model import MeshObject
from analyzer.proposals.editing.insertion import put, replaced
from analyzer.proposals.editing.nodes import (
    NotInPlace,
    Object,
    contents,
    find_object,
    is_shared,
    value_of,
)
from analyzer.proposals.editing.splices import Lines, Splice, spliced
from analyzer.proposals.editing.steps import Step
from analyzer.proposals.manifest_yaml import as_yaml
from analyzer.vocabulary import MANAGED_BY_LABEL

_OF_THE_SERVER = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_HELM_SOURCE = re.compile(r"^# Source: (\S+)", re.MULTILINE)
"""What `helm template` writes above each document (helm/helm pkg/action/action.go)."""
_BOM = b"\xef\xbb\xbf"


class Changing(Protocol):
    """What is to be changed in an object of one kind."""

    kind: ClassVar[str]

    def steps(self, content: Mapping[str, Any]) -> Sequence[Step]:
        """The steps, by what the object says. Raises `NotInPlace` where it is not what was read."""
        ...


@dataclass(frozen=True)
class Edit:
    """A change made to one object.

    `splices` are its places in the decoded text of the file that it came from, `line` where the first of them is;
    `why_not` says why the file must not be edited all the same, and is empty where it may.
    """

    file: str
    line: int
    splices: tuple[Splice, ...]
    why_not: str
    _found: Object = field(repr=False)
    _content: Mapping[str, Any] = field(repr=False)
    _local: tuple[Splice, ...] = field(repr=False)

    def document(self, annotations: Mapping[str, str]) -> str:
        """The changed object as a YAML document of its own, with annotations that the file does not get.

        Comments and quotes stay where the object is a document by itself; what the API server wrote goes.
        """
        kept = None
        if self._local:
            with contextlib.suppress(NotInPlace):
                kept = _document(self._found, self._local, annotations)
        return kept or as_yaml(_annotated(self._content, annotations))


def edit(item: MeshObject, change: Changing) -> Edit | None:
    """A change to an object where it was read; null where nothing is left of what was read."""
    origin = item.origin
    if origin is None or origin.text is None:
        return None
    lines = _lines(origin.text)
    try:
        found = find_object(lines, origin.line, change.kind, item.namespace, item.name)
        content = _changed(found.content, change)
    except NotInPlace:
        return None
    why_not = _why_not(item, origin.text, found)
    local: tuple[Splice, ...] = ()
    try:
        local = _splices(found, change)
    except NotInPlace as reason:
        why_not = why_not or str(reason)
    moved = () if why_not else tuple(Splice(s.start + found.start, s.end + found.start, s.text) for s in local)
    line = lines.number(moved[0].start) if moved else origin.line
    return Edit(origin.file, line, moved, why_not, found, content, local)


@lru_cache(maxsize=4)
def _lines(raw: bytes) -> Lines:
    return Lines(decoded(raw))


@lru_cache(maxsize=4)
def _is_utf_8(raw: bytes) -> bool:
    return encoded(decoded(raw), raw) == raw


def decoded(raw: bytes) -> str:
    """A file as text, without a byte order mark."""
    return raw.removeprefix(_BOM).decode("utf-8", "replace")


def encoded(text: str, like: bytes) -> bytes:
    """A text as a file with the byte order mark of another, if that has one."""
    return (_BOM if like.startswith(_BOM) else b"") + text.encode("utf-8", "surrogatepass")


def _splices(found: Object, change: Changing) -> tuple[Splice, ...]:
    """The change as splices of the object's text, tried before they are given."""
    if is_shared(found.text):
        raise NotInPlace("it shares parts with other objects by YAML anchors")
    steps = change.steps(found.content)
    splices = tuple(splice for step in steps for splice in step.splices(found))
    wanted = contents(found.text)
    wanted[found.index] = _changed(wanted[found.index], change)
    if contents(spliced(found.text, splices)) != wanted:
        raise NotInPlace("it is written in a way that cannot be edited safely")
    return splices


def _changed(content: Mapping[str, Any], change: Changing) -> dict[str, Any]:
    changed: Any = content
    for step in change.steps(content):
        changed = step.made(changed)
    return dict(changed)


def _document(found: Object, splices: Sequence[Splice], annotations: Mapping[str, str]) -> str | None:
    """The edited document with its comments, where it is one by itself and holds nothing that the server wrote."""
    metadata = value_of(found.node, "metadata")
    if not found.whole or any(value_of(metadata, key) for key in _OF_THE_SERVER) or value_of(found.node, "status"):
        return None
    noted = value_of(metadata, "annotations")
    if value_of(noted, _LAST_APPLIED):
        return None
    old = {key: value_of(noted, key) for key in annotations}
    new = {key: text for key, text in annotations.items() if old[key] is None}
    rewritten = [replaced(node, annotations[key], is_json=False) for key, node in old.items() if node is not None]
    added = [put(found, ("metadata", "annotations"), new)] if new else []
    text = spliced(found.text, [*splices, *rewritten, *added])
    said = contents(text)[0]["metadata"].get("annotations") or {}
    return _own_lines(text) if said.items() >= annotations.items() else None


def _own_lines(text: str) -> str:
    """A document without the separator above it, and with one line end below it."""
    first, newline, rest = text.partition("\n")
    return f"{(rest if newline and first.strip() == '---' else text).rstrip()}\n"


def _annotated(content: Mapping[str, Any], annotations: Mapping[str, str]) -> dict[str, Any]:
    """The object without what the server wrote into it, with annotations."""
    metadata = {key: value for key, value in content["metadata"].items() if key not in _OF_THE_SERVER}
    noted = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != _LAST_APPLIED}
    metadata["annotations"] = {**noted, **annotations}
    return {**{key: value for key, value in content.items() if key != "status"}, "metadata": metadata}


def _why_not(item: MeshObject, raw: bytes, found: Object) -> str:
    """Why a change in the file would not last, or cannot be made."""
    origin = item.origin
    if origin is None or origin.file == "-":
        return "it was read from standard input"
    release = item.annotations.get("meta.helm.sh/release-name")
    rendered = _HELM_SOURCE.search(found.text)
    if release or rendered or item.labels.get(MANAGED_BY_LABEL) == "Helm" or "helm.sh/chart" in item.labels:
        source = f"its template {rendered[1]}" if rendered else f"release {release}" if release else "its chart"
        return f"Helm writes it anew with every release: change {source} in the same way"
    if value_of(value_of(found.node, "metadata"), "ownerReferences"):
        return "its owner writes it anew: change that in the same way"
    if not _is_utf_8(raw):
        return "the file is not UTF-8"
    return ""
