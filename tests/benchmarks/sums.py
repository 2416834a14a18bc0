"""What an ingest does short of writing entries: parse, classify, sum up. Prints the entries found, as JSON.

`python -m tests.benchmarks.sums FILE`. No command does this; it is here to be held against a peer's bare aggregation.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import analyzer.cli  # noqa: F401 - its choice of allocator
from analyzer.cli.startup import keep_pandas_out


def main() -> None:
    """Read with a worker a core whose writers write nothing."""
    keep_pandas_out()
    from analyzer.evidence import merge
    from analyzer.execution import worker
    from analyzer.execution.pool import read_sources
    from analyzer.parsing import formats_for
    from analyzer.sources import find_sources

    class Idle(worker.PartitionWriter):
        def write(self, kind: str, table: Any) -> None:
            """Write nothing."""

    worker.PartitionWriter = Idle  # type: ignore[misc, attr-defined]
    with tempfile.TemporaryDirectory() as lake:
        sources = find_sources(sys.argv[1:2], {}, print, ())
        batch = read_sources(sources, Path(lake), "sums", formats_for(None), len(os.sched_getaffinity(0)))
        merge(batch.summaries)
    print(json.dumps({"entries": sum(tally.entries for tally in batch.tallies.values())}))


if __name__ == "__main__":
    main()
