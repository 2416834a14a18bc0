"""What a log format must offer, and the formats this build knows."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol, runtime_checkable

import pyarrow as pa

from analyzer.parsing.careful import CarefulLine, Shape
from analyzer.parsing.parsed import Lines, OddLine, Reading
from analyzer.registry import discover


@runtime_checkable
class LogFormat(Protocol):
    """One format, in one file of `analyzer.parsing.formats`, or out of a format string."""

    @property
    def name(self) -> str:
        """How the format is called in `log_format`, in the catalog and by `--format`."""
        ...

    @property
    def reference(self) -> str:
        """Where the format is defined."""
        ...

    @property
    def relays(self) -> bool:
        """Whether the writer of a line is not the client it tells of: a node's proxy, a collector."""
        ...

    @property
    def blind_spot(self) -> str:
        """What entries of the format cannot show, for the report; empty where that is nothing of note."""
        ...

    @property
    def fields(self) -> frozenset[str]:
        """The access-log fields that the format can hold."""
        ...

    def may_read(self, shape: Shape) -> bool:
        """A cheap first question: may a line of this shape be of the format?"""
        ...

    def read(self, data: bytes) -> Reading:
        """Read a block of UTF-8 lines by the column; what is not plainly of this format is handed back as odd."""
        ...

    def read_line(self, line: str) -> CarefulLine | None:
        """Read one line with care, or say with null that it is not of this format."""
        ...


class Gathering(Protocol):
    """Gathers the rows of one format over many blocks; a format that has one offers `gathering`."""

    @property
    def rows(self) -> int:
        """How many rows were gathered since the last were taken."""
        ...

    def gather(self, data: bytes) -> tuple[Lines, list[OddLine]] | None:
        """Read a block as `LogFormat.read` does and keep its rows: their lines, and the odd lines.

        Null, and no row, where the block has to be read by `LogFormat.read`.
        """
        ...

    def add(self, values: Mapping[str, str]) -> bool:
        """Keep one row that was read with care; false, and no row, where it has to become one in another way."""
        ...

    def take(self) -> dict[str, pa.Array]:
        """The columns of all rows. What is gathered next may not begin before nobody holds these any more, or takes
        memory of its own."""
        ...


@runtime_checkable
class Gathers(Protocol):
    """A log format whose rows can be gathered."""

    def gathering(self) -> Gathering | None:
        """A new gathering; null where this machine has no kernel."""
        ...


@lru_cache(maxsize=1)
def known_formats() -> dict[str, LogFormat]:
    """Every format by name."""
    return discover("analyzer.parsing.formats", "FORMAT")
