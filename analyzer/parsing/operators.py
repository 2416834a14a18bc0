"""Envoy's command operators: a format string taken apart, and what each operator is to the access log.

Source: envoyproxy/envoy docs/root/configuration/advanced/substitution_formatter.rst and, for the grammar,
source/common/formatter/substitution_format_utility.cc.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from analyzer.errors import UsageError
from analyzer.parsing.start_times import time_pattern


@dataclass(frozen=True)
class Kind:
    """What a value of an operator may be: the less it may, the surer a line is read.

    `pattern` is what a value looks like, `reach` a class of letters, no smaller than the pattern's, that bounds it;
    null where anything but a line end may stand in it. `written` is the strftime pattern of a time that has one. A
    value that is the proxy's `own` is `-` where it is missing, or nothing where the format has `omit_empty_values`,
    and the same in all of a line.
    """

    pattern: str
    reach: str | None
    written: str | None = None
    own: bool = False

    @lru_cache(maxsize=256)  # noqa: B019 - kinds are few and live as long as the process
    def may_hold(self, text: str) -> bool:
        """Whether a text may stand in a value."""
        return self.reach is None or re.fullmatch(f"{self.reach}*", text) is not None


NUMBER = Kind(r"\d*|-", r"[\d-]", own=True)
HEADER_NUMBER = Kind(r"\d*|-", r"[\d-]")
FLAGS = Kind(r"[A-Za-z0-9_,]*|-", r"[A-Za-z0-9_,-]")
VERSION = Kind(r"HTTP/[0-9.]+|-|", r"[HTP/0-9.-]", own=True)
NAME = Kind(r"[A-Za-z0-9_.:/-]*", r"[A-Za-z0-9_.:/-]")
"""A name of Kubernetes' or a word of Envoy's own."""
ADDRESS = Kind(
    r"[0-9.]+:\d{1,5}|\[[0-9A-Za-z:.%]+\]:\d{1,5}|[a-z]+://[A-Za-z0-9_.:/@%\[\]-]*|[/@][A-Za-z0-9_.:/@-]*|-|",
    r"[A-Za-z0-9_.:/@%\[\]-]",
    own=True,
)
"""IP and port, an older Envoy's `tcp://`, a listener inside Envoy, a socket in the file system."""
IP = Kind(r"[0-9A-Fa-f.:%\[\]-]*", r"[0-9A-Fa-f.:%\[\]-]", own=True)
DETAILS = Kind(r'[^\s"|{]*(?:\{[^\s"]*\})?', r'[^\s"]')
"""Envoy's own words; bars stand only in the braces behind them (envoyproxy/envoy source/common/stream_info)."""
AUTHORITY = Kind(r'[^\s"|/\\<>^`{}\x00-\x1f\x7f]*', r'[^\s"|/\\<>^`{}\x00-\x1f\x7f]')
"""What Envoy takes for an authority (google/quiche http2/adapter/header_validator.cc); others get 400, unlogged."""
CLUSTER = Kind(
    r'(?:outbound|inbound|inbound-vip)_?\|\d*\|[^\s"|]*\|[^\s"|]*'
    r'|(?!(?:outbound|inbound|inbound-vip)$)(?=.*[A-Za-z])[^\s"|]*|-|',
    r'[^\s"]',
    own=True,
)
"""Four parts between bars, or a name without any."""
METHOD = Kind(r"[A-Za-z0-9!#$%&'*+.^_`~-]*", r"[A-Za-z0-9!#$%&'*+.^_`~-]")
WORD = Kind(r'[^\s"]*', r'[^\s"]')
"""The proxy's own word, or a token that Envoy lets neither blanks nor quotes into."""
PHRASE = Kind(r'[^"]*', r'[^"]')
"""The proxy's or the operator's own words, with blanks."""
REASON = Kind(r'[^"|]*(?:[A-Za-z][^"|]*\|[^"]*)?', PHRASE.reach, own=True)
"""The proxy's own words of why something ended; bars stand only behind words, as in `TLS_error:|268435703:...`."""
FREE = Kind(r".*", None)
"""Somebody else's text."""


