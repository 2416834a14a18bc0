"""Every column of an entry: type, meaning, the operator behind it, who can write its value and how far to trust it."""

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from analyzer.parsing.parsed import DICTIONARY, TIMESTAMP
from analyzer.vocabulary import ACCESS_LOG_FIELDS

SCHEMA_VERSION = 2


class Writer(StrEnum):
    """Whose hand a value is in: what a client can write, an audit must not rest on.

    `operator` is whoever configures the mesh or hands the log over, `audit` this tool.
    """

    PROXY = "proxy"
    CLIENT = "client"
    UPSTREAM = "upstream"
    OPERATOR = "operator"
    AUDIT = "audit"


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type, one sentence of meaning, the source of its value and its writer.

    `caution` says how somebody else than the writer can bend the value, or what it does not prove.
    """

    name: str
    type: pa.DataType
    meaning: str
    source: str
    writer: Writer
    caution: str = ""

    @property
    def survives(self) -> bool:
        """Whether the value is kept on any tampered line; else it is kept only where it has one reading."""
        return self.name not in _LEFT_OF_THE_AUTHORITY


_LEFT_OF_THE_AUTHORITY = frozenset(ACCESS_LOG_FIELDS[: ACCESS_LOG_FIELDS.index("authority")]) - {"start_time"}
_TEXT = pa.string()
_LABEL = DICTIONARY

COLUMNS: tuple[Column, ...] = (
    Column("start_time", TIMESTAMP, "When the request or connection began.", "%START_TIME%", Writer.PROXY),
    Column(
        "method",
        _LABEL,
        "HTTP method; null on TCP.",
        "%REQ(:METHOD)%",
        Writer.CLIENT,
        "HTTP/1 takes known methods only; over HTTP/2 a client may send any token, a hyphen too.",
    ),
    Column(
        "path",
        _TEXT,
        "Path and query as Envoy logs them.",
        "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
        Writer.CLIENT,
        "A client's `X-Envoy-Original-Path` replaces the path that was sent; `..` is resolved, the fragment gone.",
    ),
    Column(
        "protocol",
        _LABEL,
        "HTTP version; null on TCP.",
        "%PROTOCOL%",
        Writer.PROXY,
        "Null on an HTTP port: the request went round HTTP routing (HTTP/1.0, or a raw byte in its first line).",
    ),
    Column(
        "response_code",
        pa.int16(),
        "HTTP status; 0 on TCP.",
        "%RESPONSE_CODE%",
        Writer.PROXY,
        "The upstream's own where it answered; blocked gRPC is logged as 200. It proves nothing about policy.",
    ),
    Column(
        "response_flags", _LABEL, "Envoy's short flags, comma-joined; null when none.", "%RESPONSE_FLAGS%", Writer.PROXY
    ),
    Column("response_code_details", _LABEL, "Who set the status and why.", "%RESPONSE_CODE_DETAILS%", Writer.PROXY),
    Column(
        "connection_termination_details",
        _LABEL,
        "Why Envoy ended the connection.",
        "%CONNECTION_TERMINATION_DETAILS%",
        Writer.PROXY,
    ),
    Column(
        "upstream_transport_failure_reason",
        _LABEL,
        "Why the connection to the destination failed.",
        "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
        Writer.PROXY,
    ),
    Column("bytes_received", pa.int64(), "Bytes of body from the client: upload.", "%BYTES_RECEIVED%", Writer.PROXY),
    Column("bytes_sent", pa.int64(), "Bytes of body to the client: download.", "%BYTES_SENT%", Writer.PROXY),
    Column("duration", pa.int64(), "Milliseconds from start to end.", "%DURATION%", Writer.PROXY),
    Column(
        "upstream_service_time",
        pa.int64(),
        "Milliseconds the upstream took, by its own header.",
        "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
        Writer.UPSTREAM,
        "Envoy writes it over what the upstream sends, unless `suppress_envoy_headers` is set.",
    ),
    Column(
        "x_forwarded_for",
        _LABEL,
        "Forwarding chain as the client sent it.",
        "%REQ(X-FORWARDED-FOR)%",
        Writer.CLIENT,
        "Its last address takes the place of the client's own in `downstream_remote_address`.",
    ),
    Column("user_agent", _LABEL, "What the client calls itself.", "%REQ(USER-AGENT)%", Writer.CLIENT),
    Column(
        "request_id",
        _TEXT,
        "Request id; the client's own where it sent one.",
        "%REQ(X-REQUEST-ID)%",
        Writer.CLIENT,
        "Neither unique nor generated where the client sent one.",
    ),
    Column(
        "authority",
        _LABEL,
        "Host header, raw.",
        "%REQ(:AUTHORITY)%",
        Writer.CLIENT,
        "Decides the route of HTTP, whatever address was dialled. Envoy refuses quotes and blanks in it since 1.12.2.",
    ),
    Column(
        "upstream_host",
        _LABEL,
        "Address the proxy connected to.",
        "%UPSTREAM_HOST%",
        Writer.PROXY,
        "Under a wildcard or NONE entry and in passthrough it is whatever address the client dialled.",
    ),
    Column("upstream_cluster", _LABEL, "Envoy cluster, without a trailing `;`.", "%UPSTREAM_CLUSTER%", Writer.PROXY),
    Column(
        "upstream_local_address",
        _TEXT,
        "The proxy's own end of that connection.",
        "%UPSTREAM_LOCAL_ADDRESS%",
        Writer.PROXY,
    ),
    Column(
        "downstream_local_address",
        _LABEL,
        "Outbound: the address that the application dialled.",
        "%DOWNSTREAM_LOCAL_ADDRESS%",
        Writer.PROXY,
        "Chosen by the client and checked by nobody: a name in Host or SNI need not belong to it.",
    ),
    Column(
        "downstream_remote_address",
        _TEXT,
        "The application's own address; null where a client put another in its place.",
        "%DOWNSTREAM_REMOTE_ADDRESS%",
        Writer.CLIENT,
        "Null where the address came from `X-Forwarded-For`, which Envoy shows by port 0: the source is then unknown.",
    ),
    Column(
        "requested_server_name",
        _LABEL,
        "SNI as Envoy sanitised it.",
        "%REQUESTED_SERVER_NAME%",
        Writer.CLIENT,
        "Raw before Envoy 1.28.7, 1.29.9, 1.30.6, 1.31.2 (CVE-2024-45808): a client forges whole lines of text logs.",
    ),
    Column(
        "route_name",
        _LABEL,
        "Envoy route.",
        "%ROUTE_NAME%",
        Writer.OPERATOR,
        "A VirtualService's route name is free text of whoever may write one; the last field of a text line.",
    ),
    Column(
        "extra",
        _TEXT,
        "What the format logs beside these fields: a JSON object, keys sorted; null when nothing.",
        "operators and keys of a custom format",
        Writer.CLIENT,
    ),
    Column("source_cluster", _LABEL, "Kubernetes cluster of the client.", "label, envelope", Writer.OPERATOR),
    Column("source_namespace", _LABEL, "Namespace of the client.", "label, file name, envelope", Writer.OPERATOR),
    Column("source_workload", _LABEL, "Workload of the client.", "label, pod name, envelope", Writer.OPERATOR),
    Column(
        "source_pod",
        _LABEL,
        "Pod of the client.",
        "label, file name, envelope",
        Writer.OPERATOR,
        "What an envelope or a file name says; a client writes into none of them.",
    ),
    Column("origin", _LABEL, "Source file as given.", "ingest", Writer.OPERATOR),
    Column("line_number", pa.int64(), "Line in that file, from 1.", "ingest", Writer.AUDIT),
    Column("log_format", _LABEL, "Format that read the line.", "parsing", Writer.AUDIT),
    Column(
        "tampered",
        pa.bool_(),
        "More quotes than the format allows.",
        "parsing",
        Writer.AUDIT,
        "On such a line the fields left of the authority are kept only where they have one reading.",
    ),
    Column("direction", _LABEL, "outbound, inbound, gateway or unknown.", "classification", Writer.AUDIT),
    Column("egress_class", _LABEL, "By whose leave the entry left.", "classification", Writer.AUDIT),
    Column("mechanism", _LABEL, "What in the proxy decided.", "classification", Writer.AUDIT),
    Column("result", _LABEL, "What became of the connection, apart from policy.", "classification", Writer.AUDIT),
    Column(
        "host",
        _LABEL,
        "Destination name: lower case, no port, no trailing dot.",
        "classification",
        Writer.AUDIT,
        "From `authority` or `requested_server_name`: the client's word, and what the proxy went by.",
    ),
    Column("host_source", _LABEL, "Field that named the host.", "classification", Writer.AUDIT),
    Column("destination_ip", _LABEL, "Address that was dialled.", "classification", Writer.AUDIT),
    Column("destination_port", pa.int32(), "Port that was dialled.", "classification", Writer.AUDIT),
    Column("application_protocol", _LABEL, "http, grpc, tls or tcp.", "classification", Writer.AUDIT),
)


def _field(column: Column) -> pa.Field:
    kept = "kept" if column.survives else "kept where it has one reading"
    metadata = {"meaning": column.meaning, "written_by": column.writer.value, "on_tampered_lines": kept}
    return pa.field(column.name, column.type, metadata=metadata)


ENTRY = pa.schema([_field(column) for column in COLUMNS])
"""One row per access-log entry, classified."""

REJECTED = pa.schema(
    [
        pa.field("origin", _LABEL),
        pa.field("line_number", pa.int64()),
        pa.field("reason", _LABEL),
        pa.field("text", _TEXT),
        pa.field("source_cluster", _LABEL),
        pa.field("source_namespace", _LABEL),
        pa.field("source_workload", _LABEL),
        pa.field("source_pod", _LABEL),
    ]
)
"""One row per line that no format could read; `text` is a bounded excerpt."""
