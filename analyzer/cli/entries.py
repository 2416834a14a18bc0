"""`egress-audit entries`: one row per access-log entry, classified."""

from enum import StrEnum
from typing import Annotated

import typer

from analyzer.cli.options import LakeOption, SinceOption, UntilOption


class EntryFile(StrEnum):
    """How entries are written."""

    parquet = "parquet"
    csv = "csv"
    jsonl = "jsonl"


def command(
    lake: LakeOption,
    to: Annotated[EntryFile, typer.Option("--to", help="File format.")] = EntryFile.jsonl,
    out: Annotated[str | None, typer.Option("--out", help="File to write; default: stdout.", metavar="FILE")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
) -> None:
    """Write every entry with its classification, by source and line."""
    from analyzer.cli.reading import time_of
    from analyzer.execution.exporting import export

    export(lake, to.value, out, time_of(since, "--since"), time_of(until, "--until"))
