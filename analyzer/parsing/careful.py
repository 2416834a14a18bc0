"""Read one odd text line: what a client wrote is believed only where it could not have been written otherwise.

Envoy pastes header values between quotes without escaping, so a client can put any text, whole fake fields
included, left of the authority. Two things hold on every line (measured with Envoy 1.40): the right end, from
the authority on, holds no client-written quote or blank; and the true fields stand somewhere in what is left.
So the right end is cut off first. If the pattern of the fields between the request line and the agent then
fits in exactly one place, that place is the true one; if it fits in several, nothing there is believed.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from analyzer.parsing.layout import IGNORED, Layout, Segment
from analyzer.parsing.parsed import MISSING, Reason

_FIELD_PATTERNS = {
    "response_code": r"\d{1,3}|-|",
    "response_flags": r"-|[A-Za-z]+(?:,[A-Za-z]+)*|",
    "bytes_received": r"\d+|-|",
    "bytes_sent": r"\d+|-|",
    "duration": r"\d+|-|",
    "upstream_service_time": r"\d+|-|",
    "connection_termination_details": r"[^\"]*?",
    "upstream_transport_failure_reason": r"[^\"]*?",
}
_WORD = r'[^ "]*'
_ADDRESS = re.compile(r"(?:[0-9.]+|\[[0-9a-fA-F:.%a-z]+\]):\d{1,5}|-||[a-z]+://\S*")
_TIME = re.compile(r"\[?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)\]")
_JSON_KEY = re.compile(
    r'"(?:authority|bytes_received|bytes_sent|downstream_local_address|response_flags|upstream_cluster)"\s*:'
)
_LOOKS_LIKE_A_HEAD = re.compile(
    r'\[?\d{4}-\d\d-\d\dT[0-9:.]+Z?\]? ?(?:"|$)|\[?\d{4}-\d\d-\d\dT[0-9:.]+Z\] '
    r'|(?:\[[^\]]*\] )?"(?:- - -|[A-Z]+ \S+ HTTP/[0-9.]+)" \d{1,3} '
)


class Shape(NamedTuple):
    """What a glance at a line tells: its quotes, the blanks behind the last of them, whether it begins with `{`."""

    quotes: int
    blanks: int
    braced: bool


def shape_of(line: str) -> Shape:
    """Glance at a line."""
    return Shape(line.count('"'), line.count(" ", line.rfind('"') + 1), line.lstrip().startswith("{"))


@dataclass(frozen=True)
class CarefulLine:
    """The fields of one line, missing ones left out; `tampered` as the contract defines it.

    `refused` is the reason why a line that the format knows is no entry all the same.
    """

    values: dict[str, str]
    tampered: bool
    refused: Reason | None = None


def why_rejected(line: str) -> Reason:
    """Why a line that no format read is no entry: cut short, or no access log at all."""
    if line.startswith("{") and not line.rstrip().endswith("}"):
        return Reason.TRUNCATED if _JSON_KEY.search(line) else Reason.NOT_AN_ACCESS_LOG
    return Reason.TRUNCATED if _LOOKS_LIKE_A_HEAD.match(line) else Reason.NOT_AN_ACCESS_LOG


def read_text_line(line: str, layout: Layout) -> CarefulLine | None:
    """Read one line whose shape the layout allows, or say with null that it is not of the layout."""
    quotes = line.count('"')
    values = _honest(line, layout) if quotes == layout.quotes else _forged(line, layout)
    if values is None or not _plausible(values):
        return None
    known = {name: value for name, value in values.items() if value not in MISSING}
    return CarefulLine(known, tampered=quotes > layout.quotes)


def _honest(line: str, layout: Layout) -> dict[str, str] | None:
    """As many quotes as the layout has: every piece stands where it should, only blanks may be extra."""
    values: dict[str, str] = {}
    pieces = line.split('"')
    last = len(pieces) - 1
    for index, (piece, segment) in enumerate(zip(pieces, layout.segments, strict=True)):
        if index == 0:
            found = _head(piece)
        elif index == last:
            found = _tail(piece, segment)
        elif segment.quoted:
            found = _quoted(piece, segment)
        else:
            match = _segment_pattern(segment).fullmatch(piece)
            found = None if match is None else match.groupdict()
        if found is None:
            return None
        values |= found
    return values


def _forged(line: str, layout: Layout) -> dict[str, str] | None:
    """More quotes than the layout has: cut the right end off, then look for the middle."""
    middle = _middle_pattern(layout.middle)
    if middle.search(line) is None:
        return None
    after = layout.segments[layout.authority :]
    pieces = line.rsplit('"', len(after))
    if len(pieces) != len(after) + 1:
        return None
    left, *right = pieces
    values: dict[str, str] = {}
    for index, (piece, segment) in enumerate(zip(right, after, strict=True)):
        found = _tail(piece, segment) if index == len(after) - 1 else _right_piece(piece, segment)
        if found is None:
            return None
        values |= found
    if " " in values["authority"]:
        return None
    opening, separator, request_on = left.partition('"')
    head = _head(opening)
    if not separator or head is None:
        return None
    middles = list(middle.finditer(request_on))
    if not middles:
        return None
    values |= head
    if len(middles) == 1:
        values |= _client_side(request_on, middles[0])
    return values


def _client_side(text: str, middle: re.Match[str]) -> dict[str, str]:
    """The fields round the one place where the middle fits; headers that cannot be told apart are left out."""
    values = {name: value for name, value in middle.groupdict().items() if name != "whole"}
    request = _quoted(text[: middle.start()], Segment(("method", "path", "protocol"), quoted=True))
    if request is not None:
        values |= request
    headers = text[middle.start() + len(middle["whole"]) :].removesuffix('" ').split('" "')
    if len(headers) == 3:
        values |= dict(zip(("x_forwarded_for", "user_agent", "request_id"), headers, strict=True))
    return values


def _head(piece: str) -> dict[str, str] | None:
    """`[time] `; a line that lost its beginning to a pager or a shell keeps its other fields."""
    if not piece.strip():
        return {}
    match = _TIME.fullmatch(piece.rstrip(" "))
    return None if match is None else {"start_time": match[1]}


def _quoted(piece: str, segment: Segment) -> dict[str, str] | None:
    """A quoted piece; of a request line the first and the last word are the proxy's, blanks stay in the path."""
    if segment.fields == ("method", "path", "protocol"):
        words = piece.split(" ")
        if len(words) < 3 or not re.fullmatch(r"HTTP/[0-9.]+|-|", words[-1]):
            return None
        return {"method": words[0], "path": " ".join(words[1:-1]), "protocol": words[-1]}
    return {name: piece for name in segment.fields if name != IGNORED}


