"""The pieces of a text line between its quotes, and the fields in each."""

import re
from collections.abc import Sequence
from functools import lru_cache

from analyzer.parsing.layout import IGNORED, Layout, Segment

_FIELD_PATTERNS = {
    "response_code": r"\d+|-|",
    "response_flags": r"[A-Za-z][A-Za-z0-9_,]*|-|",
    "bytes_received": r"\d+|-|",
    "bytes_sent": r"\d+|-|",
    "duration": r"\d+|-|",
    # A header of the upstream's, where the proxy was told not to write its own (suppress_envoy_headers).
    "upstream_service_time": r"[^\"]*?",
    "connection_termination_details": r"[^\"]*?",
    "upstream_transport_failure_reason": r"[^\"]*?",
}
_WORD = r'[^ "]*'
_TIME = re.compile(r"\[?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)\]")
_PROTOCOL = re.compile(r"HTTP/[0-9.]+|-|")
REQUEST_LINE = ("method", "path", "protocol")


def honest_values(pieces: Sequence[str], layout: Layout) -> dict[str, str] | None:
    """The fields of a line that was cut at its quotes into as many pieces as the layout has; null where one is odd."""
    values: dict[str, str] = {}
    last = len(pieces) - 1
    for index, (piece, segment) in enumerate(zip(pieces, layout.segments, strict=True)):
        if index == 0:
            found = read_head(piece)
        elif index == last:
            found = right_end(piece, segment)
        elif segment.quoted:
            found = quoted(piece, segment)
        else:
            match = _unquoted_pattern(segment).fullmatch(piece)
            found = None if match is None else match.groupdict()
        if found is None:
            return None
        values |= found
    return values


def read_head(piece: str) -> dict[str, str] | None:
    """`[time] `; a line that lost its beginning to a pager or a shell keeps its other fields."""
    if not piece.strip():
        return {}
    match = _TIME.fullmatch(piece.rstrip(" "))
    return None if match is None else {"start_time": match[1]}


def quoted(piece: str, segment: Segment) -> dict[str, str] | None:
    """A quoted piece; of a request line the first and the last word are the proxy's, blanks stay in the path."""
    if segment.fields == REQUEST_LINE:
        parts = piece.split(" ")
        if len(parts) < 3 or not _PROTOCOL.fullmatch(parts[-1]):
            return None
        return {"method": parts[0], "path": " ".join(parts[1:-1]), "protocol": parts[-1]}
    return {name: piece for name in segment.fields if name != IGNORED}


def right_piece(piece: str, segment: Segment) -> dict[str, str] | None:
    """A piece right of the authority that is not the last: a value between quotes, or the blank between two."""
    if segment.quoted:
        return {name: piece for name in segment.fields if name != IGNORED}
    return {} if piece == " " else None


def right_end(piece: str, segment: Segment) -> dict[str, str] | None:
    """The unquoted right end: one word a field, but the last (a route name) may hold blanks."""
    if not segment.fields:
        return {} if not piece.strip() else None
    if not piece.startswith(" "):
        return None
    found = piece[1:].split(" ", len(segment.fields) - 1)
    if len(found) != len(segment.fields):
        return None
    found[-1] = found[-1].rstrip(" \t")  # an editor's or a terminal's; no name of a route ends so
    if segment.fields[-1] != "route_name" and " " in found[-1]:
        return None
    return dict(zip(segment.fields, found, strict=True))


def words(fields: Sequence[str]) -> str:
    """A pattern of some fields, one blank apart."""
    return " ".join(f"(?P<{name}>{_FIELD_PATTERNS.get(name, _WORD)})" if name else r'[^"]*?' for name in fields)


def unquoted(segment: Segment) -> str:
    """A pattern of a piece between two quoted ones."""
    return f" {words(segment.fields)} " if segment.fields else " "


@lru_cache(maxsize=64)
def _unquoted_pattern(segment: Segment) -> re.Pattern[str]:
    return re.compile(unquoted(segment))
