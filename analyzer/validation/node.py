"""A place in a document: its value and the keys that lead to it, however wrong the document's shape is."""

from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """What a rule found: the path of keys to the place, what is wrong, and what to write instead."""

    path: Path
    message: str
    hint: str | None = None


class Node:
    """One place: the keys that lead to it, and its value, made of what a YAML reader makes (mappings are dicts).

    What has the wrong type reads as absent, because `field_type` already says so.
    """

    __slots__ = ("path", "value")

    def __init__(self, path: Path, value: Any) -> None:
        self.path, self.value = path, value

    def __getitem__(self, key: str) -> "Node":
        inner = self.value.get(key) if isinstance(self.value, dict) else None
        return Node((*self.path, key), inner)

    @property
    def is_set(self) -> bool:
        """Whether something is written here; null is nothing."""
        return self.value is not None

    @property
    def text(self) -> str:
        """The text, or "" where there is none."""
        return str(self.value) if isinstance(self.value, str) else ""

    @property
    def number(self) -> int | None:
        """The whole number, or null where there is none."""
        return int(self.value) if isinstance(self.value, int) and not isinstance(self.value, bool) else None

    @property
    def is_true(self) -> bool:
        """Whether `true` is written here."""
        return self.value is True

    def items(self) -> list["Node"]:
        """The items of a list."""
        if not isinstance(self.value, list):
            return []
        return [Node((*self.path, index), item) for index, item in enumerate(self.value)]

    def texts(self) -> list["Node"]:
        """The items of a list that are texts."""
        return [item for item in self.items() if isinstance(item.value, str)]

    def mappings(self) -> list["Node"]:
        """The items of a list that are mappings."""
        return [item for item in self.items() if isinstance(item.value, dict)]

    def pairs(self) -> list[tuple[str, "Node"]]:
        """The keys of a mapping with what they hold."""
        if not isinstance(self.value, dict):
            return []
        return [(str(key), Node((*self.path, key), value)) for key, value in self.value.items()]

    def problem(self, message: str, hint: str | None = None) -> Problem:
        """A problem at this place."""
        return Problem(self.path, message, hint)


def position(content: Any, path: Path, line: int) -> tuple[int, int]:
    """Line and column (from 1) of a place in a document, or of the nearest thing round it that has a position.

    `content` carries ruamel.yaml's marks; `line` is the document's first.
    """
    place = (line, 1)
    for key in path:
        marks = getattr(content, "lc", None)
        try:
            if marks is not None and marks.data is not None and key in marks.data:
                mark = marks.data[key]
                place = (mark[0] + 1, mark[1] + 1)
            content = content[key]
        except (KeyError, IndexError, TypeError):
            break
    return place
