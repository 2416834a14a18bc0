"""Find what there is to read: files, folders, globs, object storage and standard input, each thing once, in order."""

import glob
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.errors import TRY_READING, Place, SourceError, UsageError
from analyzer.sources.compression import MAGIC_BYTES, Compression, recognize
from analyzer.sources.labels import completed, labels_of_path
from analyzer.sources.remote import is_remote, look_at, objects
from analyzer.vocabulary import SOURCE_FIELDS

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Source:
    """Something that can be read once, front to back.

    `origin` is what the user gave or what was found below it, `size` the bytes on disk or in a store (null for
    standard input, pipes and the members of an archive), `labels` who wrote the lines as far as names and `--label`
    say, `given` what `--label` alone says.
    """

    origin: str
    labels: tuple[tuple[str, str], ...]
    size: int | None
    compression: Compression
    given: tuple[tuple[str, str], ...] = ()


def find_sources(
    arguments: Sequence[str],
    labels: Mapping[str, str] | None = None,
    note: Callable[[str], None] = lambda _: None,
    apart: Sequence[str] = (),
) -> list[Source]:
    """Every source that the arguments name, sorted by origin; a file named twice is read once.

    `labels` win over what a path says; `note` is told of what stands in a folder and is no file; `apart` are
    folders that are not looked into, because the tool itself writes there. Raises `SourceError` where nothing is found
    or a file cannot be read, and `UsageError` for a label nobody knows.
    """
    given = dict(labels or {})
    for key in given:
        if key not in SOURCE_FIELDS:
            raise UsageError(f"{key!r} is no label", hint=f"labels are {', '.join(SOURCE_FIELDS)}")
    found: dict[str, str] = {}
    ours = frozenset(os.path.realpath(folder) for folder in apart)
    for argument in arguments:
        paths = [STANDARD_INPUT] if argument == STANDARD_INPUT else list(_paths(argument, note, ours))
        if not paths:
            raise SourceError(
                "nothing to read here", Place(argument), "name a file, a folder, a glob, or - for standard input"
            )
        for path in paths:
            real = path if path == STANDARD_INPUT or is_remote(path) else os.path.realpath(path)
            found[real] = min(found.get(real, path), path)
    return [_source(origin, given) for origin in sorted(found.values())]


def _paths(argument: str, note: Callable[[str], None], ours: frozenset[str]) -> Iterator[str]:
    """The files that an argument names; inside a folder, hidden files and a README are about logs and not logs."""
    path = Path(argument)
    if is_remote(argument):
        yield from (name for name in objects(argument) if name == argument or not is_about(name.rpartition("/")[2]))
    elif path.is_dir():
        for folder, folders, files in os.walk(argument):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            if ours:
                folders[:] = [name for name in folders if os.path.realpath(Path(folder, name)) not in ours]
            for name in sorted(files):
                found = os.path.join(folder, name)  # noqa: PTH118
                if not Path(found).is_file():
                    # The kubelet's folder holds links to logs that were rotated away; a pipe would be waited for.
                    note(f"{found}: {'leads nowhere' if Path(found).is_symlink() else 'is no file'}: not read")
                elif not is_about(name):
                    yield found
    elif path.exists():
        yield argument
    else:
        root = Path(os.path.realpath(Path(argument.partition("*")[0] + "x").parent))
        below = [mine for mine in ours if not root.is_relative_to(mine)]  # who writes beside the logs means the logs
        for match in sorted(glob.glob(argument, recursive=True)):  # noqa: PTH207
            real = Path(os.path.realpath(match))
            if real.is_file() and not any(real.is_relative_to(mine) for mine in below):
                yield match


def is_about(name: str) -> bool:
    """Whether a file's name says that it is about logs and no log."""
    return (name.startswith(".") and bool(name.strip("."))) or name.upper().startswith("README")


def _source(origin: str, given: Mapping[str, str]) -> Source:
    if origin == STANDARD_INPUT:
        return Source(origin, _pairs(given), None, Compression.NONE, _pairs(given))
    if is_remote(origin):
        found = look_at(origin, MAGIC_BYTES)
        labels = _pairs({**labels_of_path(origin), **given})
        return Source(origin, labels, found.size, recognize(found.first), _pairs(given))
    labels = _pairs({**labels_of_path(origin), **given})
    if not Path(origin).is_file():
        # What was read of a pipe to look at it would be gone.
        return Source(origin, labels, None, Compression.NONE, _pairs(given))
    try:
        with Path(origin).open("rb") as file:
            first = file.read(MAGIC_BYTES)
        size = Path(origin).stat().st_size
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", Place(origin), TRY_READING) from error
    return Source(origin, labels, size, recognize(first), _pairs(given))


def _pairs(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(completed(labels).items()))
