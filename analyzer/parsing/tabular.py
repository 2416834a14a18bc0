"""Exports as tables: CSV with a header that names the column of the line and, perhaps, those of its writer."""

import csv
import io
from collections.abc import Iterator
from typing import Any, NamedTuple

from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_envelopes import claims_of_record, inners, records_of
from analyzer.parsing.json_values import load_object

CONTENT_COLUMNS = (
    "message", "log", "@message", "_raw", "Message", "Content", "LogMessage", "Line", "line", "_source", "textPayload",
)  # fmt: skip
"""Columns that hold the line: Kibana's (`message`, `log`, `_source`), CloudWatch's Insights, Splunk's, Datadog's,
Azure's, Grafana's, Google's."""
_LONGEST_HEADER = 64 << 10
_FIELD_LIMIT = 16 << 20


class Row(NamedTuple):
    """One row: the line of the data on which it begins, its text as it was, and its records."""

    line: int
    text: bytes
    records: list[Inner]


def header_of(first: bytes) -> bytes:
    """The first line where it names columns of a log export, else nothing."""
    line = first[: first.find(b"\n") + 1] if b"\n" in first[:_LONGEST_HEADER] else first[:_LONGEST_HEADER]
    line = line.rstrip(b"\r\n").removeprefix(b"\xef\xbb\xbf")
    names = column_names(line)
    return line if any(name in CONTENT_COLUMNS for name in names) and _are_names(names) else b""


def column_names(header: bytes) -> list[str]:
    """The columns of a header."""
    if not header or header[:1] in b"[{<" or (b"," not in header and header not in _ALONE):
        return []
    try:
        return next(csv.reader([header.decode("utf-8")]), [])
    except (UnicodeDecodeError, csv.Error):
        return []


_ALONE = {
    form % name.encode()
    for name in CONTENT_COLUMNS
    if name in ("_source", "_raw", "@message")
    for form in (b"%s", b'"%s"')
}


def rows(header: bytes, data: bytes) -> Iterator[Row]:
    """The rows below a header; a cell may hold line ends. A row that the header does not fit has no record."""
    names = column_names(header)
    lines = data.split(b"\n")
    start = 0
    while start < len(lines):
        stop, quotes = start + 1, lines[start].count(b'"')
        while quotes % 2 and stop < len(lines):
            quotes += lines[stop].count(b'"')
            stop += 1
        text = b"\n".join(lines[start:stop])
        if text.strip():
            yield Row(start, text, _records(names, text))
        start = stop


def _records(names: list[str], text: bytes) -> list[Inner]:
    cells = _cells(text)
    if len(cells) != len(names):
        return []
    record: dict[str, Any] = {
        name: cell for name, cell in zip(names, cells, strict=True) if cell not in ("", "-", " - ")
    }
    source = load_object(record["_source"].encode()) if "_source" in record else None
    if source is not None:
        return records_of(source)
    content = next((record[name] for name in CONTENT_COLUMNS if name in record), None)
    return [] if content is None else inners(content, claims_of_record(record))


def _cells(text: bytes) -> list[str]:
    csv.field_size_limit(_FIELD_LIMIT)
    try:
        rows = list(csv.reader(io.StringIO(text.decode("utf-8", "surrogateescape").removesuffix("\r"), newline="")))
    except csv.Error:
        return []
    return rows[0] if len(rows) == 1 else []


def _are_names(names: list[str]) -> bool:
    """Whether all cells look like names of columns: a line of a log hardly does."""
    return all(0 < len(name) <= 128 and name.isprintable() and "=" not in name for name in names)
