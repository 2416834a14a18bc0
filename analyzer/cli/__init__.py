"""The command line: options in, one library call, words out. Nothing heavy is imported before a command runs."""

import os
import sys

# Measured: the system's allocator is as quick for blocks of this size as Arrow's own, and holds a fifth less.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
# numpy would start a thread a core for matrices, of which there are none here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import typer

from analyzer.cli import commands
from analyzer.cli.options import settle
from analyzer.cli.startup import keep_pandas_out
from analyzer.collecting import collect_seldom

app = commands.app


def main() -> None:
    """Run the command line; the one place where an error becomes two lines and an exit code."""
    from analyzer.errors import AnalyzerError

    keep_pandas_out()
    collect_seldom()
    try:
        status = app(standalone_mode=False)
    except typer.Exit as stop:
        status = stop.exit_code
    except AnalyzerError as error:
        status = _explain(error)
    except (typer.Abort, KeyboardInterrupt):
        status = 130
    except SystemExit as stop:
        # Whoever read the output has heard enough: the parser makes an exit of that, which is no failure.
        status = stop.code
        if isinstance(stop.__context__, BrokenPipeError):
            status = 0
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except Exception as error:
        status = _click_error(error)
    sys.exit(status if isinstance(status, int) else 0)


def _explain(error: Exception) -> int:
    from analyzer.text import printable

    if settle.debug:
        raise error
    sys.stderr.write(f"error: {printable(str(error))}\n")
    hint = getattr(error, "hint", None)
    if hint:
        sys.stderr.write(f"  try: {printable(hint)}\n")
    return 2


def _click_error(error: Exception) -> int:
    """Wrong usage is said by the parser in its own words; anything else is a fault of ours."""
    show = getattr(error, "format_message", None)
    if show is None:
        if settle.debug:
            raise error
        sys.stderr.write(
            f"error: {type(error).__name__}: {error}\n  try: the same with --debug, and report what it says\n"
        )
        return 2
    context = getattr(error, "ctx", None)
    sys.stderr.write(f"error: {show()}\n")
    if context is not None:
        sys.stderr.write(f"  try: {context.command_path} --help\n")
    return 2
