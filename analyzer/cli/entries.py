"""`egress-audit entries`: one row per access-log entry, classified."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from analyzer.cli.options import LakeOption, Output, SinceOption, UntilOption

_SHOWN = (
    "source_namespace",
    "source_workload",
    "host",
    "destination_ip",
    "destination_port",
    "application_protocol",
    "egress_class",
    "mechanism",
    "result",
)


class EntryFile(StrEnum):
    """How entries are written."""

    parquet = "parquet"
    csv = "csv"
    jsonl = "jsonl"


def command(
    lake: LakeOption,
    to: Annotated[EntryFile | None, typer.Option("--to", help="File format.  [default: jsonl]")] = None,
    out: Annotated[str | None, typer.Option("--out", help="File to write; default: stdout.", metavar="FILE")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    output: Annotated[
        Output | None,
        typer.Option("--output", "-o", help="Instead of a file format: a table for people, or one JSON document."),
    ] = None,
) -> None:
    """Write every entry with its classification, by source and line."""
    from analyzer.cli.reading import span_of
    from analyzer.errors import UsageError
    from analyzer.execution.exporting import export

    if to is not None and output is not None:
        raise UsageError("--to and --output both say how entries are written", hint="give one of them")
    kind = "json" if output is Output.json else (to or EntryFile.jsonl).value
    start, end = span_of(since, until)
    if output is not Output.table:
        export(lake, kind, out, start, end)
    elif out is None:
        _print(lake, start, end)
    else:
        raise UsageError("a table is for people and not for a file", hint="--to csv --out FILE")


def _print(lake: str, start: datetime | None, end: datetime | None) -> None:
    from analyzer.cli.terminal import print_table
    from analyzer.execution.exporting import sorted_entries
    from analyzer.shapes import moment_as_json
    from analyzer.store import Lake

    rows = [
        (
            f"{row['origin']}:{row['line_number']}",
            moment_as_json(row["start_time"]),
            *(str(row[name]) if name == "destination_port" and row[name] else row[name] for name in _SHOWN),
        )
        for table in sorted_entries(Lake(lake), start, end)
        for row in table.select(["origin", "line_number", "start_time", *_SHOWN]).to_pylist()
    ]
    print_table(("place", "start_time", *_SHOWN), rows, right=("destination_port",), colored="egress_class")
