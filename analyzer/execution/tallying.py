"""One source's share of the tally, as far as one worker saw it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc


@dataclass
class SourceTally:
    """One source's share of the tally, as far as one worker saw it."""

    bytes: int = 0
    entries: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    envelopes: Counter[str] = field(default_factory=Counter)
    took: set[tuple[str, str]] = field(default_factory=set)
    start: datetime | None = None
    end: datetime | None = None
    pods: set[str] = field(default_factory=set)

    def count(self, log_format: str, pods: pa.ChunkedArray) -> None:
        """Count entries of one format, by the pods that they came from."""
        self.entries += len(pods)
        self.formats[log_format] += len(pods)
        self.pods.update(_names(pods))

    def widen(self, times: pa.Array | pa.ChunkedArray) -> None:
        """Let the time from start to end hold these times."""
        bounds = pc.min_max(times).as_py()
        self.start = min(filter(None, (self.start, bounds["min"])), default=None)
        self.end = max(filter(None, (self.end, bounds["max"])), default=None)

    def add(self, other: "SourceTally") -> None:
        """Add what another worker saw of the same source."""
        self.bytes += other.bytes
        self.entries += other.entries
        self.rejected += other.rejected
        self.formats += other.formats
        self.envelopes += other.envelopes
        self.took |= other.took
        self.pods |= other.pods
        self.start = min(filter(None, (self.start, other.start)), default=None)
        self.end = max(filter(None, (self.end, other.end)), default=None)


def _names(column: pa.ChunkedArray) -> Iterator[str]:
    """The pods of a column, and the empty name where a row has none."""
    for chunk in column.chunks:
        yield from chunk.dictionary.to_pylist()
    if column.null_count:
        yield ""
