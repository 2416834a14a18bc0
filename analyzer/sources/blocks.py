"""Cut a source into blocks of whole lines; a line ends at the byte `\\n` and nowhere else.

Envoy keeps U+2028 and U+0085 from headers as they are, so anything that splits at "line boundaries" would let a
client cut a line in two.
"""

import codecs
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer.errors import Place, SourceError
from analyzer.sources.compression import BombError, Compression, unpacked
from analyzer.sources.find import STANDARD_INPUT, Source

Bytes = bytes | memoryview
BLOCK_SIZE = 5 << 20
LONGEST_LINE = 64 << 20
"""Bytes of one line that are held at once; what is longer is cut, since no proxy writes such a line."""
_UTF8_MARK = codecs.BOM_UTF8
_UTF16_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass(frozen=True)
class Block:
    """Whole lines of one source; the last line of a source may lack its line end.

    `first_line` is the number of its first line, from 1; `offset` and `length` are in unpacked bytes. A slice of
    a plain local file carries no data, whoever reads it loads it.
    """

    origin: str
    labels: tuple[tuple[str, str], ...]
    index: int
    first_line: int
    data: bytes | None
    offset: int
    length: int

    def load(self) -> bytes:
        """The bytes of the block."""
        if self.data is not None:
            return self.data
        with Path(self.origin).open("rb") as file:
            file.seek(self.offset)
            return file.read(self.length)


def read_blocks(
    source: Source,
    block_size: int = BLOCK_SIZE,
    note: Callable[[str], None] = lambda problem: None,
    seen: Callable[[Bytes], object] = lambda data: None,
) -> Iterator[Block]:
    """Cut a source into blocks of about `block_size` bytes, in order.

    `note` is told of a packed source that was cut off or damaged; `seen` is shown the unpacked bytes of each block,
    in order. Raises `SourceError` for one that cannot be
    read or that is a bomb.
    """
    try:
        if source.origin == STANDARD_INPUT:
            yield from _packed_blocks(
                source, seen, _recoded(iter(lambda: sys.stdin.buffer.read(1 << 20), b"")), block_size
            )
            return
        with Path(source.origin).open("rb") as file:
            first = file.read(len(_UTF8_MARK))
            file.seek(0)
            marked = first == _UTF8_MARK or first[:2] in _UTF16_MARKS
            if source.compression is Compression.NONE and source.size is not None and not marked:
                yield from _plain_blocks(source, seen, block_size)
            else:
                pieces = unpacked(file, source.compression, note)
                yield from _packed_blocks(source, seen, _recoded(pieces), block_size)
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", Place(source.origin)) from error
    except BombError as error:
        raise SourceError(str(error), Place(source.origin), "unpack it by hand and look at it first") from error


def _plain_blocks(source: Source, seen: Callable[[Bytes], object], block_size: int) -> Iterator[Block]:
    """Slices of a plain file: only their bounds and line numbers are found here."""
    buffer = bytearray(block_size)
    index, offset, first_line = 0, 0, 1
    with Path(source.origin).open("rb", buffering=0) as file:
        while True:
            file.seek(offset)
            taken = _fill(file, buffer)
            if taken == 0:
                return
            length, lines = _whole_lines(buffer, taken, last=taken < len(buffer))
            if length == 0 and len(buffer) < LONGEST_LINE:
                buffer = bytearray(len(buffer) * 2)
                continue
            length = length or taken
            seen(memoryview(buffer)[:length])
            yield Block(source.origin, source.labels, index, first_line, None, offset, length)
            index, offset, first_line = index + 1, offset + length, first_line + lines
            if len(buffer) > block_size:
                buffer = bytearray(block_size)


def _packed_blocks(
    source: Source, seen: Callable[[Bytes], object], pieces: Iterable[bytes], block_size: int
) -> Iterator[Block]:
    """Blocks that carry their bytes, because only one reader can go through the source."""
    waiting: list[bytes] = []
    size, index, offset, first_line = 0, 0, 0, 1
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size < block_size or (b"\n" not in piece and size < LONGEST_LINE):
            continue
        data = b"".join(waiting)
        cut = data.rfind(b"\n") + 1 or len(data)
        seen(data[:cut])
        yield Block(source.origin, source.labels, index, first_line, data[:cut], offset, cut)
        index, offset, first_line = index + 1, offset + cut, first_line + data.count(b"\n", 0, cut)
        waiting, size = [data[cut:]], len(data) - cut
    rest = b"".join(waiting)
    if rest:
        seen(rest)
        yield Block(source.origin, source.labels, index, first_line, rest, offset, len(rest))


def _fill(file: "object", buffer: bytearray) -> int:
    view, taken = memoryview(buffer), 0
    while taken < len(buffer):
        count = file.readinto(view[taken:])  # type: ignore[attr-defined]
        if not count:
            break
        taken += count
    return taken


def _whole_lines(buffer: bytearray, taken: int, last: bool) -> tuple[int, int]:
    """How many bytes of the buffer are whole lines, and how many line ends they hold."""
    length = taken if last else buffer.rfind(b"\n", 0, taken) + 1
    letters = np.frombuffer(buffer, np.uint8, length)
    return length, int(np.count_nonzero(letters == ord("\n")))


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
