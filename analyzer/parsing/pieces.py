"""Patterns of the pieces of a text line between its quotes, and of a whole line that holds no more quotes than its own.

A pattern is compiled once for a layout and tells a whole line at once: odd lines are many where a log is hostile.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from analyzer.parsing.layout import IGNORED, Layout, Segment

Values = dict[str, str | None]
"""Fields by name; null for a piece that is not there."""

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
_HEAD = r"(?:\[?(?P<start_time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)\] *|\s*)"
"""`[time] `; a line that lost its beginning to a pager or a shell keeps its other fields."""
_REQUEST_FIELDS = ("method", "path", "protocol")
_REQUEST_LINE = r"(?P<method>[^ {other}]*) (?P<path>[^{other}]*) (?P<protocol>HTTP/[0-9.]+|-|)"
"""The first and the last word are the proxy's, blanks stay in the path; `other` is what cannot be in it."""
_ROUTE = "route_name"

HEAD = re.compile(_HEAD + '"')
"""The beginning of a line, up to its first quote."""
FORGED_REQUEST = re.compile(_REQUEST_LINE.format(other=r"\n"))
"""A request line of which a client wrote some quotes."""


def honest_values(line: str, layout: Layout) -> Values | None:
    """The fields of a line with as many quotes as the layout has; null where a piece is odd."""
    return trimmed(_honest_pattern(layout).fullmatch(line), layout)


def trimmed(match: re.Match[str] | None, layout: Layout) -> Values | None:
    """What a pattern found that goes to the end of a line, without blanks at the end: an editor's or a terminal's."""
    if match is None:
        return None
    values: Values = match.groupdict()
    for name in layout.segments[-1].fields[-1:]:
        values[name] = match[name].rstrip(" \t")
    return values


def left_of_the_end(layout: Layout) -> str:
    """A pattern of all pieces of an honest line but the last, with the quotes behind them."""
    _, *others = layout.segments[:-1]
    parts = [_HEAD, *(_quoted(segment) if segment.quoted else unquoted(segment) for segment in others)]
    # Atomic: what a piece may be read as is never asked again for the sake of a later one.
    return "".join(f'(?>{part}")' for part in parts)


def from_the_authority(segments: Sequence[Segment]) -> str:
    """A pattern of a line's last pieces, from the authority on, which has no blank; between two values there is one."""
    _, *others, end = segments
    parts = [_quoted(segment) if segment.quoted else " " for segment in others]
    return '"'.join([f"(?P<authority>{_WORD})", *parts, _right_end(end)])


def words(fields: Sequence[str]) -> str:
    """A pattern of some fields, one blank apart."""
    return " ".join(f"(?P<{name}>{_FIELD_PATTERNS.get(name, _WORD)})" if name else r'[^"]*?' for name in fields)


def unquoted(segment: Segment) -> str:
    """A pattern of a piece between two quoted ones."""
    return f" {words(segment.fields)} " if segment.fields else " "


def _quoted(segment: Segment) -> str:
    if segment.fields == _REQUEST_FIELDS:
        return _REQUEST_LINE.format(other='"')
    (name,) = segment.fields
    return '[^"]*' if name == IGNORED else f'(?P<{name}>[^"]*)'


def _right_end(segment: Segment) -> str:
    """The unquoted right end: one word a field, but the last (a route's name) may hold blanks."""
    if not segment.fields:
        return r"\s*"
    *others, last = segment.fields
    end = f'(?P<{last}>[^"]*)' if last == _ROUTE else rf"(?P<{last}>{_WORD})[ \t]*"
    return " " + "".join(f"(?P<{name}>{_WORD}) " for name in others) + end


@lru_cache(maxsize=64)
def _honest_pattern(layout: Layout) -> re.Pattern[str]:
    return re.compile(left_of_the_end(layout) + _right_end(layout.segments[-1]))
