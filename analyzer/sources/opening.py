"""Open a source: through every layer of packing, to the file or the files it holds."""

import io
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO, NamedTuple

from analyzer.errors import TRY_READING, Place, SourceError
from analyzer.sources import remote
from analyzer.sources.archives import tar_members, zip_members
from analyzer.sources.compression import (
    BombError,
    Compression,
    Counted,
    Meter,
    recognize,
    unpacked,
)
from analyzer.sources.find import STANDARD_INPUT, Source, is_about
from analyzer.sources.labels import completed, labels_of_path

Note = Callable[[str], None]
_DEEPEST = 5
"""Layers of packing: a zip of tars of gzip files and then some."""
_SPOOLED = 16 << 20
"""Bytes of a zip inside of another stream that are held; the rest waits on the disk."""
_READ = 1 << 20
FIRST_BYTES = 64 << 10
"""Bytes of a source's first piece, where it has as many."""


class Opened(NamedTuple):
    """A file that can be read: its bytes piece by piece, or null where it is a plain local one."""

    source: Source
    pieces: Iterator[bytes] | None


def open_source(source: Source, note: Note) -> Iterator[Opened]:
    """What a source holds: itself, or the files of an archive, whose pieces must be read before the next is asked for.

    Members are named `archive!path`. `note` is told of what was cut off, damaged or left out. Raises `SourceError`
    for what cannot be read and `BombError` for what unpacks to far more than any log would.
    """
    if source.compression is Compression.NONE and source.size is not None and not remote.is_remote(source.origin):
        yield Opened(source, None)
        return
    try:
        with ExitStack() as stack:
            if source.origin == STANDARD_INPUT:
                file: BinaryIO = _standard_input()
            elif remote.is_remote(source.origin):
                file = stack.enter_context(remote.opened(source.origin))
            else:
                file = stack.enter_context(Path(source.origin).open("rb"))
            yield from _Opening(source, note).open(file)
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror or error}", Place(source.origin), TRY_READING) from error
    except BombError as error:
        raise SourceError(str(error), Place(source.origin), "unpack it by hand and look at it first") from error


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise SourceError("standard input is closed", Place(STANDARD_INPUT), "pipe something in, or name a file")
    return sys.stdin.buffer


class _Opening:
    """One source on its way through its layers."""

    def __init__(self, source: Source, note: Note) -> None:
        self.source, self.note = source, note
        self.meter = Meter()
        self.names: set[str] = set()

    def open(self, file: BinaryIO) -> Iterator[Opened]:
        if self.source.compression is Compression.ZIP:
            self.meter.taken = self.source.size or 0
            yield from self._zip(file, self.source.origin, 0)
        else:
            counted = Counted(file, self.meter)
            yield from self._layer(iter(lambda: counted.read(_READ), b""), self.source.origin, {}, 0)

    def _layer(self, pieces: Iterator[bytes], origin: str, labels: Mapping[str, str], depth: int) -> Iterator[Opened]:
        first = _first_of(pieces)
        pieces = chain([first] if first else [], pieces)
        kind = recognize(first) if depth < _DEEPEST else Compression.NONE
        if kind is Compression.TAR:
            yield from self._members(tar_members(_buffered(pieces), self.note), origin, depth)
        elif kind is Compression.ZIP:
            with tempfile.SpooledTemporaryFile(_SPOOLED) as spooled:
                spooled.writelines(pieces)
                spooled.seek(0)
                yield from self._zip(spooled, origin, depth)  # type: ignore[arg-type]
        elif kind is Compression.NONE:
            yield self._opened(origin, labels, pieces)
        else:
            yield from self._layer(unpacked(_buffered(pieces), kind, self.note, self.meter), origin, labels, depth + 1)

    def _zip(self, file: BinaryIO, origin: str, depth: int) -> Iterator[Opened]:
        yield from self._members(zip_members(file, self.note, self.meter), origin, depth)

    def _members(self, members: Iterator[tuple[str, Iterator[bytes]]], origin: str, depth: int) -> Iterator[Opened]:
        found = False
        for name, pieces in members:
            if any(is_about(part) for part in Path(name).parts):
                continue
            found = True
            yield from self._layer(pieces, self._unique(f"{origin}!{name}"), labels_of_path(name), depth + 1)
        if not found:
            self.note("holds no file that could be read")
            yield self._opened(origin, {}, iter(()))

    def _unique(self, origin: str) -> str:
        """An archive may hold two files of one name."""
        name, count = origin, 1
        while name in self.names:
            count += 1
            name = f"{origin}#{count}"
        self.names.add(name)
        return name

    def _opened(self, origin: str, labels: Mapping[str, str], pieces: Iterator[bytes]) -> Opened:
        if origin == self.source.origin:
            return Opened(self.source, pieces)
        known = tuple(sorted(completed({**dict(self.source.labels), **labels, **dict(self.source.given)}).items()))
        return Opened(replace(self.source, origin=origin, labels=known, size=None), pieces)


class _Pieces(io.RawIOBase):
    """Pieces as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces, self._rest = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _buffered(pieces: Iterator[bytes]) -> BinaryIO:
    return io.BufferedReader(_Pieces(pieces), _READ)


def _first_of(pieces: Iterator[bytes]) -> bytes:
    """Enough from the beginning of a stream to tell what it is and how it is to be read."""
    first = b""
    while len(first) < FIRST_BYTES and (piece := next(pieces, b"")):
        first += piece
    return first
