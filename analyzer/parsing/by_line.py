"""Read a block line by line, for formats that are rare enough to take the slow road."""

from analyzer.parsing.careful import CarefulLine
from analyzer.parsing.gathering import as_entries
from analyzer.parsing.log_format import LogFormat
from analyzer.parsing.parsed import Reading


def read_by_line(log_format: LogFormat, data: bytes) -> Reading:
    """Read a block of UTF-8 lines; what is not plainly of the format comes back as odd."""
    read: list[tuple[int, CarefulLine]] = []
    odd: list[tuple[int, bytes]] = []
    for number, line in enumerate(data.split(b"\n")):
        if not line.strip():
            continue
        found = log_format.read_line(line.decode("utf-8"))
        if found is None or found.tampered or found.refused is not None:
            odd.append((number, line))
        else:
            read.append((number, found))
    return Reading(as_entries(log_format.name, read) if read else None, odd)
