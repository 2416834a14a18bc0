"""Every column of an entry: type, meaning, the operator behind it and who can write its value."""

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from analyzer.parsing.parsed import DICTIONARY, TIMESTAMP

SCHEMA_VERSION = 2


class Writer(StrEnum):
    """Whose hand a value is in: what a client can write, an audit must not rest on."""

    PROXY = "proxy"
    CLIENT = "client"
    UPSTREAM = "upstream"
    OPERATOR = "operator"
    AUDIT = "audit"


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type, one sentence of meaning, the source of its value and its writer."""

    name: str
    type: pa.DataType
    meaning: str
    source: str
    writer: Writer


_TEXT = pa.string()
_LABEL = DICTIONARY

COLUMNS: tuple[Column, ...] = (
    Column("start_time", TIMESTAMP, "When the request or connection began.", "%START_TIME%", Writer.PROXY),
    Column("method", _LABEL, "HTTP method; null on TCP.", "%REQ(:METHOD)%", Writer.CLIENT),
    Column("path", _TEXT, "Path and query as Envoy logs them.", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%", Writer.CLIENT),
    Column("protocol", _LABEL, "HTTP version; null on TCP.", "%PROTOCOL%", Writer.PROXY),
    Column("response_code", pa.int16(), "HTTP status; 0 on TCP.", "%RESPONSE_CODE%", Writer.PROXY),
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
    ),
    Column(
        "x_forwarded_for", _LABEL, "Forwarding chain as the client sent it.", "%REQ(X-FORWARDED-FOR)%", Writer.CLIENT
    ),
    Column("user_agent", _LABEL, "What the client calls itself.", "%REQ(USER-AGENT)%", Writer.CLIENT),
    Column(
        "request_id", _TEXT, "Request id; the client's own where it sent one.", "%REQ(X-REQUEST-ID)%", Writer.CLIENT
    ),
    Column("authority", _LABEL, "Host header, raw.", "%REQ(:AUTHORITY)%", Writer.CLIENT),
    Column("upstream_host", _LABEL, "Address the proxy connected to.", "%UPSTREAM_HOST%", Writer.PROXY),
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
    ),
    Column(
        "downstream_remote_address",
        _TEXT,
        "The application's own address; on HTTP lines a client can forge it (port 0 tells).",
        "%DOWNSTREAM_REMOTE_ADDRESS%",
        Writer.CLIENT,
    ),
    Column("requested_server_name", _LABEL, "SNI as Envoy sanitised it.", "%REQUESTED_SERVER_NAME%", Writer.CLIENT),
    Column("route_name", _LABEL, "Envoy route.", "%ROUTE_NAME%", Writer.PROXY),
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
    Column("source_pod", _LABEL, "Pod of the client.", "label, file name, envelope", Writer.OPERATOR),
    Column("origin", _LABEL, "Source file as given.", "ingest", Writer.OPERATOR),
    Column("line_number", pa.int64(), "Line in that file, from 1.", "ingest", Writer.AUDIT),
    Column("log_format", _LABEL, "Format that read the line.", "parsing", Writer.AUDIT),
    Column("tampered", pa.bool_(), "More quotes than the format allows.", "parsing", Writer.AUDIT),
    Column("direction", _LABEL, "outbound, inbound, gateway or unknown.", "classification", Writer.AUDIT),
    Column("egress_class", _LABEL, "By whose leave the entry left.", "classification", Writer.AUDIT),
    Column("mechanism", _LABEL, "What in the proxy decided.", "classification", Writer.AUDIT),
    Column("result", _LABEL, "What became of the connection, apart from policy.", "classification", Writer.AUDIT),
    Column("host", _LABEL, "Destination name: lower case, no port, no trailing dot.", "classification", Writer.AUDIT),
    Column("host_source", _LABEL, "Field that named the host.", "classification", Writer.AUDIT),
    Column("destination_ip", _LABEL, "Address that was dialled.", "classification", Writer.AUDIT),
    Column("destination_port", pa.int32(), "Port that was dialled.", "classification", Writer.AUDIT),
    Column("application_protocol", _LABEL, "http, grpc, tls or tcp.", "classification", Writer.AUDIT),
)

ENTRY = pa.schema([pa.field(column.name, column.type, metadata={"meaning": column.meaning}) for column in COLUMNS])
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
