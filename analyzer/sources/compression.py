"""Open a source for reading, unpacked: what it is packed with is told by its first bytes, never by its name."""

import io
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, BinaryIO

_READ = 1 << 20
_READ_PACKED = 128 << 10
"""Bytes; what they unpack to then grows in one buffer that is not copied often, which is worth a third of the time."""
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
    try:
        for piece in _gunzipped(counted) if kind is Compression.GZIP else _unzstd(counted):
            grown += len(piece)
            if grown > ALWAYS_ALLOWED and grown > MOST_EXPANSION * counted.taken:
                raise BombError(f"unpacks to more than {MOST_EXPANSION} times its size")
            yield piece
    except (OSError, EOFError, ValueError, *_errors()) as error:
        note(f"{kind.value} data is cut off or damaged ({error}): read what came before")


def _gunzipped(stream: "_Counted") -> Iterator[bytes]:
    """All members of a gzip file, one after the other; zeros behind the last are padding."""
    from isal import isal_zlib

    return _members(stream, lambda: isal_zlib.decompressobj(wbits=31), padding=b"\0")


def _unzstd(stream: "_Counted") -> Iterator[bytes]:
    """All frames of a zstd file."""
    import zstandard

    return _members(stream, lambda: zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj())


def _members(stream: "_Counted", start: Callable[[], Any], padding: bytes = b"") -> Iterator[bytes]:
    """Unpack member after member, each piece as soon as it is there; one that ends too early is an error."""
    member = None
    packed = b""
    while packed or (packed := stream.read(_READ_PACKED) or b""):
        if member is None and padding and not packed.strip(padding):
            packed = b""
            continue
        member = member or start()
        piece = member.decompress(packed)
        packed = member.unused_data if member.eof else b""
        if member.eof:
            member = None
        if piece:
            yield piece
    if member is not None:
        raise EOFError("the last member has no end")


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


def _errors() -> Any:
    import zstandard
    from isal import isal_zlib

    # typed loosely: a stub of isal calls its error class an instance
    return (zstandard.ZstdError, isal_zlib.error)
