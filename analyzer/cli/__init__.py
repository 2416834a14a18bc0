"""The command line: options in, one library call, words out. Nothing heavy is imported before a command runs."""

import os
import sys
from pathlib import Path

# Measured: a worker grows by a quarter from 100 MB of log to 4 GB with jemalloc, by half with the system's allocator;
# Arrow's own choice is as quick and begins with a fifth more. Arrow's wheels for glibc have jemalloc.
os.environ.setdefault(
    "ARROW_DEFAULT_MEMORY_POOL", "jemalloc" if "CS_GNU_LIBC_VERSION" in getattr(os, "confstr_names", ()) else "system"
)
# numpy would start a thread a core for matrices, of which there are none here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import typer

from analyzer.cli import commands
from analyzer.cli.options import settle
from analyzer.cli.startup import keep_pandas_out
from analyzer.collecting import collect_no_more, collect_seldom

app = commands.app


def main() -> None:
    """Run the command line; the one place where an error becomes two lines and an exit code."""
    from analyzer.errors import AnalyzerError

    keep_pandas_out()
    collect_seldom()
    _make_streams_safe()
    try:
        status = app(standalone_mode=False)
        sys.stdout.flush()
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
    except OSError as error:
        status = _explain(_of_the_system(error))
    except Exception as error:
        status = _click_error(error)
    collect_no_more()
    sys.exit(status if isinstance(status, int) else 0)


def _make_streams_safe() -> None:
    """A letter that the terminal's encoding has not is written out; a closed stream swallows what it is told."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        getattr(sys, name).reconfigure(errors="backslashreplace")


def _of_the_system(error: OSError) -> Exception:
    from analyzer.errors import AnalyzerError, Place, because

    _drop_what_is_unwritten()
    where = Place(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
    return AnalyzerError(because(error), where, "is there space, and are you allowed to read and write there?")


def _drop_what_is_unwritten() -> None:
    """What standard output did not take would be tried, and failed, again at the end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


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
    from analyzer.text import printable

    show = getattr(error, "format_message", None)
    if show is None:
        if settle.debug:
            raise error
        said = printable(f"{type(error).__name__}: {error}")
        sys.stderr.write(f"error: {said}\n  try: the same with --debug before the command, and report what it says\n")
        return 2
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(f"{show()}\n")
        return 2
    sys.stderr.write(f"error: {printable(show())}\n")
    if context is not None:
        sys.stderr.write(f"  try: {context.command_path} --help\n")
    return 2
