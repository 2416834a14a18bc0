"""The files in a tar or zip archive, one after the other; their names are only names, nothing is ever written out.

A member that was cut off or damaged gives what was readable; a zip that lost its directory at the end is read by the
headers that stand before its members.
"""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

from analyzer.sources.compression import BombError, Meter

MOST_MEMBERS = 100_000
_READ = 1 << 20
_LONGEST_NAME = 1 << 20
"""Bytes of a header that holds names and attributes; tarfile would hold any number of them at once."""
_HEADER = struct.Struct("<4sHHHHHIIIHH")
_STORED, _DEFLATED = 0, 8
_SIZES_BEHIND = 1 << 3
_ENCRYPTED = 1

Note = Callable[[str], None]


class Member(NamedTuple):
    """One file of an archive; its pieces must be read before the next member is asked for."""

    name: str
    pieces: Iterator[bytes]


def tar_members(stream: BinaryIO, note: Note) -> Iterator[Member]:
    """The regular files of a tar archive, read front to back."""
    try:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header, errorlevel=2, bufsize=_READ) as archive:
            for count, header in enumerate(archive):
                _check_count(count)
                if header.issparse():
                    note(f"{_plain(header.name)} is a sparse file: not read")
                elif header.isreg():
                    file = archive.extractfile(header)
                    if file is not None:
                        yield Member(_plain(header.name), _pieces(file, note))
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        note(f"tar archive is cut off or damaged ({error}): read what came before")


class _Header(tarfile.TarInfo):
    """A header that refuses to hold more of names and attributes than any file has."""

    def _proc_member(self, tar: tarfile.TarFile) -> Any:
        about_another = self.type in (
            tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE,
            tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
        )  # fmt: skip
        if about_another and self.size > _LONGEST_NAME:
            raise BombError(f"a header of the tar archive claims {self.size} bytes")
        return super()._proc_member(tar)  # type: ignore[misc]


def zip_members(file: BinaryIO, note: Note, meter: Meter) -> Iterator[Member]:
    """The files of a zip archive that can be read in any order; they come in the order of its directory."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        note(f"zip archive is cut off or damaged ({error}): read what came before")
        file.seek(0)
        yield from _by_headers(file, note, meter)
        return
    with archive:
        _check_count(len(archive.filelist) - 1)
        for info in archive.infolist():
            if not info.is_dir():
                yield Member(_plain(info.filename), _unzipped(archive, info, note, meter))


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo, note: Note, meter: Meter) -> Iterator[bytes]:
    if info.flag_bits & _ENCRYPTED:
        note("is encrypted: not read")
        return
    try:
        with archive.open(info) as member:
            for piece in iter(lambda: member.read(_READ), b""):
                meter.grow(len(piece))
                yield piece
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        note(f"cannot be read to its end ({error}): read what came before")


def _by_headers(file: BinaryIO, note: Note, meter: Meter) -> Iterator[Member]:
    """Members by their own headers, as far as these hold (PKWARE APPNOTE.TXT 4.3.7)."""
    for _ in range(MOST_MEMBERS):
        at = file.tell()
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size or not header.startswith(b"PK\x03\x04"):
            return
        _, _, flags, method, _, _, _, packed, _, name_length, extra_length = _HEADER.unpack(header)
        name = file.read(name_length).decode("utf-8", "replace")
        start = at + _HEADER.size + name_length + extra_length
        known = not flags & _ENCRYPTED and (method == _DEFLATED or (method == _STORED and not flags & _SIZES_BEHIND))
        if not known:
            return
        end = [start + packed]
        file.seek(start)
        if not name.endswith("/"):
            pieces = _inflated(file, note, end) if method == _DEFLATED else _copied(file, note, packed)
            yield Member(_plain(name), _metered(pieces, meter))
        file.seek(end[0])
        if flags & _SIZES_BEHIND:
            _skip_sizes(file)


def _inflated(file: BinaryIO, note: Note, end: list[int]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        while not inflate.eof and (packed := inflate.unconsumed_tail or file.read(_READ)):
            yield inflate.decompress(packed, _READ)
    except zlib.error as error:
        note(f"is damaged ({error}): read what came before")
        file.seek(0, io.SEEK_END)
        end[0] = file.tell()
        return
    if not inflate.eof:
        note("is cut off: read what came before")
    end[0] = file.tell() - len(inflate.unused_data)


def _copied(file: BinaryIO, note: Note, size: int) -> Iterator[bytes]:
    while size and (piece := file.read(min(size, _READ))):
        size -= len(piece)
        yield piece
    if size:
        note("is cut off: read what came before")


def _skip_sizes(file: BinaryIO) -> None:
    """The checksum and the sizes that a writer put behind a member, with or without a mark of their own."""
    marked = file.read(4) == b"PK\x07\x08"
    file.seek(12 if marked else 8, io.SEEK_CUR)


def _metered(pieces: Iterator[bytes], meter: Meter) -> Iterator[bytes]:
    for piece in pieces:
        meter.grow(len(piece))
        yield piece


def _pieces(file: Any, note: Note) -> Iterator[bytes]:
    try:
        yield from iter(lambda: file.read(_READ), b"")
    except (tarfile.TarError, OSError, EOFError) as error:
        note(f"is cut off ({error}): read what came before")


def _check_count(count: int) -> None:
    if count >= MOST_MEMBERS:
        raise BombError(f"holds more than {MOST_MEMBERS} files")


def _plain(name: str) -> str:
    """A member's name as text that can be stored: whatever is no UTF-8 is spelled out."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").removeprefix("./")
