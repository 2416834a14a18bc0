"""Words on a terminal: tables and JSON on stdout, progress, warnings and hints on stderr."""

import io
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from analyzer.text import printable

_LEAST_WIDTH = 44
"""Letters of a cell before it may be folded: a host with its port, most reasons' codes."""


def print_json(content: Any) -> None:
    """One JSON document, in which a build's runner finds no command of its older form `##[...]`."""
    written = json.dumps(content, indent=1, ensure_ascii=True, default=str)
    sys.stdout.write(written.replace("##[", "\\u0023#[") + "\n")


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], *, right: Sequence[str] = (), colored: str | None = None
) -> None:
    """A table for people; cells are log text, so they are made harmless and never read as markup.

    `colored` is the column whose words have colours, on a terminal that wants any.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = sys.stdout.isatty()
    # A pipe has no edge: cutting cells there would lose what is in them.
    out = io.StringIO()
    console = _console(sys.stdout if shown else out)
    table = Table(box=box.SIMPLE_HEAD if shown else None, pad_edge=False, show_edge=False)
    cells = [[_cell(cell) for cell in row] for row in rows]
    needed = 0
    for place, column in enumerate(columns):
        longest = max((len(row[place]) for row in cells), default=0)
        # A narrow terminal breaks whole lines where it likes; broken inside of every cell they cannot be read at all.
        least = max(len(column), min(longest, _LEAST_WIDTH))
        needed += least + 3
        table.add_column(column, justify="right" if column in right else "left", overflow="fold", min_width=least)
    console.width = max(console.width, needed) if shown else 100_000
    for row in cells:
        named = zip(columns, row, strict=True)
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "") if name == colored else "") for name, cell in named))
    console.print(table, soft_wrap=False, crop=False)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines()))


def say(text: str) -> None:
    """A line of the result."""
    sys.stdout.write(printable(text) + "\n")


def warn(text: str) -> None:
    """A line beside the result."""
    sys.stderr.write(f"warning: {printable(text)}\n")


def hint(text: str, *, quiet: bool = False) -> None:
    """What to do next, for people."""
    if not quiet and sys.stderr.isatty():
        sys.stderr.write(printable(text) + "\n")


class Progress:
    """A bar on stderr with rate and time left; silent where nobody looks."""

    def __init__(self, *, quiet: bool) -> None:
        self._shown = sys.stderr.isatty() and not quiet
        self._start = time.monotonic()
        self._bar: Any = None

    def __call__(self, done: int, total: int | None) -> None:
        """Be told how far the reading has come, in bytes."""
        if not self._shown:
            return
        if self._bar is None:
            self._bar = _bar()
            self._bar.start()
            self._task = self._bar.add_task("reading", total=total)
        self._bar.update(self._task, completed=done, total=total)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """A progress bar for as long as something is read."""
    shown = Progress(quiet=quiet)
    try:
        yield shown
    finally:
        shown.close()


def _console(file: TextIO) -> Any:
    """Where NO_COLOR is set (https://no-color.org) nothing is bold either: a table has no escape code at all."""
    from rich.console import Console

    plain = bool(os.environ.get("NO_COLOR"))
    return Console(file=file, markup=False, highlight=False, color_system=None if plain else "auto")


def _bar() -> Any:
    from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as RichProgress

    return RichProgress(
        "reading",
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=_console(sys.stderr),
        transient=True,
    )


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else printable(str(value))


_STYLES = {
    "legitimate": "green",
    "allowed": "green",
    "review": "yellow",
    "conditional": "yellow",
    "suspicious": "red",
    "denied": "red",
    "blocked": "red",
    "broken": "red",
    "misdirected": "red",
}
