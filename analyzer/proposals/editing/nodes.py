"""Where one Kubernetes object stands in the text of a file, and its keys and values in it.

Only the document or the list item that holds the object is parsed, so that one edit in a cluster's whole export
costs as much as one in a file of its own.
"""

import json
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from analyzer.mesh.placed import NotYAML, read_yaml
from analyzer.proposals.editing.splices import Lines

_SEPARATOR = re.compile(r"(---|\.\.\.)(?=\s|$)")
_ITEM = re.compile(r" *- ")
_SKIPPED = re.compile(r"\s*(#.*)?$")


_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class NotInPlace(Exception):
    """Why an object cannot be edited where it stands; the text says it to a person."""


@dataclass(frozen=True)
class Object:
    """One object in the text of a file.

    `start` and `end` bound what was parsed (characters of the whole text); positions of nodes count from `start`.
    `index` is its number (from 0) among the objects there, `whole` says that this is a YAML document of its own,
    neither JSON nor an item of a list.
    """

    lines: Lines
    start: int
    end: int
    node: MappingNode
    index: int
    whole: bool

    @property
    def text(self) -> str:
        """What was parsed."""
        return self.lines.text[self.start : self.end]

    @property
    def content(self) -> dict[str, Any]:
        """The object as plain data. Raises `NotInPlace` where its values cannot be read."""
        return contents(self.text)[self.index]

    @property
    def is_json(self) -> bool:
        """Whether the object is written in braces."""
        return bool(self.node.flow_style)


def find_object(lines: Lines, line: int, kind: str, namespace: str, name: str) -> Object:
    """The object that was read at a line (from 1). Raises `NotInPlace` where it is not there or not alone."""
    start, end = _document(lines, line)
    is_item = False
    if lines.text[start:end].lstrip().startswith("{"):
        start, end, is_item = _json_item(lines, start, end, kind, namespace, name)
    elif _ITEM.match(lines.text, lines.starts[line - 1]):
        (start, end), is_item = _block_item(lines, line, end), True
    root = composed(lines.text[start:end])
    found = [(index, node) for index, node in enumerate(objects(root)) if _identity(node) == (kind, namespace, name)]
    if len(found) > 1:
        found = [(index, node) for index, node in found if node.start_mark.line + lines.number(start) == line]
    if len(found) != 1:
        raise NotInPlace("it is not to be found alone at the place where it was read")
    index, node = found[0]
    return Object(lines, start, end, node, index, whole=node is root and not node.flow_style and not is_item)


def composed(text: str) -> Node:
    """The nodes of one document. Raises `NotInPlace` where it cannot be read."""
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotInPlace("it cannot be read as one YAML document") from error
    if not isinstance(node, Node):
        raise NotInPlace("there is no document at the place where it was read")
    return node


def contents(text: str) -> list[dict[str, Any]]:
    """The objects of one document as plain data, in the order of `objects`. Raises `NotInPlace`."""
    try:
        return [*_flattened(next(read_yaml(text), None))]
    except (NotYAML, ValueError, RecursionError) as error:
        raise NotInPlace("its values cannot be read") from error


def _flattened(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, list):
        for item in content:
            yield from _flattened(item)
    elif isinstance(content, dict):
        kind, items = content.get("kind"), content.get("items")
        if isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
            yield from _flattened(items)
        else:
            yield content


def pair(mapping: Node | None, key: str) -> tuple[ScalarNode, Node] | None:
    """The nodes of a key and its value."""
    if not isinstance(mapping, MappingNode):
        return None
    return next(((k, v) for k, v in mapping.value if isinstance(k, ScalarNode) and k.value == key), None)


def value_of(mapping: Node | None, key: str) -> Node | None:
    """The node of a key's value."""
    found = pair(mapping, key)
    return None if found is None else found[1]


def is_shared(text: str) -> bool:
    """Whether parts of a document are anchored, so that an edit of one may show elsewhere."""
    return any(getattr(event, "anchor", None) for event in yaml.parse(text, Loader=_LOADER))


