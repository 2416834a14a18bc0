"""Envelopes that stand before the line as plain text."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from analyzer.parsing.envelopes import NOTHING, Claims, Inner, Part


def _no_claims(match: re.Match[bytes]) -> Claims:
    return NOTHING


@dataclass(frozen=True)
class Prefix:
    """An envelope that ends where its `shape` does.

    The group `who` of the shape is all that `claims` looks at, `stream` names the stream that parts belong to, and
    `part` is there where the line goes on. `mark` is the cheap look.
    """

    name: str
    reference: str
    shape: re.Pattern[bytes]
    mark: Callable[[bytes], bool]
    claims: Callable[[re.Match[bytes]], Claims] = _no_claims
    begins: tuple[bytes, ...] = (b"",)

    def recognizes(self, line: bytes) -> bool:
        """Whether the mark is there."""
        return self.mark(line)

    def peel(self, line: bytes) -> Sequence[Inner] | None:
        """Cut the prefix off."""
        match = self.shape.match(line)
        if match is None:
            return None
        stream = match["stream"].decode("ascii") if self.has_stream else ""
        part = Part.GOES_ON if self.has_stream and match["part"] is not None else Part.WHOLE
        return [Inner(line[match.end() :], self.claims(match), stream, part)]

    @cached_property
    def has_stream(self) -> bool:
        """Whether lines may come in parts."""
        return "stream" in self.shape.groupindex

    @cached_property
    def has_writer(self) -> bool:
        """Whether the prefix says who wrote the line."""
        return "who" in self.shape.groupindex
