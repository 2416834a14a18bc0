"""A text format that an operator of a mesh wrote: its format string, compiled into a reader.

Lines that the kernel or the pattern's plain shape can read have one reading. For the others every reading is looked
for, and only what they agree in is believed (`analyzer.parsing.readings`).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from analyzer.errors import UsageError
from analyzer.parsing.by_line import read_by_line
from analyzer.parsing.careful import CarefulLine, Shape
from analyzer.parsing.custom_columns import column_of, finished
from analyzer.parsing.layout import IGNORED
from analyzer.parsing.native import MOST_COLUMNS, Cut, TextKernel, library
from analyzer.parsing.operators import Operator, take_apart
from analyzer.parsing.parsed import Entries, Reading
from analyzer.parsing.readings import Pattern, pattern_of
from analyzer.parsing.slots import Slots
from analyzer.parsing.tables import without

_FEWEST_FIELDS = 2


@dataclass(frozen=True)
class CustomText:
    """The format of `meshConfig.accessLogFormat` or of a Telemetry provider's `logFormat.text`."""

    format_string: str
    name: str = "custom_text"
    relays: bool = False
    blind_spot: str = ""

    reference = "istio/api mesh/v1alpha1/config.proto accessLogFormat; envoyproxy/envoy substitution_formatter.rst"

    def __post_init__(self) -> None:
        """Raises `UsageError` for a format string that says too little to know its lines by."""
        if len(self.slots.fields) < _FEWEST_FIELDS:
            raise UsageError(
                f"the format string {self.format_string!r} fills fewer than {_FEWEST_FIELDS} fields",
                hint="give the whole access-log format, as it stands in meshConfig or in the Telemetry resource",
            )

    def __reduce__(self) -> tuple[Any, ...]:
        """What is compiled stays where it is."""
        return CustomText, (self.format_string, self.name, self.relays)

    @cached_property
    def slots(self) -> Slots:
        """The operators."""
        return Slots(tuple(operator for operator, _ in self._parts[1]))

    @cached_property
    def pattern(self) -> Pattern:
        """Literals and kinds of value."""
        return pattern_of(*self._parts)

    @cached_property
    def fields(self) -> frozenset[str]:
        """The access-log fields that the format can hold."""
        return self.slots.fields

    def may_read(self, shape: Shape) -> bool:
        """Whether a line has the quotes that the format has."""
        return shape.quotes >= self._quotes

    def read_line(self, line: str) -> CarefulLine | None:
        """Read one line; null where it does not fit the format string in any way, or holds no value at all."""
        readings = self.pattern.read(line)
        if readings is None:
            return None
        values = self.slots.fill(readings.values)
        if not values and readings.one:
            return None
        forged = bool(self._quotes) and line.count('"') > self._quotes
        return CarefulLine(values, tampered=forged or not readings.one)

    def read(self, data: bytes) -> Reading:
        """Read a block of UTF-8 lines, by the kernel where it can tell the values apart."""
        if self._kernel is None:
            return read_by_line(self, data)
        reading = self._kernel.read(data)
        if reading.entries is None:
            return reading
        reading.entries.columns = finished(self.slots, reading.entries.columns)
        return without(reading, self._misread(reading.entries), data)

    def _misread(self, entries: Entries) -> Any:
        """Rows whose time is none, in a format where only its own blanks say where it ends."""
        if not self._has_long_time:
            return np.zeros(len(entries), bool)
        return np.asarray(entries.columns["start_time"].is_null())

    @cached_property
    def _kernel(self) -> TextKernel | None:
        functions = library()
        cuts = self._cuts()
        return None if functions is None or cuts is None else TextKernel(functions, self.name, cuts)

    def _cuts(self) -> list[Cut] | None:
        """The kernel's steps; null where its plain rules would not give the one reading.

        It ends a value at the first letter of the literal behind it, so between two values in one stretch without
        quotes no value may hold that letter, but for a time, which holds it so many times.
        """
        first, parts = self._parts
        if len(parts) > MOST_COLUMNS or any(piece.inside is None for piece in self.pattern.pieces):
            return None
        inside = [held for piece in self.pattern.pieces for held in piece.inside or ()]
        columns = (column_of(self.slots, place) for place in range(len(parts)))
        return [
            Cut(IGNORED, first),
            *(Cut(column, literal, *held) for column, (_, literal), held in zip(columns, parts, inside, strict=True)),
        ]

    @cached_property
    def _has_long_time(self) -> bool:
        return any(count > 0 for piece in self.pattern.pieces for _, count in piece.inside or ())

    @cached_property
    def _parts(self) -> tuple[str, tuple[tuple[Operator, str], ...]]:
        return take_apart(self.format_string.rstrip("\n"))

    @cached_property
    def _quotes(self) -> int:
        first, parts = self._parts
        return first.count('"') + sum(literal.count('"') for _, literal in parts)
