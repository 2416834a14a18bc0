"""Bytes in: files, folders, globs and standard input, cut into blocks of whole lines with labels."""

from analyzer.sources.blocks import Block, read_blocks
from analyzer.sources.compression import Compression
from analyzer.sources.find import Source, find_sources
from analyzer.sources.workloads import workload_of

__all__ = ["Block", "Compression", "Source", "find_sources", "read_blocks", "workload_of"]
