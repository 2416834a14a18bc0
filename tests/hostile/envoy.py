"""Hostile requests, and the lines that Envoy writes of them.

How Envoy renders a value was measured with 1.40: text is pasted between quotes as it is; JSON escapes, and writes a
value that is not UTF-8 byte by byte as Latin-1.
"""

import re
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from analyzer.parsing.layout import OPERATOR_FIELDS
from analyzer.vocabulary import ACCESS_LOG_FIELDS

Record = dict[str, bytes | int | None]
"""The true fields of a line; text as bytes, missing ones null."""

CLIENT_WRITTEN = ("method", "path", "protocol", "x_forwarded_for", "user_agent", "request_id")
"""Fields left of the right end that hold a header of the client's, and those that stand beside one."""
RIGHT_END = ACCESS_LOG_FIELDS[ACCESS_LOG_FIELDS.index("authority") :]
_OPERATOR = re.compile(r"%([A-Z0-9_]+(?:\([^)]*\))?)(?::\d+)?%")
_NUMBERS = ("response_code", "bytes_received", "bytes_sent", "duration")

_TIME = b"2026-03-02T10:00:00.000Z"
_TAIL = b'"good.example" "198.51.100.7:80" outbound|80||good.example 10.0.0.1:40000 198.51.100.7:80 10.0.0.1:50000 - default'
_FAKES = (
    b'"', b'""', b'" "', b'" ', b' "', b'\\"', b"-", b"", b" ", b"\\", b"\t", b"[", b"]", b"{", b"}", b"%", b",",
    b'" 200 - via_upstream - "-" 5 5 1 1 "-" "curl" "id" ', b' HTTP/1.1" 200 - via_upstream - "-" 5 5 1 1 "',
    b' HTTP/1.1" 502 - direct_response - "-" 0 0 0 - "-" "a" "b" ', b'" 200 - "-" 5 5 1 1 "-" "a" "b" ',
    b'" 200 - "-" "-" 5 5 1 1 "-" "a" "b" ', b'" 200 - 5 5 1 1 "-" "a" "b" ', b'" 0 UH - - "-" 0 0 1 - "', b'" 200 - ',
    b'- -" 0 UH - - "-" 0 0 0 - "-" "-" "-" "-" "-" BlackHoleCluster - 203.0.113.60:443 10.244.2.12:10019 a.example -',
    b'- -" 0 - - - "-" 9 9 9 - "-" "-" "-" "-" "203.0.113.60:443" PassthroughCluster 10.0.0.1:4 203.0.113.60:443 10.0.0.1:5 - -',
    b'" ' + _TAIL, _TAIL, b'"good.example" "-" - - 203.0.113.10:80 10.0.0.1:50000 - allow_any',
    b'" "good.example" "198.51.100.7:80"', b' HTTP/1.1" ', b'" 502 - direct_response - "-" 0 0 0 - "-" "',
    b"[" + _TIME + b'] "GET / HTTP/1.1" 200 - via_upstream - "-" 5 5 1 1 "-" "curl" "id" ' + _TAIL,
    b"\xe2\x80\xa8", b"\xc2\x85", b"\xc3\xa9", b"\xe2\x98\x83", b"\xff", b"\xe9", b"\x1b[31m".replace(b"\x1b", b"^"),
    b'{"response_code":200}', b"<script>alert(1)</script>", b"=1+1", b"\xe2\x80\xae",
)  # fmt: skip
_LETTERS = st.binary(max_size=6).map(lambda raw: bytes(byte for byte in raw if byte >= 0x20 and byte != 0x7F))
HEADER = st.lists(st.sampled_from(_FAKES) | _LETTERS, max_size=5).map(lambda parts: b"".join(parts).strip(b" \t"))
"""A header value that Envoy takes: any byte but the control bytes, trimmed."""
HOST = st.sampled_from(
    [b"api.example.com", b"API.Example.COM:80", b"x.wild.test", b"10.0.0.1", b"[2001:db8::1]:80", b"a@b.example", b"-",
     b"a.example,b.example", b"api.example.com.", b"3232235777", b"a_b.example", b"api.example.com:99999", b"x" * 300]
)  # fmt: skip
"""A Host that Envoy takes: neither quote nor blank."""
_FROM = st.sampled_from([b"10.0.0.1:50000", b"10.0.0.1:50001", b"1.2.3.4:0", b"[2001:db8::bad]:0", b"[2001:db8::1]:9"])

