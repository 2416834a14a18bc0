"""Bytes in: files, folders, archives, object storage and standard input, cut into blocks of whole lines with labels."""

from analyzer.sources.blocks import Block, Buffer, blocks_of, read_blocks
from analyzer.sources.compression import Compression
from analyzer.sources.find import Source, find_sources
from analyzer.sources.kinds import known_sources
from analyzer.sources.opening import Opened, open_source
from analyzer.sources.workloads import workload_of

__all__ = [
    "Block",
    "Buffer",
    "Compression",
    "Opened",
    "Source",
    "blocks_of",
    "find_sources",
    "known_sources",
    "open_source",
    "read_blocks",
    "workload_of",
]