@dataclass(frozen=True)
class Operator:
    """One `%NAME(argument):limit%`."""

    name: str
    argument: str | None = None
    limit: int | None = None

    @property
    def key(self) -> str:
        """The operator without its length, header names in capitals as in Envoy's documentation."""
        argument = self.argument
        if argument is not None and self.name in _OF_HEADERS:
            argument = argument.upper()
        return self.name if argument is None else f"{self.name}({argument})"


_OF_HEADERS = frozenset(("REQ", "RESP", "TRAILER", "REQ_WITHOUT_QUERY"))
_OPERATOR = re.compile(r"%(?P<name>[A-Z0-9_]+)(?:\((?P<argument>.*?)\))?(?::(?P<limit>\d+))?%")

_PATHS = ("X-ENVOY-ORIGINAL-PATH?:PATH", ":PATH", "X-ENVOY-ORIGINAL-PATH")

FIELD_OPERATORS: dict[str, tuple[str, ...]] = {
    "start_time": ("START_TIME", "START_TIME_LOCAL"),
    "method": ("REQ(:METHOD)",),
    "path": (
        *(f"REQ({path})" for path in _PATHS),
        "PATH",
        *(f"REQ_WITHOUT_QUERY({path})" for path in _PATHS),
    ),
    "protocol": ("PROTOCOL",),
    "response_code": ("RESPONSE_CODE",),
    "response_flags": ("RESPONSE_FLAGS", "RESPONSE_FLAGS_LONG"),
    "response_code_details": ("RESPONSE_CODE_DETAILS", "RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)"),
    "connection_termination_details": ("CONNECTION_TERMINATION_DETAILS",),
    "upstream_transport_failure_reason": ("UPSTREAM_TRANSPORT_FAILURE_REASON",),
    "bytes_received": ("BYTES_RECEIVED", "DOWNSTREAM_WIRE_BYTES_RECEIVED"),
    "bytes_sent": ("BYTES_SENT", "DOWNSTREAM_WIRE_BYTES_SENT"),
    "duration": ("DURATION",),
    "upstream_service_time": ("RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)",),
    "x_forwarded_for": ("REQ(X-FORWARDED-FOR)",),
    "user_agent": ("REQ(USER-AGENT)",),
    "request_id": ("REQ(X-REQUEST-ID)",),
    "authority": ("REQ(:AUTHORITY)", "REQ(:AUTHORITY?HOST)", "REQ(HOST)", "REQ(HOST?:AUTHORITY)"),
    "upstream_host": ("UPSTREAM_HOST", "UPSTREAM_REMOTE_ADDRESS"),
    "upstream_cluster": ("UPSTREAM_CLUSTER_RAW", "UPSTREAM_CLUSTER"),
    "upstream_local_address": ("UPSTREAM_LOCAL_ADDRESS",),
    "downstream_local_address": ("DOWNSTREAM_LOCAL_ADDRESS",),
    "downstream_remote_address": ("DOWNSTREAM_REMOTE_ADDRESS", "DOWNSTREAM_DIRECT_REMOTE_ADDRESS"),
    "requested_server_name": ("REQUESTED_SERVER_NAME", "REQUESTED_SERVER_NAME(SNI_ONLY)"),
    "route_name": ("ROUTE_NAME",),
    "source_cluster": ("ENVIRONMENT(ISTIO_META_CLUSTER_ID)",),
    "source_namespace": ("ENVIRONMENT(POD_NAMESPACE)",),
    "source_workload": ("ENVIRONMENT(ISTIO_META_WORKLOAD_NAME)",),
    "source_pod": ("ENVIRONMENT(POD_NAME)", "ENVIRONMENT(HOSTNAME)", "HOSTNAME"),
}
"""The operators that fill a field, the best first; those that did not come to it are kept as extra."""

