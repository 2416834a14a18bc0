"""Which fields a kind has and of what type: what a CRD's structural schema checks before any webhook is asked."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from analyzer.registry import discover
from analyzer.validation.node import Node
from analyzer.versions import Version


class Leaf(StrEnum):
    """What stands at the end of a path; the value is how it is called in a message."""

    TEXT = "text"
    NUMBER = "a whole number"
    DECIMAL = "a number"
    BOOL = "true or false"
    PORT = "a whole number or a port's name"
    ANY = "anything"


@dataclass(frozen=True)
class Words:
    """One of some words."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class MapOf:
    """Any keys, each with the same type of value."""

    of: Any


@dataclass(frozen=True)
class Kind:
    """A kind of object: its API group, the versions served with the Istio version since when, its spec's fields.

    A shape is a `Leaf`, `Words`, a `MapOf`, a list of one shape, or a mapping of fields to shapes. An Istio version
    is null where it does not depend on Istio, the group empty for Kubernetes' core.
    """

    name: str
    group: str
    versions: Mapping[str, Version | None]
    spec: Any = field(default_factory=dict)


class Fault(StrEnum):
    """In which way a value does not fit its shape."""

    TYPE = "type"
    WORD = "word"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Misfit:
    """A place that does not fit."""

    fault: Fault
    node: Node
    message: str
    hint: str | None = None


@lru_cache(maxsize=1)
def known_kinds() -> dict[str, Kind]:
    """Every kind that is validated, by name."""
    return discover("analyzer.validation.kinds", "KIND")


def misfits(node: Node, shape: Any) -> Iterator[Misfit]:
    """Everything below a place that does not fit; what is absent fits."""
    if isinstance(shape, dict):
        yield from _fields(node, shape)
    elif isinstance(shape, list):
        yield from _list(node, shape[0])
    elif isinstance(shape, MapOf):
        yield from _map(node, shape.of)
    elif isinstance(shape, Words):
        yield from _word(node, shape.words)
    elif not _fits(node.value, shape):
        yield _wrong(node, shape.value, _leaf_hint(node.value, shape))


def _fields(node: Node, fields: Mapping[str, Any]) -> Iterator[Misfit]:
    if not isinstance(node.value, dict):
        yield _wrong(node, "a mapping")
        return
    for key, inner in node.pairs():
        if key in fields:
            yield from misfits(inner, fields[key])
        else:
            close = difflib.get_close_matches(key, fields, 1)
            hint = f"{close[0]}" if close else f"known here: {', '.join(sorted(fields))}"
            yield Misfit(Fault.UNKNOWN, inner, f"there is no field {key!r} here", hint)


def _list(node: Node, shape: Any) -> Iterator[Misfit]:
    if not isinstance(node.value, list):
        yield _wrong(node, "a list", f"{node.path[-1]}: [{node.value}]" if isinstance(node.value, str | int) else None)
        return
    for item in node.items():
        yield from misfits(item, shape)


def _map(node: Node, shape: Any) -> Iterator[Misfit]:
    if not isinstance(node.value, dict):
        yield _wrong(node, "a mapping")
        return
    for _, inner in node.pairs():
        yield from misfits(inner, shape)


def _word(node: Node, words: tuple[str, ...]) -> Iterator[Misfit]:
    if not isinstance(node.value, str):
        yield _wrong(node, f"one of {', '.join(words)}")
    elif node.value not in words:
        close = difflib.get_close_matches(node.value.upper(), words, 1)
        yield Misfit(
            Fault.WORD, node, f"{node.value!r} is none of {', '.join(words)}", f"{node.path[-1]}: {(close or words)[0]}"
        )


def _wrong(node: Node, wanted: str, hint: str | None = None) -> Misfit:
    if node.value is None:
        return Misfit(Fault.TYPE, node, f"{_name(node)} must be {wanted}, and is empty (null)", _null_hint(node))
    return Misfit(Fault.TYPE, node, f"{_name(node)} must be {wanted}, not {_called(node.value)}", hint)


def _null_hint(node: Node) -> str:
    """A lone `~` is YAML's null, and Istio's word for nobody."""
    return 'for nobody write "~" in quotes' if "exportTo" in node.path else "leave the key out, or give it a value"


def _name(node: Node) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in node.path).lstrip(".")


def _called(value: Any) -> str:
    if isinstance(value, bool):
        return f"{str(value).lower()} (true or false)"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value!r}"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, Sequence) else f"{value} ({type(value).__name__})"


def _leaf_hint(value: Any, shape: Leaf) -> str | None:
    if shape is Leaf.TEXT and isinstance(value, bool | int | float):
        return f'write it in quotes: "{str(value).lower() if isinstance(value, bool) else value}"'
    if shape is Leaf.NUMBER and isinstance(value, str) and value.isascii() and value.isdigit():
        return f"without quotes: {int(value)}"
    return None


def _fits(value: Any, shape: Leaf) -> bool:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    match shape:
        case Leaf.TEXT:
            return isinstance(value, str)
        case Leaf.NUMBER:
            return is_number or (isinstance(value, float) and value.is_integer())
        case Leaf.DECIMAL:
            return is_number or isinstance(value, float)
        case Leaf.BOOL:
            return isinstance(value, bool)
        case Leaf.PORT:
            return is_number or isinstance(value, str)
        case Leaf.ANY:
            return True
