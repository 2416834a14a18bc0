"""Read one odd text line, and say of a line that nobody reads what it is.

A line with as many quotes as its format has is read piece by piece; with more, a client wrote some of them, and
`analyzer.parsing.forged` says what is still to be believed.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from analyzer.parsing.forged import forged_values
from analyzer.parsing.layout import Layout
from analyzer.parsing.parsed import MISSING, Reason
from analyzer.parsing.pieces import Values, honest_values

_ADDRESSES = ("upstream_local_address", "downstream_local_address", "downstream_remote_address")
_ADDRESS = re.compile(r"(?:[0-9.]+|\[[0-9a-fA-F:.%a-z]+\]):\d{1,5}|-||[a-z]+://\S*")
_JSON_KEY = re.compile(
    r'"(?:authority|bytes_received|bytes_sent|downstream_local_address|response_flags|upstream_cluster)"\s*:'
)
_LOOKS_LIKE_A_HEAD = re.compile(
    r'\[?\d{4}-\d\d-\d\dT[0-9:.]+Z?\]? ?(?:"|$)|\[?\d{4}-\d\d-\d\dT[0-9:.]+Z\] '
    r'|(?:\[[^\]]*\] )?"(?:- - -|[A-Z]+ \S+ HTTP/[0-9.]+)" \d{1,3} '
)


class Shape(NamedTuple):
    """What a glance at a line tells.

    Its quotes, the blanks behind the last of them, whether there is nothing else behind it, the bracket it begins with
    (empty for any other letter), and whether it begins and ends with braces.
    """

    quotes: int
    blanks: int
    ended: bool
    opening: str
    braced: bool


@lru_cache(maxsize=1)
def shape_of(line: str) -> Shape:
    """Glance at a line; format after format asks about the same one."""
    end, bare = line[line.rfind('"') + 1 :], line.strip()
    opening = bare[0] if bare.startswith(("{", "[")) else ""
    braced = opening == "{" and bare.endswith("}")
    return Shape(line.count('"'), end.count(" "), not end or end.isspace(), opening, braced)


class CarefulLine(NamedTuple):
    """The fields of one line, missing ones left out; `tampered` as the contract defines it.

    `refused` is the reason why a line that the format knows is no entry all the same; `took` are the keys that were
    taken for a field of another name.
    """

    values: dict[str, str]
    tampered: bool
    refused: Reason | None = None
    took: tuple[tuple[str, str], ...] = ()


def why_rejected(line: str) -> Reason:
    """Why a line that no format read is no entry: cut short, or no access log at all."""
    if line.startswith("{") and not line.rstrip().endswith("}"):
        return Reason.TRUNCATED if _JSON_KEY.search(line) else Reason.NOT_AN_ACCESS_LOG
    return Reason.TRUNCATED if _LOOKS_LIKE_A_HEAD.match(line) else Reason.NOT_AN_ACCESS_LOG


def read_text_line(line: str, quotes: int, layout: Layout) -> CarefulLine | None:
    """Read one line whose shape the layout allows, or say with null that it is not of the layout."""
    values = honest_values(line, layout) if quotes == layout.quotes else forged_values(line, layout)
    if values is None or not _plausible(values):
        return None
    known = {name: value for name, value in values.items() if value is not None and value not in MISSING}
    return CarefulLine(known, tampered=quotes > layout.quotes)


def _plausible(values: Values) -> bool:
    """Whether addresses look like addresses: the last defence against a line that fits by accident."""
    for name in _ADDRESSES:
        value = values.get(name)
        if value is not None and _ADDRESS.fullmatch(value) is None:
            return False
    return True
