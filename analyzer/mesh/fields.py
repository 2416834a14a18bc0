"""Read the fields of a document by their API names, and say which one has the wrong shape.

All raise `TypeError` or `ValueError` naming the field. A missing field and a null one are the same, as in the API.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from analyzer.mesh.objects import Document

Word = TypeVar("Word", bound=StrEnum)
Fields = Mapping[str, Any]


def mapping(content: Fields, key: str) -> Fields:
    """A nested mapping, empty where there is none."""
    value = content.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{key} must be a mapping")
    return value


def mappings(content: Fields, key: str) -> Sequence[Fields]:
    """A list of mappings, empty where there is none."""
    value = content.get(key)
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(v, Mapping) for v in value):
        raise TypeError(f"{key} must be a list of mappings")
    return value


def texts(content: Fields, key: str) -> tuple[str, ...]:
    """A list of texts, empty where there is none."""
    value = content.get(key)
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"{key} must be a list")
    return tuple(str(item) for item in value)


def text_map(content: Fields, key: str) -> dict[str, str]:
    """Labels and the like; YAML's own booleans become the words that Kubernetes would want quoted."""
    return {str(name): _text(value) for name, value in mapping(content, key).items()}


def text(content: Fields, key: str) -> str:
    """A text, empty where there is none."""
    return optional_text(content, key) or ""


def optional_text(content: Fields, key: str) -> str | None:
    """A text or null."""
    value = content.get(key)
    if isinstance(value, Mapping | list):
        raise TypeError(f"{key} must be a text")
    return None if value is None else _text(value)


def optional_number(content: Fields, key: str) -> int | None:
    """A whole number or null."""
    value = content.get(key)
    if value is None:
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise TypeError(f"{key} must be a number") from None


def word(content: Fields, key: str, words: type[Word], default: Word) -> Word:
    """One word of a closed set."""
    value = content.get(key)
    return default if value is None else words(str(value))


def number_map(content: Fields, key: str) -> dict[str, int]:
    """Port numbers by port name and the like."""
    return {str(name): int(number) for name, number in mapping(content, key).items()}


def common(document: Document) -> dict[str, Any]:
    """What every object has: arguments of `MeshObject`."""
    metadata = mapping(document.content, "metadata")
    return {
        "namespace": document.namespace,
        "name": document.name,
        "labels": text_map(metadata, "labels"),
        "annotations": text_map(metadata, "annotations"),
        "creation_timestamp": optional_text(metadata, "creationTimestamp"),
        "origin": document.origin,
    }


def selector(spec: Fields, key: str, inner: str) -> dict[str, str] | None:
    """The labels of an Istio workload selector, null where there is none."""
    return None if spec.get(key) is None else text_map(mapping(spec, key), inner)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