_OUTCOMES: tuple[Record, ...] = (
    {"response_code": 502, "response_code_details": b"direct_response", "route_name": b"block_all"},
    {"response_code": 200, "response_code_details": b"via_upstream", "upstream_host": b"203.0.113.10:80",
     "upstream_cluster": b"PassthroughCluster", "upstream_local_address": b"10.0.0.1:40000", "route_name": b"allow_any"},
    {"response_code": 503, "response_flags": b"URX,UF", "response_code_details": b"upstream_reset_before_response_started{x}",
     "upstream_transport_failure_reason": b"delayed_connect_error:_Connection_refused", "upstream_host": b"10.1.1.1:80",
     "upstream_cluster": b"outbound|80||api.example.com", "route_name": b"default"},
    {"response_code": 404, "response_flags": b"NR", "response_code_details": b"route_not_found"},
)  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> Record:
    """One HTTP request of a hostile client, whatever became of it."""
    record: Record = dict.fromkeys(ACCESS_LOG_FIELDS) | draw(st.sampled_from(_OUTCOMES))
    record |= {"start_time": _TIME, "duration": draw(st.integers(0, 99)), "downstream_remote_address": draw(_FROM)}
    record |= {"bytes_received": draw(st.integers(0, 99)), "bytes_sent": draw(st.integers(0, 99))}
    record |= {"downstream_local_address": draw(st.sampled_from([b"203.0.113.10:80", b"[2001:db8::5]:80"]))}
    record["protocol"] = draw(st.sampled_from([b"HTTP/1.1", b"HTTP/2"]))
    record["method"] = draw(st.sampled_from([b"GET", b"POST", b"-"] if record["protocol"] == b"HTTP/2" else [b"GET"]))
    record["authority"] = draw(HOST)
    record["upstream_service_time"] = draw(st.sampled_from([None, b"7", b"7", b"soon", b'7" "x']))
    for name in ("path", "x_forwarded_for", "user_agent", "request_id"):
        record[name] = draw(HEADER | st.none())
    return record


@st.composite
def connections(draw: st.DrawFn, server_name: st.SearchStrategy[bytes | None]) -> Record:
    """One TCP connection, refused or passed through."""
    record: Record = dict.fromkeys(ACCESS_LOG_FIELDS)
    record |= {"start_time": _TIME, "response_code": 0, "downstream_local_address": b"203.0.113.10:443"}
    record |= {"bytes_received": 1, "bytes_sent": 2, "duration": 3, "downstream_remote_address": b"10.0.0.1:50000"}
    record["requested_server_name"] = draw(server_name)
    if draw(st.booleans()):
        return record | {"response_flags": b"UH", "upstream_cluster": b"BlackHoleCluster"}
    return record | {"upstream_host": b"203.0.113.10:443", "upstream_cluster": b"PassthroughCluster",
                     "upstream_local_address": b"10.0.0.1:40000"}  # fmt: skip


def as_text(record: Record, format_string: str) -> bytes:
    """The line in a text format; a header of a format's own stands in the record under its operator."""
    first, *rest = _OPERATOR.split(format_string)
    parts = [first.encode()]
    for operator, literal in zip(rest[::2], rest[1::2], strict=True):
        value = record.get(OPERATOR_FIELDS.get(operator, operator))
        parts += [b"-" if value is None else str(value).encode() if isinstance(value, int) else value, literal.encode()]
    return b"".join(parts)


def as_json(record: Record) -> bytes:
    """The line in Istio's default JSON format."""
    items = sorted((name, _in_json(name, value)) for name, value in record.items())
    return b"{" + b",".join(b'"' + name.encode() + b'":' + value for name, value in items) + b"}"


def true_values(record: Record, names: Mapping[str, Any] | tuple[str, ...] = ACCESS_LOG_FIELDS) -> dict[str, Any]:
    """The fields as the tool's columns hold them, but for times and addresses."""
    return {name: _typed(name, record[name]) for name in names}


def _typed(name: str, value: bytes | int | None) -> Any:
    if name == "upstream_service_time":
        return int(value) if isinstance(value, bytes) and value.isdigit() else None
    if not isinstance(value, bytes):
        return value
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return None if text in ("", "-") else text


def _in_json(name: str, value: bytes | int | None) -> bytes:
    if isinstance(value, int):
        return str(value).encode()
    if value is None:
        return b'"-"' if name == "response_flags" else b"null"
    try:
        value.decode()
    except UnicodeDecodeError:
        odd = b'"\\\t'
        return (
            b'"'
            + b"".join(b"\\u%04x" % byte if byte >= 0x80 or byte in odd else bytes([byte]) for byte in value)
            + b'"'
        )
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\t", b"\\t") + b'"'
