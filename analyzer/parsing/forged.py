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
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from analyzer.parsing.layout import Layout, Segment
from analyzer.parsing.pieces import (
    FORGED_REQUEST,
    HEAD,
    Values,
    from_the_authority,
    left_of_the_end,
    trimmed,
    unquoted,
    words,
)

_TCP_REQUEST = '- - -"'
_SERVER_NAME = "requested_server_name"
"""The only field of a TCP line that a client writes; the route behind it moves with it."""
_OPENING_FIELDS = {"response_code": r"\d+", "response_flags": r"(?:[A-Za-z][A-Za-z0-9_,]*|-|)"}
"""Values of which the proxy writes every letter, by patterns that no true value escapes and no other words fit."""


class _Patterns(NamedTuple):
    """How to look for the pieces of a layout's forged lines.

    `middle` are the proxy's words from the quote before them on; an upstream's own at their end only where they are a
    number. `opening` is how they begin, null where that is not certain; it holds one quote, so no two places overlap.
    `right` is all from the authority on. `tcp` is a TCP line up to its server name, in which any quotes may stand, null
    where the layout has none.
    """

    middle: re.Pattern[str]
    opening: re.Pattern[str] | None
    right: re.Pattern[str]
    tcp: re.Pattern[str] | None


def forged_values(line: str, layout: Layout) -> Values | None:
    """The fields of a line that its client cannot have written; null where the line is not of the layout."""
    patterns = _patterns(layout)
    head = HEAD.match(line) if patterns.middle.search(line) is not None else None
    if head is None:
        return None
    by_right = _from_the_right(line, head, layout, patterns)
    if not line.startswith(_TCP_REQUEST, head.end()):
        return by_right
    tcp = None if patterns.tcp is None else patterns.tcp.match(line)
    if tcp is None:
        return by_right
    agreed = tcp.groupdict() if by_right is None else _agreed(tcp.groupdict(), by_right)
    # Without a status the line counts as one that was forged to hide its outcome.
    return {name: value for name, value in agreed.items() if name != "response_code"}


def _from_the_right(line: str, head: re.Match[str], layout: Layout, patterns: _Patterns) -> Values | None:
    after = len(layout.segments) - layout.authority
    left, *right = line[head.end() :].rsplit('"', after)
    if len(right) != after:
        return None
    values = trimmed(patterns.right.fullmatch(line, head.end() + len(left) + 1), layout)
    if values is None:
        return None
    if layout.host_unchecked:
        del values["authority"]
    if head["start_time"] is not None:  # one that lost its beginning may have kept the imitation of the true words only
        values |= head.groupdict()
        values |= _left_of_the_authority(left, patterns)
    return values


def _left_of_the_authority(text: str, patterns: _Patterns) -> Values:
    """The proxy's own words where they can stand in one place only, and what is then left and right of them."""
    opening = patterns.opening
    first = None if opening is None else opening.search(text)
    if opening is None or first is None or opening.search(text, first.end()) is not None:
        return {}
    middle = patterns.middle.match(text, first.start())
    if middle is None:
        return {}
    values: Values = middle.groupdict()
    request = FORGED_REQUEST.fullmatch(text, 0, middle.start())
    if request is not None:
        values |= request.groupdict()
    if values.get("upstream_service_time") is not None:
        headers = text[middle.end() :].removesuffix('" ').split('" "')
        if len(headers) == 3:
            values |= zip(("x_forwarded_for", "user_agent", "request_id"), headers, strict=True)
    return values


def _agreed(one: Values, other: Values) -> Values:
    return {name: value for name, value in one.items() if other.get(name) == value}


@lru_cache(maxsize=64)
def _patterns(layout: Layout) -> _Patterns:
    right = from_the_authority(layout.segments[layout.authority :])
    return _Patterns(_middle(layout.middle), _opening(layout.middle), re.compile(right), _of_tcp(layout))


def _of_tcp(layout: Layout) -> re.Pattern[str] | None:
    fields = layout.segments[-1].fields
    if _SERVER_NAME not in fields:
        return None
    known = fields[: fields.index(_SERVER_NAME)]
    return re.compile(left_of_the_end(layout) + " " + "".join(f"(?P<{name}>[^ ]*) " for name in known))


def _opening(middle: Sequence[Segment]) -> re.Pattern[str] | None:
    fields = middle[0].fields[:2] if middle else ()
    certain = [_OPENING_FIELDS[name] for name in fields if name in _OPENING_FIELDS]
    return re.compile(f'" {" ".join(certain)} ') if len(certain) == 2 else None


def _middle(middle: Sequence[Segment]) -> re.Pattern[str]:
    parts = [unquoted(segment) if not segment.quoted else words(segment.fields) for segment in middle]
    if middle and middle[-1].fields[-1:] == ("upstream_service_time",):
        before = words(middle[-1].fields[:-1])
        parts[-1] = f' {before} (?:(?P<upstream_service_time>\\d+|-|) "|)'
    else:
        parts[-1:] = [part + '"' for part in parts[-1:]]
    return re.compile('"' + '"'.join(parts))
