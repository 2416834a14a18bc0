"""What a log format must offer, and the formats this build knows."""

from functools import lru_cache
from typing import Protocol, runtime_checkable

from analyzer.parsing.careful import CarefulLine, Shape
from analyzer.parsing.parsed import Reading
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


@lru_cache(maxsize=1)
def known_formats() -> dict[str, LogFormat]:
    """Every format by name."""
    return discover("analyzer.parsing.formats", "FORMAT")
