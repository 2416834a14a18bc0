"""The steps of an edit, each as it changes plain data and as it changes the text that the data was read from.

An edit is made only where both agree: what the changed text says is what the changed data is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from analyzer.proposals.editing.insertion import Item, Path, Scalar, appended, found_at, node_at, put, replaced, without
from analyzer.proposals.editing.nodes import NotInPlace, Object, pair
from analyzer.proposals.editing.splices import Splice


class Step(Protocol):
    """One change at one place of an object; a path holds keys, and positions (from 0) in lists."""

    def made(self, content: Any) -> Any:
        """A copy of plain data with the change. Raises `NotInPlace` where the place is not there."""
        ...

    def splices(self, target: Object) -> Iterator[Splice]:
        """The change in the object's text. Raises `NotInPlace` where it is written in another way."""
        ...


@dataclass(frozen=True)
class Items:
    """A list with items put in, and others, named by position, taken out; the list is made where there is none.

    What is put in takes the places of what is taken out as far as those go, and the end of the list beyond.
    """

    path: Path
    added: tuple[Item, ...] = ()
    removed: tuple[int, ...] = ()

    def made(self, content: Any) -> Any:
        """The data with the list as it is to be."""
        return _changed(content, self.path, self._list)

    def _list(self, old: Any) -> list[Any]:
        items = list(old or ())
        swapped = dict(zip(self.removed, self.added, strict=False))
        gone = set(self.removed[len(swapped) :])
        kept = [swapped.get(number, item) for number, item in enumerate(items) if number not in gone]
        return [*kept, *self.added[len(swapped) :]]

    def splices(self, target: Object) -> Iterator[Splice]:
        """Items written as their neighbours are."""
        swapped = tuple(zip(self.removed, self.added, strict=False))
        for number, value in swapped:
            if isinstance(value, Mapping):
                raise NotInPlace("an item to be changed is not a plain one")
            yield replaced(node_at(target, (*self.path, number)), value, is_json=target.is_json)
        if self.removed[len(swapped) :]:
            yield from without(target, self.path, self.removed[len(swapped) :])
        if self.added[len(swapped) :]:
            yield appended(target, self.path, self.added[len(swapped) :])


@dataclass(frozen=True)
class Value:
    """A scalar under a key: in place of what stands there, or at the end of its mapping, which is made if need be."""

    path: Path
    value: Scalar

    def made(self, content: Any) -> Any:
        """The data with the value."""
        return _changed(content, self.path, lambda _: self.value)

    def splices(self, target: Object) -> Iterator[Splice]:
        """The value in the quotes of the old one."""
        *parents, key = self.path
        found = pair(found_at(target, parents), str(key))
        if found is None:
            yield put(target, parents, {str(key): self.value})
        else:
            yield replaced(found[1], self.value, is_json=target.is_json)


def _changed(content: Any, path: Sequence[str | int], change: Callable[[Any], Any]) -> Any:
    """A copy of plain data with something else at a path."""
    if not path:
        return change(content)
    key, *rest = path
    if isinstance(key, int):
        if not isinstance(content, list) or key >= len(content):
            raise NotInPlace("a list is not as long there as it was")
        return [_changed(item, rest, change) if place == key else item for place, item in enumerate(content)]
    if content is None:
        content = {}
    if not isinstance(content, Mapping):
        raise NotInPlace(f"{key} has no place there")
    return {**content, key: _changed(content.get(key), rest, change)}
