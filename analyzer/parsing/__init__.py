"""Lines in, columns out: every line becomes an entry or a rejected line with a reason, none is lost."""

from analyzer.parsing.block import BlockReader, ParsedBlock
from analyzer.parsing.choosing import as_received, as_sent, format_of, formats_for
from analyzer.parsing.log_format import LogFormat, known_formats
from analyzer.parsing.parsed import Entries, Reason, Rejection

__all__ = [
    "BlockReader",
    "Entries",
    "LogFormat",
    "ParsedBlock",
    "Reason",
    "Rejection",
    "as_received",
    "as_sent",
    "format_of",
    "formats_for",
    "known_formats",
]
