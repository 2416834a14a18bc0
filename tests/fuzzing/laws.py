"""What holds of any bytes whatever: the laws that fuzzing looks for an exception from."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from analyzer.classification import classify
from analyzer.parsing import BlockReader, Entries, known_formats
from analyzer.parsing.block import as_text
from analyzer.parsing.json_lines import JsonFormat
from analyzer.parsing.parsed import MISSING, Reading, as_judged
from analyzer.parsing.peeling import read_peeled
from analyzer.parsing.text import TextFormat
from analyzer.schema import conform

_READER = BlockReader()
_BOTH_WAYS = [kind for kind in known_formats().values() if isinstance(kind, TextFormat | JsonFormat)]


def every_line_is_accounted_for(data: bytes) -> None:
    """The law of the tally: a line is an entry or a rejected line, once; and every entry can be classified."""
    parsed = _READER.read(data)
    wanted = [number for number, line in enumerate(data.replace(b"\r\n", b"\n").split(b"\n")) if line.strip()]
    places = [line for entries in parsed.entries for line in entries.lines.tolist()]
    places += [rejection.line for rejection in parsed.rejected]
    assert sorted(places) == wanted, f"lines {wanted}, found {sorted(places)}"
    for entries in parsed.entries:
        _classified(entries)


def envelopes_lose_nothing(data: bytes) -> None:
    """Whatever comes off, no record counts twice, and none begins on a line that is not there."""
    lines = data.count(b"\n") + 1
    for parsed, peeled in read_peeled(_READER, data):
        places = [line for entries in parsed.entries for line in entries.lines.tolist()]
        places += [rejection.line for rejection in parsed.rejected]
        assert len(places) == len(set(places)), f"records {sorted(places)}"
        assert peeled is None or not len(peeled.lines) or 0 <= peeled.lines.min() <= peeled.lines.max() < lines
        for entries in parsed.entries:
            _classified(entries)


def all_readers_agree(data: bytes, formats: Sequence[TextFormat | JsonFormat] = _BOTH_WAYS) -> None:
    """What the kernel reads, Arrow and the careful reader read alike, or hand back."""
    if b"\r" in data or b"\0" in data:
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return
    lines = data.split(b"\n")
    for log_format in formats:
        ours, theirs = values(log_format.read(data)), values(log_format.read_by_arrow(data))
        for number in ours.keys() & theirs.keys():
            names = ours[number].keys() | theirs[number].keys()
            assert all(ours[number].get(name) == theirs[number].get(name) for name in names), lines[number]
        for number, row in ours.items():
            careful = log_format.read_line(as_text(lines[number]))
            if careful is not None and not careful.tampered and careful.refused is None:
                assert same(row, careful.values), f"{log_format.name}: {lines[number]!r}"


def one_law(data: bytes) -> None:
    """One of the laws, of one format where it speaks of formats; which one depends on the input alone."""
    number = zlib.crc32(data)
    if number % 3 == 0:
        every_line_is_accounted_for(data)
    elif number % 3 == 1:
        envelopes_lose_nothing(data)
    else:
        all_readers_agree(data, [_BOTH_WAYS[number // 3 % len(_BOTH_WAYS)]])


LAWS = (every_line_is_accounted_for, envelopes_lose_nothing, all_readers_agree)


def _classified(entries: Entries) -> None:
    columns = conform(entries.columns, len(entries))
    for column in columns.values():
        column.validate(full=True)
    tampered = np.zeros(len(entries), bool) if entries.tampered is None else entries.tampered
    classify(as_judged({**entries.columns, **columns}), tampered=tampered)


def values(reading: Reading) -> dict[int, dict[str, Any]]:
    """What was read, by line."""
    if reading.entries is None:
        return {}
    columns = {
        name: column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        for name, column in reading.entries.columns.items()
    }
    for column in columns.values():
        column.validate(full=True)
    return dict(zip(reading.entries.lines.tolist(), pa.table(columns).to_pylist(), strict=True))


def same(ours: dict[str, Any], theirs: dict[str, str]) -> bool:
    """Whether typed values are what the words say; a number may have been written with zeros before it."""
    return all(
        str(value) == theirs.get(name)
        or (value is None and theirs.get(name, "-") in MISSING)
        or (isinstance(value, int) and theirs.get(name, "").lstrip("0") in (str(value), ""))
        for name, value in ours.items()
        if name != "start_time"
    )
