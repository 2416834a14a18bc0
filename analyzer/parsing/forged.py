"""Read a line that holds more quotes than its format: only what no client can have written is believed.

Envoy pastes header values between quotes without escaping, so a client can put any text, whole fake fields
included, into its path, its agent and its other headers. Three things hold on every line all the same:

* The line begins with the proxy's own time.
* It ends in the fields from the authority on, in which a client writes neither quote nor blank (Envoy refuses such
  a Host since 1.12.2, and rewrites such a server name since 1.28.7, 1.29.9, 1.30.6 and 1.31.2, CVE-2024-45808).
* Between the two, the proxy's own words stand once. They begin with a quote, a blank, a status and flags; a client
  can imitate that, but it cannot take the true ones away. So where the beginning fits in one place only, that place
  is the true one; where it fits in several, nothing left of the authority is believed.

A line whose request reads `- - -` is a TCP connection's, and then its client wrote the server name at most, at the
right end; or it is a forgery over HTTP/2, where a method may be a hyphen, and then the right end is true. Nobody can
tell which, so only that is believed in which the two readings agree.
"""

import re
from dataclasses import replace
from functools import lru_cache

from analyzer.parsing.layout import Layout, Segment
from analyzer.parsing.pieces import (
    REQUEST_LINE,
    honest_values,
    quoted,
    read_head,
    right_end,
    right_piece,
    unquoted,
    words,
)

_TCP_REQUEST = '- - -"'
_SERVER_NAME = "requested_server_name"
"""The only field of a TCP line that a client writes; the route behind it moves with it."""
_OPENING_FIELDS = {"response_code": r"\d+", "response_flags": r"(?:[A-Za-z][A-Za-z0-9_,]*|-|)"}
"""Values of which the proxy writes every letter, by patterns that no true value escapes and no other words fit."""


def forged_values(line: str, layout: Layout) -> dict[str, str] | None:
    """The fields of a line that its client cannot have written; null where the line is not of the layout."""
    opening, separator, request_on = line.partition('"')
    head = read_head(opening)
    if not separator or head is None or _middle_pattern(layout).search(line) is None:
        return None
    by_right = _from_the_right(head, request_on, layout)
    if not request_on.startswith(_TCP_REQUEST):
        return by_right
    by_left = _of_a_tcp_line(line, layout)
    if by_left is None:
        return by_right
    agreed = by_left if by_right is None else _agreed(by_left, by_right)
    # Without a status the line counts as one that was forged to hide its outcome.
    return {name: value for name, value in agreed.items() if name != "response_code"}


def _from_the_right(head: dict[str, str], request_on: str, layout: Layout) -> dict[str, str] | None:
    after = layout.segments[layout.authority :]
    pieces = request_on.rsplit('"', len(after))
    if len(pieces) != len(after) + 1:
        return None
    left, *right = pieces
    values = dict(head)
    last = len(after) - 1
    for index, (piece, segment) in enumerate(zip(right, after, strict=True)):
        found = right_end(piece, segment) if index == last else right_piece(piece, segment)
        if found is None:
            return None
        values |= found
    if " " in values["authority"]:
        return None
    if layout.host_unchecked:
        del values["authority"]
    # A line that lost its beginning may have lost the true words with it, and kept the imitation.
    return values | _left_of_the_authority(left, layout) if head else values


def _left_of_the_authority(text: str, layout: Layout) -> dict[str, str]:
    """The proxy's own words where they can stand in one place only, and what is then left and right of them."""
    opening = _opening_pattern(layout)
    places = [] if opening is None else [match.start() for match in opening.finditer(text)]
    middle = _middle_pattern(layout).match(text, places[0]) if len(places) == 1 else None
    if middle is None:
        return {}
    values = {name: value for name, value in middle.groupdict().items() if value is not None}
    values |= quoted(text[: middle.start()], Segment(REQUEST_LINE, quoted=True)) or {}
    headers = text[middle.end() :].removesuffix('" ').split('" "') if "upstream_service_time" in values else []
    if len(headers) == 3:
        values |= dict(zip(("x_forwarded_for", "user_agent", "request_id"), headers, strict=True))
    return values


def _of_a_tcp_line(line: str, layout: Layout) -> dict[str, str] | None:
    """The fields left of the server name, read from the left."""
    *others, end = line.split('"', layout.quotes)
    fields = layout.segments[-1].fields
    if _SERVER_NAME not in fields:
        return None
    known = fields[: fields.index(_SERVER_NAME)]
    cut = end.split(" ", len(known) + 1)
    if len(cut) != len(known) + 2 or cut[0]:
        return None
    values = honest_values([*others, ""], replace(layout, segments=(*layout.segments[:-1], Segment((), quoted=False))))
    return None if values is None else values | dict(zip(known, cut[1:], strict=False))


def _agreed(one: dict[str, str], other: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in one.items() if other.get(name) == value}


@lru_cache(maxsize=64)
def _opening_pattern(layout: Layout) -> re.Pattern[str] | None:
    """How the proxy's words begin, wherever that may stand (matches may overlap); null where it is not certain."""
    middle = layout.middle
    fields = middle[0].fields[:2] if middle else ()
    certain = [_OPENING_FIELDS[name] for name in fields if name in _OPENING_FIELDS]
    return re.compile(f'(?=" {" ".join(certain)} )') if len(certain) == 2 else None


@lru_cache(maxsize=64)
def _middle_pattern(layout: Layout) -> re.Pattern[str]:
    """The proxy's words from the quote before them on; an upstream's own at their end only where they are a number."""
    middle = layout.middle
    parts = [unquoted(segment) if not segment.quoted else words(segment.fields) for segment in middle]
    if middle and middle[-1].fields[-1:] == ("upstream_service_time",):
        before = words(middle[-1].fields[:-1])
        parts[-1] = f' {before} (?:(?P<upstream_service_time>\\d+|-|) "|)'
    else:
        parts[-1:] = [part + '"' for part in parts[-1:]]
    return re.compile('"' + '"'.join(parts))
