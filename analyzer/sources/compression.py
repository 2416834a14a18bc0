"""Unpack a source as a stream: what it is packed with is told by its first bytes, never by its name."""

import bz2
import io
import lzma
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, BinaryIO

_READ = 1 << 20
_READ_PACKED = 128 << 10
_PIECE = 256 << 10
"""Bytes that come out of a packed piece at once: a larger buffer would be copied while it grows, for twice the time."""
MOST_EXPANSION = 1000
"""Unpacked bytes per packed byte before a source is called a bomb; access logs reach about 30."""
ALWAYS_ALLOWED = 1 << 30
"""Unpacked bytes that no ratio is asked of: a small file of one repeated line is not an attack."""
_MOST_MEMORY = 1 << 30
"""Bytes that an xz or zstd stream may ask for as its window."""


class Compression(StrEnum):
    """How a source is packed; an archive holds files of its own."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"
    BZIP2 = "bzip2"
    XZ = "xz"
    LZ4 = "lz4"
    SNAPPY = "snappy"
    TAR = "tar"
    ZIP = "zip"


ARCHIVES = (Compression.TAR, Compression.ZIP)
_MAGIC = {
    b"\x1f\x8b": Compression.GZIP,  # RFC 1952
    b"\x28\xb5\x2f\xfd": Compression.ZSTD,  # RFC 8878
    b"BZh": Compression.BZIP2,
    b"\xfd7zXZ\x00": Compression.XZ,  # The .xz File Format, 2.1.1.1
    b"\x04\x22\x4d\x18": Compression.LZ4,  # lz4/lz4 doc/lz4_Frame_format.md
    b"\xff\x06\x00\x00sNaPpY": Compression.SNAPPY,  # google/snappy framing_format.txt
    b"PK\x03\x04": Compression.ZIP,  # PKWARE APPNOTE.TXT 4.3.7
    b"PK\x05\x06": Compression.ZIP,
}
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")
_USTAR = 257
MAGIC_BYTES = 512


class BombError(Exception):
    """A source unpacks to far more than any log would."""


class Meter:
    """What was taken of a packed source and what grew out of it, through all layers of packing."""

    def __init__(self, taken: int = 0) -> None:
        self.taken, self.grown = taken, 0

    def grow(self, size: int) -> None:
        """Count unpacked bytes. Raises `BombError` where they are out of all proportion."""
        self.grown += size
        if self.grown > ALWAYS_ALLOWED and self.grown > MOST_EXPANSION * self.taken:
            raise BombError(f"unpacks to more than {MOST_EXPANSION} times its size")


def recognize(first: bytes) -> Compression:
    """What the first bytes say."""
    if first[_USTAR : _USTAR + 5] == b"ustar":
        return Compression.TAR
    kind = next((kind for magic, kind in _MAGIC.items() if first.startswith(magic)), Compression.NONE)
    if kind is Compression.BZIP2 and first[4:10] not in _BZIP2_BLOCKS:
        return Compression.NONE
    return kind


def unpacked(
    stream: BinaryIO, kind: Compression, note: Callable[[str], None], meter: Meter | None = None
) -> Iterator[bytes]:
    """The unpacked bytes of a stream, piece by piece.

    A packed stream that was cut off or damaged gives what was readable, and `note` is told. Raises `BombError`
    where a packed stream grows beyond all measure.
    """
    if kind is Compression.NONE:
        while piece := stream.read(_READ):
            yield piece
        return
    if meter is None:
        meter = Meter()
        stream = Counted(stream, meter)  # type: ignore[assignment]
    try:
        for piece in _UNPACK[kind](stream):
            meter.grow(len(piece))
            yield piece
    except (OSError, EOFError, ValueError, lzma.LZMAError, RuntimeError, *_errors()) as error:
        note(f"{kind.value} data is cut off or damaged ({error}): read what came before")


class Counted(io.RawIOBase):
    """A stream that tells a meter how many bytes were taken from it."""

    def __init__(self, stream: BinaryIO, meter: Meter) -> None:
        super().__init__()
        self._stream, self._meter = stream, meter

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Fill the buffer as far as one read goes."""
        piece = self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        self._meter.taken += len(piece)
        return len(piece)


def _gunzipped(stream: BinaryIO) -> Iterator[bytes]:
    """All members of a gzip file, one after the other; zeros behind the last are padding."""
    from isal import igzip_lib

    return _members(stream, lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP), padding=b"\0")


def _unzstd(stream: BinaryIO) -> Iterator[bytes]:
    """All frames of a zstd file."""
    zstd = _zstd()
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _MOST_MEMORY.bit_length() - 1}
    return _members(stream, lambda: zstd.ZstdDecompressor(options=options))


def _unbzip2(stream: BinaryIO) -> Iterator[bytes]:
    return _members(stream, bz2.BZ2Decompressor)


def _unxz(stream: BinaryIO) -> Iterator[bytes]:
    return _members(stream, lambda: lzma.LZMADecompressor(memlimit=_MOST_MEMORY), padding=b"\0")


def _unlz4(stream: BinaryIO) -> Iterator[bytes]:
    import lz4.frame

    return _members(stream, lz4.frame.LZ4FrameDecompressor)


def _unsnappy(stream: BinaryIO) -> Iterator[bytes]:
    import snappy

    frames = snappy.StreamDecompressor()
    while packed := stream.read(_READ_PACKED):
        yield frames.decompress(packed)
    if frames.remains:
        raise EOFError("the last chunk has no end")


_UNPACK: dict[Compression, Callable[[BinaryIO], Iterator[bytes]]] = {
    Compression.GZIP: _gunzipped,
    Compression.ZSTD: _unzstd,
    Compression.BZIP2: _unbzip2,
    Compression.XZ: _unxz,
    Compression.LZ4: _unlz4,
    Compression.SNAPPY: _unsnappy,
}


def _members(stream: BinaryIO, start: Callable[[], Any], padding: bytes = b"") -> Iterator[bytes]:
    """Unpack member after member, each piece as soon as it is there; one that ends too early is an error."""
    member = None
    packed = b""
    while packed or (packed := stream.read(_READ_PACKED) or b""):
        if member is None and padding and not packed.strip(padding):
            packed = b""
            continue
        member = member or start()
        piece = member.decompress(packed, _PIECE)
        while not member.eof and not member.needs_input:
            yield piece
            piece = member.decompress(b"", _PIECE)
        packed = member.unused_data or b"" if member.eof else b""
        if member.eof:
            member = None
        if piece:
            yield piece
    if member is not None:
        raise EOFError("the last member has no end")


def _errors() -> Any:
    from isal import igzip_lib

    # typed loosely: a stub of isal calls its error class an instance
    return (_zstd().ZstdError, igzip_lib.error)


def _zstd() -> Any:
    """Python's own module from 3.14 on, and its backport."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd
