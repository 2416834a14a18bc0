"""Cut a source into blocks of whole lines; a line ends at the byte `\\n` and nowhere else.

Envoy keeps U+2028 and U+0085 from headers as they are, so anything that splits at "line boundaries" would let a
client cut a line in two.
"""

import codecs
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from typing import Protocol

import numpy as np

from analyzer.errors import TRY_READING, Place, SourceError
from analyzer.sources.compression import BombError
from analyzer.sources.find import Source
from analyzer.sources.opening import FIRST_BYTES, Opened, open_source

Bytes = bytes | memoryview
Buffer = bytearray | mmap
BLOCK_SIZE = 5 << 20
_OVERHANG = 1 << 20
"""Bytes by which the piece that fills a block may go beyond it without a larger buffer."""
LONGEST_LINE = 64 << 20
"""Bytes of one line that are held at once; what is longer is cut, since no proxy writes such a line."""
_UTF8_MARK = codecs.BOM_UTF8
_UTF16_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class Cutter(Protocol):
    """Who knows where a source may be cut, besides at line ends; one for each source."""

    header: bytes
    """What every block needs of the source's beginning."""

    def begin(self, first: bytes) -> None:
        """Look at the first bytes of the source."""
        ...

    def cut(self, data: Buffer, length: int) -> int:
        """How much of `data[:length]`, which are whole lines, is whole records; 0 where none is."""
        ...


@dataclass(frozen=True)
class Block:
    """Whole lines of one source; the last line of a source may lack its line end.

    `first_line` is the number of its first line, from 1; `offset` and `length` are in unpacked bytes. A slice of
    a plain local file carries no data, whoever reads it loads it; a view is of memory that was lent for it. `header`
    is the source's first line where each of its lines must be read by it.
    """

    origin: str
    labels: tuple[tuple[str, str], ...]
    index: int
    first_line: int
    data: Bytes | None
    offset: int
    length: int
    header: bytes = b""

    def load(self) -> bytes:
        """The bytes of the block."""
        if self.data is not None:
            return bytes(self.data)
        with Path(self.origin).open("rb") as file:
            file.seek(self.offset)
            return file.read(self.length)


def read_blocks(
    source: Source,
    block_size: int = BLOCK_SIZE,
    note: Callable[[str], None] = lambda problem: None,
    seen: Callable[[Bytes], object] = lambda data: None,
    cutter: Cutter | None = None,
) -> Iterator[Block]:
    """Cut a source, or the files of an archive one after the other, into blocks of about `block_size` bytes, in order.

    `note` is told of a packed source that was cut off or damaged; `seen` is shown all unpacked bytes, in order.
    Raises `SourceError` for one that cannot be read or that is a bomb.
    """
    for opened in open_source(source, note):
        yield from blocks_of(opened, block_size, seen, cutter)


def blocks_of(
    opened: Opened,
    block_size: int = BLOCK_SIZE,
    seen: Callable[[Bytes], object] = lambda data: None,
    cutter: Cutter | None = None,
    room: Callable[[], Buffer] | None = None,
) -> Iterator[Block]:
    """Cut one file into blocks; `cutter` says where no record is cut with it. Raises `SourceError`.

    `room` lends memory to unpack into; a block that fits there is a view of what was lent last, and the next block
    is not asked for before somebody has taken it.
    """
    source, pieces = opened
    cutter = cutter or _AtLineEnds()
    try:
        if pieces is not None:
            yield from _packed_blocks(source, seen, _recoded(pieces), block_size, cutter, room)
            return
        with Path(source.origin).open("rb") as file:
            first = file.read(len(_UTF8_MARK))
            file.seek(0)
            if first == _UTF8_MARK or first[:2] in _UTF16_MARKS:
                pieces = iter(lambda: file.read(1 << 20), b"")
                yield from _packed_blocks(source, seen, _recoded(pieces), block_size, cutter, room)
            else:
                yield from _plain_blocks(source, seen, block_size, cutter)
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror or error}", Place(source.origin), TRY_READING) from error
    except BombError as error:
        raise SourceError(str(error), Place(source.origin), "unpack it by hand and look at it first") from error


class _AtLineEnds:
    header = b""

    def begin(self, first: bytes) -> None:
        """Nothing to be learned."""

    def cut(self, data: Buffer, length: int) -> int:
        return length