def _right_piece(piece: str, segment: Segment) -> dict[str, str] | None:
    if segment.quoted:
        return {name: piece for name in segment.fields if name != IGNORED}
    return {} if piece == " " else None


def _tail(piece: str, segment: Segment) -> dict[str, str] | None:
    """The unquoted right end: one word a field, but the last (a route name) may hold blanks."""
    if not segment.fields:
        return {} if not piece.strip() else None
    if not piece.startswith(" "):
        return None
    words = piece[1:].split(" ", len(segment.fields) - 1)
    if len(words) != len(segment.fields):
        return None
    if segment.fields[-1] != "route_name" and " " in words[-1]:
        return None
    return dict(zip(segment.fields, words, strict=True))


@lru_cache(maxsize=64)
def _segment_pattern(segment: Segment) -> re.Pattern[str]:
    return re.compile(" " + _words(segment) + " " if segment.fields else " ")


@lru_cache(maxsize=64)
def _middle_pattern(middle: tuple[Segment, ...]) -> re.Pattern[str]:
    """Everything between the request line and the first header, wherever it may stand (matches may overlap)."""
    parts = [_words(segment) if segment.quoted else f" {_words(segment)} " for segment in middle]
    return re.compile('(?=(?P<whole>"' + '"'.join(parts) + '"))')


def _words(segment: Segment) -> str:
    return " ".join(f"(?P<{name}>{_FIELD_PATTERNS.get(name, _WORD)})" if name else r'[^"]*?' for name in segment.fields)


def _plausible(values: dict[str, str]) -> bool:
    """Whether addresses look like addresses: the last defence against a line that fits by accident."""
    names = ("upstream_local_address", "downstream_local_address", "downstream_remote_address")
    return all(_ADDRESS.fullmatch(values.get(name, "")) is not None for name in names)
