"""What a line may come wrapped in: one file an envelope, each taking off one layer."""

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import NamedTuple, Protocol, runtime_checkable

from analyzer.registry import discover

Claims = Mapping[str, str]
"""What an envelope says of the writer: `SOURCE_FIELDS` and `CONTAINER`, as `analyzer.parsing.claims` let them pass."""
NOTHING: Claims = {}


class Part(Enum):
    """Whether a text is a whole line or goes on in the next record of its stream."""

    WHOLE = "whole"
    GOES_ON = "goes on"
    MAY_GO_ON = "may go on"
    """The envelope has no word for it: what follows tells."""


class Inner(NamedTuple):
    """One record out of an envelope: a line without its line end, and what the envelope knows of its writer.

    Parts of one line share a `stream`; where that is empty the text is whole.
    """

    text: bytes
    claims: Claims = NOTHING
    stream: str = ""
    part: Part = Part.WHOLE


@runtime_checkable
class Envelope(Protocol):
    """One wrapping, in one file of this package; `reference` says where its shape is defined.

    `begins` is what such a line may begin with: a bracket, blanks aside; a time and a tab behind it (`\\t`); or any other
    letter (the empty one).
    """

    name: str
    reference: str
    begins: tuple[bytes, ...]

    def recognizes(self, line: bytes) -> bool:
        """A cheap look: may this line be wrapped so?"""
        ...

    def peel(self, line: bytes) -> Sequence[Inner] | None:
        """The records inside, in order, or null where the line is not of this kind.

        A line may hold many records (a document of log entries) or none; it then counts as many lines as it holds
        records, and as one, rejected, where it holds none.
        """
        ...


@runtime_checkable
class WholeBlocks(Protocol):
    """What an envelope may offer besides, for exports so common that each line by itself would cost too much."""

    def peel_block(self, data: bytes) -> bytes | None:
        """The lines inside a block, one for one and without claims, or null where that is not all there is to it."""
        ...


@lru_cache(maxsize=1)
def known_envelopes() -> dict[str, Envelope]:
    """Every envelope by name."""
    return discover("analyzer.parsing.envelopes", "ENVELOPE")


def is_wrapped(line: bytes) -> bool:
    """Whether some envelope can be taken off a line."""
    return any(envelope.recognizes(line) and envelope.peel(line) is not None for envelope in known_envelopes().values())
