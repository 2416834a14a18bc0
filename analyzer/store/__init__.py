"""The access log at rest: one Delta Lake table of entries and rejected lines, with what is known of its sources."""

from analyzer.store.lake import Lake, SourceConflict, SourceRecord, prepare_commit, read_entries, sound
from analyzer.store.tally import Tally, tally_of
from analyzer.store.writer import PartitionWriter, WrittenFile, without_lines, without_origins

__all__ = [
    "Lake",
    "PartitionWriter",
    "SourceConflict",
    "SourceRecord",
    "Tally",
    "WrittenFile",
    "prepare_commit",
    "read_entries",
    "sound",
    "tally_of",
    "without_lines",
    "without_origins",
]
