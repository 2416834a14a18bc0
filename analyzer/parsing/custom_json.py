"""A JSON format that an operator of a mesh wrote: a template whose leaves are format strings.

JSON escapes what a client writes, so a leaf of one operator holds its value and nothing else; only a leaf that joins
several is read as text is, with the same caution (`analyzer.parsing.readings`).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from analyzer.errors import UsageError
from analyzer.parsing.by_line import read_by_line
from analyzer.parsing.careful import CarefulLine, Shape
from analyzer.parsing.custom_columns import column_of, finished
from analyzer.parsing.extras import as_extra
from analyzer.parsing.json_keys import flattened
from analyzer.parsing.native import MOST_COLUMNS, JsonKernel, library
from analyzer.parsing.objects import as_text, object_of
from analyzer.parsing.operators import Operator, take_apart
from analyzer.parsing.parsed import EXTRA, Reading
from analyzer.parsing.readings import Pattern, pattern_of
from analyzer.parsing.slots import Slots

_CONSTANT = "@constant "
_EXAMPLE = 'such as {"host": "%REQ(:AUTHORITY)%"}'
_SPECIAL = re.compile(r'["\\\x00-\x1f.]').search
"""Letters that JSON escapes, and the dot that stands for an object."""


@dataclass(frozen=True)
class _Leaf:
    """One value of the template: where it stands, and its operators."""

    key: str
    first: str
    parts: tuple[tuple[Operator, str], ...]

    @cached_property
    def pattern(self) -> Pattern | None:
        """How a leaf of several operators is read; null for one that is an operator's value as it stands."""
        alone = len(self.parts) == 1 and not self.first and not self.parts[0][1]
        return None if alone else pattern_of(self.first, self.parts)


@dataclass(frozen=True)
class CustomJson:
    """The format of `meshConfig.accessLogFormat` under JSON, or of a Telemetry provider's `logFormat.labels`."""

    template: str
    """The template as JSON text."""
    name: str = "custom_json"
    relays: bool = False
    blind_spot: str = ""

    reference = "istio/api mesh/v1alpha1/config.proto accessLogFormat, EnvoyFileAccessLogProvider.LogFormat labels"

    def __post_init__(self) -> None:
        """Raises `UsageError` for a template without an operator that fills a field."""
        if not self.slots.fields:
            raise UsageError(
                "the JSON format has no command operator that fills a field",
                hint='the values hold operators, as in {"host": "%REQ(:AUTHORITY)%"}',
            )

    def __reduce__(self) -> tuple[Any, ...]:
        """What is compiled stays where it is."""
        return CustomJson, (self.template, self.name, self.relays)

    @cached_property
    def leaves(self) -> tuple[_Leaf, ...]:
        """The values of the template that hold operators."""
        try:
            content = json.loads(self.template)
        except ValueError as error:
            raise UsageError(f"the format is no JSON object: {error}", hint=_EXAMPLE) from None
        if not isinstance(content, dict):
            raise UsageError("the format is no JSON object", hint=_EXAMPLE)
        return tuple(leaf for leaf in _leaves(content) if leaf.parts)

    @cached_property
    def slots(self) -> Slots:
        """The operators of all leaves, named by the keys they stand under."""
        pairs = [
            (operator, leaf.key if leaf.pattern is None else f"{leaf.key}.{operator.key}")
            for leaf in self.leaves
            for operator, _ in leaf.parts
        ]
        return Slots(tuple(operator for operator, _ in pairs), tuple(name for _, name in pairs))

    @cached_property
    def fields(self) -> frozenset[str]:
        """The access-log fields that the format can hold."""
        return self.slots.fields

    def may_read(self, shape: Shape) -> bool:
        """Whether a line may be an object."""
        return shape.braced

    def read_line(self, line: str) -> CarefulLine | None:
        """Read one object; null where less than half of its keys are the template's (empty ones may be left out)."""
        content = object_of(line)
        if content is None:
            return None
        flat = flattened(content)
        if 2 * sum(self._declared(name) for name in flat) < max(1, len(flat)):
            return None
        texts: list[str | None] = []
        objects: dict[str, Any] = {}
        one = True
        for leaf in self.leaves:
            found = flat.get(leaf.key, _inside(content, leaf.key))
            if leaf.pattern is None:
                texts.append(as_text(found))
                objects |= {leaf.key: found} if isinstance(found, (dict, list)) else {}
                continue
            readings = leaf.pattern.read(found) if isinstance(found, str) else None
            texts += (None,) * len(leaf.parts) if readings is None else readings.values
            one = one and (readings is None or readings.one)
        values = self.slots.fill(texts)
        rest = {name: value for name, value in flat.items() if not self._declared(name)}
        extra = as_extra({**json.loads(values.pop(EXTRA, "{}")), **objects, **rest})
        values |= {} if extra is None else {EXTRA: extra}
        if not values and one:
            return None
        return CarefulLine(values, tampered=not one)

    def read(self, data: bytes) -> Reading:
        """Read a block of UTF-8 lines, by the kernel where the template has no objects and no joined values."""
        if self._kernel is None:
            return read_by_line(self, data)
        reading = self._kernel.read(data)
        if reading.entries is not None:
            reading.entries.columns = finished(self.slots, reading.entries.columns)
        return reading

    @cached_property
    def _kernel(self) -> JsonKernel | None:
        functions, keys = library(), self._columns()
        if functions is None or keys is None:
            return None
        proof = [column for column in keys.values() if not column.startswith(_CONSTANT)]
        return JsonKernel(functions, self.name, keys, 1, (proof[0], proof[-1]), others=False)

    def _columns(self) -> dict[str, str] | None:
        """The column of each key; null where the kernel would not give what a line by itself does."""
        flat = all(leaf.pattern is None and "." not in leaf.key for leaf in self.leaves)
        if not flat or len(self._all_keys) > MOST_COLUMNS - 1 or any(map(_SPECIAL, self._all_keys)):
            return None
        columns = {leaf.key: column_of(self.slots, place) for place, leaf in enumerate(self.leaves)}
        constants = {key: f"{_CONSTANT}{key}" for key in self._all_keys if key not in columns}
        return {key: column or f"{_CONSTANT}{key}" for key, column in (columns | constants).items()}

    @cached_property
    def _declared(self) -> Callable[[str], bool]:
        """Whether a key is the template's, or lies in an object that one of its operators wrote."""
        keys = frozenset(self._all_keys)

        @lru_cache(maxsize=4096)
        def declared(name: str) -> bool:
            places = (place for place, letter in enumerate(name) if letter == ".")
            return name in keys or any(name[:place] in keys for place in places)

        return declared

    @cached_property
    def _all_keys(self) -> tuple[str, ...]:
        return tuple(leaf.key for leaf in _leaves(json.loads(self.template)))


def _leaves(template: Mapping[str, Any], before: str = "") -> Iterator[_Leaf]:
    for key, value in template.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{before}{key}.")
        else:
            first, parts = take_apart(value) if isinstance(value, str) else ("", ())
            yield _Leaf(before + key, first, parts)


def _inside(content: Mapping[str, Any], key: str) -> Any:
    """What an operator wrote as an object, which flattening takes apart."""
    found: Any = content
    for part in key.split("."):
        if not isinstance(found, dict) or part not in found:
            return content.get(key)
        found = found[part]
    return found
