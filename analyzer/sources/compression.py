"""Open a source for reading, unpacked: what it is packed with is told by its first bytes, never by its name."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import BinaryIO

_READ = 1 << 20
MOST_EXPANSION = 1000
"""Unpacked bytes per packed byte before a source is called a bomb; access logs reach about 30."""
ALWAYS_ALLOWED = 1 << 30
"""Unpacked bytes that no ratio is asked of: a small file of one repeated line is not an attack."""


class Compression(StrEnum):
    """How a source is packed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


_MAGIC = {b"\x1f\x8b": Compression.GZIP, b"\x28\xb5\x2f\xfd": Compression.ZSTD}
MAGIC_BYTES = 4


class BombError(Exception):
    """A source unpacks to far more than any log would."""


def recognize(first: bytes) -> Compression:
    """What the first bytes say."""
    return next((kind for magic, kind in _MAGIC.items() if first.startswith(magic)), Compression.NONE)


def unpacked(stream: BinaryIO, kind: Compression, note: Callable[[str], None]) -> Iterator[bytes]:
    """The unpacked bytes of a stream, piece by piece.

    A packed stream that was cut off or damaged gives what was readable, and `note` is told. Raises `BombError`
    where a packed stream grows beyond all measure.
    """
    if kind is Compression.NONE:
        while piece := stream.read(_READ):
            yield piece
        return
    counted = _Counted(stream)
    grown = 0
    with _reader(counted, kind) as reader:
        while True:
            try:
                piece = reader.read(_READ)
            except (OSError, EOFError, ValueError, _zstd_error()) as error:
                note(f"{kind.value} data is cut off or damaged ({error}): read what came before")
                return
            if not piece:
                return
            grown += len(piece)
            if grown > ALWAYS_ALLOWED and grown > MOST_EXPANSION * counted.taken:
                raise BombError(f"unpacks to more than {MOST_EXPANSION} times its size")
            yield piece


class _Counted(io.RawIOBase):
    """A stream that knows how many bytes were taken from it."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream, self.taken = stream, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        piece = self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        self.taken += len(piece)
        return len(piece)


@contextmanager
def _reader(stream: _Counted, kind: Compression) -> Iterator[BinaryIO]:
    if kind is Compression.GZIP:
        from isal import igzip

        # A reader of isal's reads all members of a file and ignores nothing but zero padding.
        with igzip.IGzipFile(fileobj=io.BufferedReader(stream, _READ)) as reader:
            yield reader
        return
    import zstandard

    with zstandard.ZstdDecompressor(max_window_size=1 << 31).stream_reader(
        stream, read_size=_READ, read_across_frames=True, closefd=False
    ) as reader:
        yield _WholeReads(reader)


class _WholeReads(io.RawIOBase):
    """A zstd reader whose end in the middle of a frame is an error and not a silent end."""

    def __init__(self, reader: BinaryIO) -> None:
        super().__init__()
        self._reader = reader

    def read(self, size: int = -1) -> bytes:
        return self._reader.read(size)


def _zstd_error() -> type[Exception]:
    import zstandard

    error: type[Exception] = zstandard.ZstdError
    return error
