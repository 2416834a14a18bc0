"""YAML and JSON as plain mappings and lists that know where each key and item stands.

Built from libyaml's events without recursion, so that an export of 10,000 objects takes seconds and a hostile
depth costs nothing. Scalars are resolved by YAML 1.2's core rules; a time stays the text that it is.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,400}")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NUMBER_STARTS = frozenset("0123456789-+.")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Mark = tuple[int, int]


class Places(NamedTuple):
    """Where a mapping or list stands (`line`, `col` from 0), and each of its keys or items."""

    line: int
    col: int
    data: dict[Any, _Mark]


class PlacedMapping(dict[str, Any]):
    """A mapping with `lc`: its own place and that of each key."""

    __slots__ = ("lc",)
    lc: Places


class PlacedList(list[Any]):
    """A list with `lc`: its own place and that of each item."""

    __slots__ = ("lc",)
    lc: Places


class NotYAML(ValueError):
    """What libyaml or the rules of Kubernetes hold against a text, with the line (from 0) if one is to blame."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.problem, self.line = problem, line


def read_yaml(text: str, first_line: int = 0) -> Iterator[Any]:
    """The content of each document of a text; an empty document is null. Raises `NotYAML`.

    `first_line` is what the text's first line counts as, where it is cut out of a file.
    """
    loader = _LOADER(text)
    try:
        while loader.check_event():
            if isinstance(loader.get_event(), DocumentStartEvent):
                yield _content(loader, first_line)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        raise NotYAML(error.problem or str(error), first_line + line) from error
    except yaml.YAMLError as error:
        raise NotYAML(str(error).splitlines()[0], first_line) from error
    finally:
        loader.dispose()


class _Open(NamedTuple):
    """A collection that is being read."""

    content: PlacedMapping | PlacedList
    anchor: str | None


def _content(loader: Any, first_line: int) -> Any:
    """One node and all that is in it."""
    stack: list[_Open] = []
    anchors: dict[str, Any] = {}
    key: Any = _NO_KEY
    keys: list[Any] = []
    while True:
        event = loader.get_event()
        line, column = event.start_mark.line + first_line, event.start_mark.column
        kind = type(event)
        if kind is ScalarEvent:
            value = _scalar(event)
            if event.anchor is not None:
                anchors[event.anchor] = value
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            collection = PlacedMapping() if kind is MappingStartEvent else PlacedList()
            collection.lc = Places(line, column, {})
            if stack and isinstance(stack[-1].content, PlacedMapping) and key is _NO_KEY:
                raise NotYAML("a key must be a text", line)
            stack.append(_Open(collection, event.anchor))
            keys.append(key)
            key = _NO_KEY
            continue
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            closed = stack.pop()
            value, key = closed.content, keys.pop()
            line, column = value.lc.line, value.lc.col
            if closed.anchor is not None:
                anchors[closed.anchor] = value
        elif kind is AliasEvent:
            if event.anchor not in anchors:
                raise NotYAML(f"found undefined alias {event.anchor!r}", line)
            value = anchors[event.anchor]
        else:
            return None
        if not stack:
            return value
        parent = stack[-1].content
        if isinstance(parent, PlacedList):
            parent.lc.data[len(parent)] = (line, column)
            parent.append(value)
        elif key is _NO_KEY:
            key = value if isinstance(value, str) else _key_text(event, line)
            if key in parent.lc.data:
                raise NotYAML(f"found duplicate key {key!r}", line)
            parent.lc.data[key] = (line, column)
        else:
            _put(parent, key, value, line)
            key = _NO_KEY


_NO_KEY = object()


def _put(parent: PlacedMapping, key: str, value: Any, line: int) -> None:
    """Set a key; `<<` merges mappings below what is written out."""
    if key != "<<":
        parent[key] = value
        return
    for merged in value if isinstance(value, PlacedList) else [value]:
        if not isinstance(merged, PlacedMapping):
            raise NotYAML("`<<` wants a mapping or a list of them", line)
        for name, inner in merged.items():
            parent.setdefault(name, inner)


def _key_text(event: Any, line: int) -> str:
    if not isinstance(event, ScalarEvent):
        raise NotYAML("a key must be a text", line)
    return str(event.value)


def _scalar(event: Any) -> Any:
    text: str = event.value
    if not event.implicit[0] or (event.style is not None and event.style != ""):
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text
