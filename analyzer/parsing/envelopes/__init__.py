"""What a line may come wrapped in: one file an envelope, each taking off one layer."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol, runtime_checkable

from analyzer.registry import discover


@runtime_checkable
class Envelope(Protocol):
    """One wrapping, in one file of this package; `reference` says where its shape is defined."""

    name: str
    reference: str

    def recognizes(self, line: bytes) -> bool:
        """A cheap look: may this line be wrapped so?"""
        ...

    def peel(self, line: bytes) -> tuple[bytes, Mapping[str, str]] | None:
        """The line inside and the labels that the envelope knows, or null where it is not of this kind."""
        ...


@lru_cache(maxsize=1)
def known_envelopes() -> dict[str, Envelope]:
    """Every envelope by name."""
    return discover("analyzer.parsing.envelopes", "ENVELOPE")