SPLIT_ADDRESSES: dict[str, tuple[str, str]] = {
    "upstream_host": ("UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "UPSTREAM_REMOTE_PORT"),
    "upstream_local_address": ("UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "UPSTREAM_LOCAL_PORT"),
    "downstream_local_address": ("DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_LOCAL_PORT"),
    "downstream_remote_address": ("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_REMOTE_PORT"),
}
"""Address and port as operators of their own, for the fields that hold both."""

_NUMBERS = re.compile(
    r"RESPONSE_CODE|.*DURATION|.*_BYTES_.*|BYTES_.*|(?!.*WITHOUT).*_PORT|.*ATTEMPT_COUNT|CONNECTION_ID|STREAM_ID|GRPC_STATUS_NUMBER"
)
_ADDRESSES = re.compile(r".*_ADDRESS|UPSTREAM_HOST")
_IPS = re.compile(r".*_ADDRESS_WITHOUT_PORT")
_CLUSTERS = re.compile(r"UPSTREAM_CLUSTER(?:_RAW)?")
_NAMES = re.compile(
    r"REQUESTED_SERVER_NAME|GRPC_STATUS|ACCESS_LOG_TYPE|TRACE_ID|UNIQUE_ID|.*_TLS_(?:VERSION|CIPHER|SESSION_ID)"
    r"|UPSTREAM_PROTOCOL|HOSTNAME"
)
_WORDS = re.compile(r"UPSTREAM_HOST_NAME.*|UPSTREAM_HOSTS_ATTEMPTED.*")
_PHRASES = re.compile(
    r"ROUTE_NAME|FILTER_CHAIN_NAME|VIRTUAL_CLUSTER_NAME"
    r"|LISTENER.*|ENVIRONMENT|START_TIME.*|EMIT_TIME.*|DOWNSTREAM_TRANSPORT_FAILURE_REASON"
)
_BY_NAME = (
    (_NUMBERS, NUMBER),
    (_ADDRESSES, ADDRESS),
    (_IPS, IP),
    (_CLUSTERS, CLUSTER),
    (_NAMES, NAME),
    (_WORDS, WORD),
    (_PHRASES, PHRASE),
)
_BY_KEY = {
    "REQ(:METHOD)": METHOD,
    "CONNECTION_TERMINATION_DETAILS": REASON,
    "UPSTREAM_TRANSPORT_FAILURE_REASON": REASON,
    "RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)": HEADER_NUMBER,
    "PROTOCOL": VERSION,
    "RESPONSE_CODE_DETAILS": DETAILS,
    "RESPONSE_FLAGS": FLAGS,
    "RESPONSE_FLAGS_LONG": FLAGS,
    **dict.fromkeys(FIELD_OPERATORS["authority"], AUTHORITY),
    **dict.fromkeys((*FIELD_OPERATORS["source_pod"], *FIELD_OPERATORS["source_namespace"]), NAME),
}


def kind_of(operator: Operator) -> Kind:
    """What a value of the operator may hold; an operator that nobody knows may hold anything."""
    if operator.key in _BY_KEY:
        return _BY_KEY[operator.key]
    if operator.argument == "ALLOW_WHITESPACES":
        return PHRASE
    if operator.name.startswith("START_TIME"):
        pattern = time_pattern(operator.argument)
        return Kind(f"{pattern}|-|", ".", operator.argument)
    return next((kind for names, kind in _BY_NAME if names.fullmatch(operator.name)), FREE)


def take_apart(format_string: str) -> tuple[str, tuple[tuple[Operator, str], ...]]:
    """The literal that a format string begins with, then each operator with the literal behind it.

    `%%` is a percent sign. Raises `UsageError` for a percent sign that begins neither that nor an operator.
    """
    first, place = _literal(format_string, 0)
    parts: list[tuple[Operator, str]] = []
    while place < len(format_string):
        match = _OPERATOR.match(format_string, place)
        if match is None:
            raise UsageError(
                f"{format_string[place : place + 24]!r} is no command operator",
                hint="operators look like %NAME%, %NAME(argument)% or %NAME(argument):10%; a percent sign is %%",
            )
        limit = match["limit"]
        operator = Operator(match["name"], match["argument"], None if limit is None else int(limit))
        literal, place = _literal(format_string, match.end())
        parts.append((operator, literal))
    return first, tuple(parts)


def _literal(format_string: str, start: int) -> tuple[str, int]:
    """Text up to the next operator, and where that begins."""
    text, place = [], start
    while place < len(format_string):
        end = format_string.find("%", place)
        if end < 0:
            text.append(format_string[place:])
            return "".join(text), len(format_string)
        text.append(format_string[place:end])
        if not format_string.startswith("%%", end):
            return "".join(text), end
        text.append("%")
        place = end + 2
    return "".join(text), place
