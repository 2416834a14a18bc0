"""What sources this build reads: where bytes may lie and what they may be packed in, each with its reference."""

from typing import NamedTuple

from analyzer.sources.compression import Compression


class SourceKind(NamedTuple):
    """One kind of place or packing; `reference` says where it is defined."""

    name: str
    reference: str


PLACES = (
    SourceKind("file", "a local file, a folder with all files below it, or a glob as Python's glob module reads it"),
    SourceKind("stdin", "`-`: standard input, packed or not"),
    SourceKind("s3", "s3://bucket/key, prefix or glob, with egress-audit[s3]: fsspec/s3fs; AWS_ENDPOINT_URL is heeded"),
    SourceKind("gs", "gs://bucket/key, prefix or glob, with egress-audit[gs]: fsspec/gcsfs"),
    SourceKind("az", "az://container/key, prefix or glob, with egress-audit[az]: fsspec/adlfs"),
)  # fmt: skip
_PACKED = {
    Compression.GZIP: "RFC 1952, of one or many members",
    Compression.ZSTD: "RFC 8878, of one or many frames",
    Compression.BZIP2: "bzip2 manual, of one or many streams",
    Compression.XZ: "The .xz File Format 1.2",
    Compression.LZ4: "lz4/lz4 doc/lz4_Frame_format.md",
    Compression.SNAPPY: "google/snappy framing_format.txt",
    Compression.TAR: "POSIX.1-2001 pax and GNU tar; an `istioctl bug-report` is one, its files are archive!path",
    Compression.ZIP: "PKWARE APPNOTE.TXT; its files are archive!path",
}


def known_sources() -> dict[str, SourceKind]:
    """Every kind of source by name: places first, then packings, which are told by content and come in any nesting."""
    packings = (SourceKind(kind.value, reference) for kind, reference in _PACKED.items())
    return {kind.name: kind for kind in (*PLACES, *packings)}
