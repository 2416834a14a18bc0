"""Find what there is to read: files, folders, globs and standard input, each thing once, in a fixed order."""

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.errors import Place, SourceError, UsageError
from analyzer.sources.compression import MAGIC_BYTES, Compression, recognize
from analyzer.sources.labels import completed, labels_of_path
from analyzer.vocabulary import SOURCE_FIELDS

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Source:
    """Something that can be read once, front to back.

    `origin` is what the user gave or what was found below it, `size` the bytes on disk (null for standard
    input), `labels` who wrote the lines as far as names and `--label` say.
    """

    origin: str
    labels: tuple[tuple[str, str], ...]
    size: int | None
    compression: Compression


def find_sources(arguments: Sequence[str], labels: Mapping[str, str] | None = None) -> list[Source]:
    """Every source that the arguments name, sorted by origin; a file named twice is read once.

    `labels` win over what a path says. Raises `SourceError` where nothing is found or a file cannot be read, and
    `UsageError` for a label nobody knows.
    """
    given = dict(labels or {})
    for key in given:
        if key not in SOURCE_FIELDS:
            raise UsageError(f"{key!r} is no label", hint=f"labels are {', '.join(SOURCE_FIELDS)}")
    found: dict[str, str] = {}
    for argument in arguments:
        paths = [STANDARD_INPUT] if argument == STANDARD_INPUT else list(_paths(argument))
        if not paths:
            raise SourceError(
                "nothing to read here", Place(argument), "name a file, a folder, a glob, or - for standard input"
            )
        for path in paths:
            real = path if path == STANDARD_INPUT else os.path.realpath(path)
            found[real] = min(found.get(real, path), path)
    return [_source(origin, given) for origin in sorted(found.values())]


def _paths(argument: str) -> Iterator[str]:
    """The files that an argument names; inside a folder, hidden files and a README are about logs and not logs."""
    path = Path(argument)
    if path.is_dir():
        for folder, folders, files in os.walk(argument):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from (os.path.join(folder, name) for name in sorted(files) if not _is_about(name))  # noqa: PTH118
    elif path.exists():
        yield argument
    else:
        for match in sorted(glob.glob(argument, recursive=True)):  # noqa: PTH207
            if Path(match).is_file():
                yield match


def _is_about(name: str) -> bool:
    return name.startswith(".") or name.upper().startswith("README")


def _source(origin: str, given: Mapping[str, str]) -> Source:
    if origin == STANDARD_INPUT:
        return Source(origin, _pairs(given), None, Compression.NONE)
    try:
        with Path(origin).open("rb") as file:
            first = file.read(MAGIC_BYTES)
        status = Path(origin).stat()
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", Place(origin)) from error
    regular = Path(origin).is_file()
    return Source(
        origin, _pairs({**labels_of_path(origin), **given}), status.st_size if regular else None, recognize(first)
    )


def _pairs(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(completed(labels).items()))