def last_end(text: str, node: Node) -> int:
    """Where the last character of a node's content stands, plus one; comments and blank lines after it are not its."""
    if isinstance(node, ScalarNode):
        if node.style in ("|", ">"):
            content = text[node.start_mark.index : node.end_mark.index]
            kept = content if "+" in content.split("\n", 1)[0] else content.rstrip()
            return int(node.start_mark.index) + len(kept)
        return int(node.end_mark.index)
    if not isinstance(node, MappingNode | SequenceNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    if isinstance(node, SequenceNode):
        return last_end(text, node.value[-1])
    key, value = node.value[-1]
    if isinstance(value, ScalarNode) and value.start_mark.index == value.end_mark.index:
        return text.index(":", key.end_mark.index) + 1
    return last_end(text, value)


def objects(node: Node) -> Iterator[MappingNode]:
    """Every object in a document, those in lists one by one, in their order."""
    if isinstance(node, SequenceNode):
        for item in node.value:
            yield from objects(item)
    elif isinstance(node, MappingNode):
        kind, items = value_of(node, "kind"), value_of(node, "items")
        if isinstance(kind, ScalarNode) and kind.value.endswith("List") and isinstance(items, SequenceNode):
            yield from objects(items)
        else:
            yield node


def _identity(node: MappingNode) -> tuple[str, str, str]:
    metadata = value_of(node, "metadata")
    kind, namespace, name = value_of(node, "kind"), value_of(metadata, "namespace"), value_of(metadata, "name")
    return _scalar(kind), _scalar(namespace) or "default", _scalar(name)


def _scalar(node: Node | None) -> str:
    return str(node.value) if isinstance(node, ScalarNode) else ""


def _document(lines: Lines, line: int) -> tuple[int, int]:
    """The document around a line: from its `---`, or the file's begin, to the next one's."""
    edges = _edges(lines)
    number = bisect_right(edges, (line, len(lines.text))) - 1
    return edges[number][1], edges[number + 1][1] if number + 1 < len(edges) else len(lines.text)


@lru_cache(maxsize=4)
def _edges(lines: Lines) -> list[tuple[int, int]]:
    """Where documents begin, as lines (from 1) and characters."""
    edges = [(1, 0)]
    for number, at in enumerate(lines.starts, start=1):
        separator = _SEPARATOR.match(lines.text, at)
        if separator is not None:
            edges.append((number, at if separator[1] == "---" else lines.after(at)))
    return edges


def _block_item(lines: Lines, line: int, end: int) -> tuple[int, int]:
    """The lines of one item of a block sequence: those that stand further to the right than its hyphen."""
    first = lines.starts[line - 1]
    hyphen = lines.text.index("-", first) - first
    for at in lines.starts[line:]:
        if at >= end:
            break
        content = lines.text[at : lines.after(at)]
        if not _SKIPPED.match(content) and len(content) - len(content.lstrip(" ")) <= hyphen:
            return first, at
    return first, end


def _json_item(lines: Lines, start: int, end: int, kind: str, namespace: str, name: str) -> tuple[int, int, bool]:
    """The characters of one object in a list of them, found by the reader of JSON; all where that cannot tell."""
    found = _json_places(lines, start).get((kind, namespace, name), [])
    return (*found[0], True) if len(found) == 1 else (start, end, False)


@lru_cache(maxsize=4)
def _json_places(lines: Lines, start: int) -> dict[tuple[str, str, str], list[tuple[int, int]]]:
    """Where the objects of a JSON list stand, by kind, namespace and name; nothing where this is no such list."""
    places: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
    try:
        for first, last, item in _json_items(lines.text, start):
            metadata = item.get("metadata") if isinstance(item, dict) else None
            if isinstance(metadata, dict):
                namespace = str(metadata.get("namespace") or "default")
                places[str(item.get("kind")), namespace, str(metadata.get("name"))].append((first, last))
    except (ValueError, IndexError, RecursionError):
        return {}
    return places


def _json_items(text: str, start: int) -> Iterator[tuple[int, int, Any]]:
    """Where each item of the outermost `items` stands, and the item. Raises `ValueError` where this is no JSON."""
    read = json.JSONDecoder().raw_decode
    at = _past(text, text.index("{", start) + 1)
    while text[at] == '"':
        key, at = read(text, at)
        at = _past(text, text.index(":", at) + 1)
        if key == "items" and text[at] == "[":
            at = _past(text, at + 1)
            while text[at] != "]":
                item, after = read(text, at)
                yield at, after, item
                at = _past(text, after, ",")
        else:
            _, at = read(text, at)
        at = _past(text, at, ",")


def _past(text: str, at: int, also: str = "") -> int:
    """Where the blanks from a place on end, and those after one comma."""
    while text[at].isspace() or text[at] in (also or " "):
        at += 1
    return at