def _plain_blocks(source: Source, seen: Callable[[Bytes], object], block_size: int, cutter: Cutter) -> Iterator[Block]:
    """Slices of a plain file: only their bounds and line numbers are found here."""
    buffer = bytearray(block_size)
    index, offset, first_line = 0, 0, 1
    with Path(source.origin).open("rb", buffering=0) as file:
        while True:
            file.seek(offset)
            taken = _fill(file, buffer)
            if taken == 0:
                return
            if offset == 0:
                cutter.begin(bytes(memoryview(buffer)[: min(taken, FIRST_BYTES)]))
            last = taken < len(buffer)
            length = taken if last else _whole_records(buffer, taken, cutter, len(buffer) >= LONGEST_LINE)
            if length == 0:
                buffer = bytearray(len(buffer) * 2)
                continue
            lines = _line_ends(buffer, length)
            seen(memoryview(buffer)[:length])
            yield Block(source.origin, source.labels, index, first_line, None, offset, length, cutter.header)
            index, offset, first_line = index + 1, offset + length, first_line + lines
            if len(buffer) > block_size:
                buffer = bytearray(block_size)


def _packed_blocks(
    source: Source,
    seen: Callable[[Bytes], object],
    pieces: Iterable[bytes],
    block_size: int,
    cutter: Cutter,
    room: Callable[[], Buffer] | None,
) -> Iterator[Block]:
    """Blocks that carry their bytes, because only one reader can go through the source.

    Each piece goes straight to where the block is to be, and is looked at while it is in the processor's cache.
    """
    # Where as much was once given back, glibc's malloc keeps the memory that pieces come and go in; else it asks the
    # system for it piece by piece, a fifth of the time that unpacking takes.
    bytearray(block_size)
    own = bytearray(block_size + _OVERHANG if room is None else 0)
    index, offset, first_line, lines, rest = 0, 0, 1, 0, b""
    pieces = iter(pieces)
    while True:
        lent = own if room is None else room()
        buffer, taken, wanted, cut = _beginning_with(rest, lent), len(rest), block_size, 0
        for piece in pieces:
            if not taken and not index:
                cutter.begin(piece[:FIRST_BYTES])
            seen(piece)
            end = taken + len(piece)
            if end > len(buffer):
                buffer = _beginning_with(memoryview(buffer)[:taken], bytearray(2 * end))
            buffer[taken:end] = piece
            taken, lines = end, lines + _line_ends(piece, len(piece))
            if taken < wanted or (b"\n" not in piece and taken < LONGEST_LINE):
                continue
            cut = _whole_records(buffer, taken, cutter, taken >= LONGEST_LINE)
            if cut:
                break
            wanted = 2 * taken
        length = cut or taken
        if not length:
            return
        view = memoryview(buffer)
        rest = bytes(view[length:taken])
        data = view[:length] if buffer is lent is not own else bytes(view[:length])
        yield Block(source.origin, source.labels, index, first_line, data, offset, length, cutter.header)
        if not cut:
            return
        left = _line_ends(rest, len(rest))
        index, offset, first_line, lines = index + 1, offset + length, first_line + lines - left, left


def _beginning_with(data: Bytes, buffer: Buffer) -> Buffer:
    """A buffer with some bytes put into it, or a larger one where they do not fit."""
    if len(data) > len(buffer):
        buffer = bytearray(2 * len(data))
    buffer[: len(data)] = data
    return buffer


def _fill(file: "object", buffer: bytearray) -> int:
    view, taken = memoryview(buffer), 0
    while taken < len(buffer):
        count = file.readinto(view[taken:])  # type: ignore[attr-defined]
        if not count:
            break
        taken += count
    return taken


def _whole_records(buffer: Buffer, taken: int, cutter: Cutter, at_any_cost: bool) -> int:
    """How many bytes of the buffer are whole records; 0 where it must grow, unless it may grow no more."""
    lines = buffer.rfind(b"\n", 0, taken) + 1
    records = cutter.cut(buffer, lines) if lines else 0
    return records or ((lines or taken) if at_any_cost else 0)


def _line_ends(buffer: bytes | Buffer, length: int) -> int:
    return int(np.count_nonzero(np.frombuffer(buffer, np.uint8, length) == ord("\n")))


def _recoded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Bytes as they are; what a Windows shell saved as UTF-16 becomes UTF-8."""
    decoder: codecs.IncrementalDecoder | None = None
    for number, piece in enumerate(pieces):
        if number == 0:
            encoding = _UTF16_MARKS.get(piece[:2])
            decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
            piece = piece[2:] if encoding else piece.removeprefix(_UTF8_MARK)
        yield piece if decoder is None else decoder.decode(piece).encode("utf-8", "surrogatepass")
    if decoder is not None:
        yield decoder.decode(b"", final=True).encode("utf-8")
