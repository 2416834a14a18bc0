"""A text format as Envoy's own format string, cut where its quotes stand.

Envoy escapes nothing in text, so only two things are certain in a line: how many double quotes an honest
one has, and what stands right of the last field that a client can write. A layout is the format string seen
that way: segments between quotes, each a list of operators with single blanks between them.
Source of the syntax: envoyproxy/envoy docs/root/configuration/advanced/substitution_formatter.rst.
"""

import re
from dataclasses import dataclass
from functools import cached_property

IGNORED = ""
"""The field of an operator whose value the audit has no use for."""

OPERATOR_FIELDS = {
    "START_TIME": "start_time",
    "DYNAMIC_METADATA(istio.mixer:status)": IGNORED,
    "REQ(:METHOD)": "method",
    "REQ(X-ENVOY-ORIGINAL-PATH?:PATH)": "path",
    "PROTOCOL": "protocol",
    "RESPONSE_CODE": "response_code",
    "RESPONSE_FLAGS": "response_flags",
    "RESPONSE_CODE_DETAILS": "response_code_details",
    "CONNECTION_TERMINATION_DETAILS": "connection_termination_details",
    "UPSTREAM_TRANSPORT_FAILURE_REASON": "upstream_transport_failure_reason",
    "BYTES_RECEIVED": "bytes_received",
    "BYTES_SENT": "bytes_sent",
    "DURATION": "duration",
    "RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)": "upstream_service_time",
    "REQ(X-FORWARDED-FOR)": "x_forwarded_for",
    "REQ(USER-AGENT)": "user_agent",
    "REQ(X-REQUEST-ID)": "request_id",
    "REQ(:AUTHORITY)": "authority",
    "UPSTREAM_HOST": "upstream_host",
    "UPSTREAM_CLUSTER": "upstream_cluster",
    "UPSTREAM_CLUSTER_RAW": "upstream_cluster",
    "UPSTREAM_LOCAL_ADDRESS": "upstream_local_address",
    "DOWNSTREAM_LOCAL_ADDRESS": "downstream_local_address",
    "DOWNSTREAM_REMOTE_ADDRESS": "downstream_remote_address",
    "REQUESTED_SERVER_NAME": "requested_server_name",
    "ROUTE_NAME": "route_name",
}
"""Envoy's operators and the access-log field each one fills."""

_OPERATOR = re.compile(r"%([A-Z0-9_]+(?:\([^)]*\))?)(?::\d+)?%")


@dataclass(frozen=True)
class Segment:
    """What stands between two quotes: the fields in it, one blank apart."""

    fields: tuple[str, ...]
    quoted: bool


@dataclass(frozen=True, eq=False)
class Layout:
    """The segments of a text format, unquoted and quoted in turn, beginning and ending unquoted.

    Each is itself only, so that what is compiled for one is found without a look at its segments.
    """

    segments: tuple[Segment, ...]
    host_unchecked: bool = False
    """Whether the proxies that write it took any Host: Envoy looks at its letters since 1.12.2 only."""

    @cached_property
    def quotes(self) -> int:
        """How many double quotes an honest line holds; a client can only add to them."""
        return len(self.segments) - 1

    @cached_property
    def last_words(self) -> int:
        """How many fields stand behind the last quote."""
        return len(self.segments[-1].fields)

    @cached_property
    def ends_in_a_route(self) -> bool:
        """Whether the last field is a route's name, in which blanks may stand."""
        return self.segments[-1].fields[-1:] == ("route_name",)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Every field, left to right, without those that are ignored."""
        return tuple(name for segment in self.segments for name in segment.fields if name != IGNORED)

    @cached_property
    def authority(self) -> int:
        """The index of the segment with the authority: right of it a client writes neither quote nor blank."""
        return self._position("authority")

    @cached_property
    def middle(self) -> tuple[Segment, ...]:
        """The segments between the request line and the first header: the proxy's own words, where no client writes."""
        return self.segments[self._position("protocol") + 1 : self._position("x_forwarded_for")]

    def allows(self, quotes: int, blanks: int, *, ended: bool) -> bool:
        """Whether a line with so many quotes, so many blanks behind the last of them, and maybe nothing else there
        (`ended`), may be of this layout."""
        words = self.last_words
        enough = blanks == words or (blanks > words and self.ends_in_a_route)
        return quotes >= self.quotes and enough and (ended or words > 0)

    def _position(self, field: str) -> int:
        return next(index for index, segment in enumerate(self.segments) if field in segment.fields)


def compile_layout(format_string: str) -> Layout:
    """Cut an Envoy format string into segments.

    Raises `ValueError` for an operator nobody knows or for text that is neither operator, blank, bracket nor quote.
    """
    pieces = format_string.rstrip("\n").split('"')
    return Layout(tuple(Segment(_fields(piece), quoted=bool(index % 2)) for index, piece in enumerate(pieces)))


def parts_of(format_string: str) -> list[tuple[str, str]]:
    """The format string as pairs of a field and the literal behind it; the first pair has a literal only."""
    first, *rest = _OPERATOR.split(format_string.rstrip("\n"))
    fields = [OPERATOR_FIELDS[operator] for operator in rest[::2]]
    return list(zip([IGNORED, *fields], [first, *rest[1::2]], strict=True))


def _fields(piece: str) -> tuple[str, ...]:
    operators = _OPERATOR.findall(piece)
    rest = _OPERATOR.sub("", piece).strip("[] ")
    if rest:
        raise ValueError(f"cannot read {rest!r} in a format string")
    return tuple(OPERATOR_FIELDS[operator] for operator in operators)
