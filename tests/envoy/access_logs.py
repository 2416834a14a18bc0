"""The file access logs that a sidecar writes here: every default format at once, each to a file of its own.

Sources: istio/istio pilot/pkg/model/telemetry_logging.go (EnvoyTextLogFormat, EnvoyJSONLogFormatIstio,
omit_empty_values), pilot/pkg/networking/core/v1alpha3/listener.go and accesslog.go at the older tags.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from json import dumps as dump
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_HEAD = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% '
)
_DETAILS = "%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
_MIXER = '"%DYNAMIC_METADATA(istio.mixer:status)%" '
_FAILURE = '"%UPSTREAM_TRANSPORT_FAILURE_REASON%" '
_MIDDLE = (
    "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"'
)
_TAIL = (
    " {cluster} %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME%"
)
_ROUTE = " %ROUTE_NAME%"
_CLUSTER, _RAW_CLUSTER = "%UPSTREAM_CLUSTER%", "%UPSTREAM_CLUSTER_RAW%"

_JSON_KEYS: Json = {
    "start_time": "%START_TIME%",
    "route_name": "%ROUTE_NAME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "upstream_service_time": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    "x_forwarded_for": "%REQ(X-FORWARDED-FOR)%",
    "user_agent": "%REQ(USER-AGENT)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "authority": "%REQ(:AUTHORITY)%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_cluster": _RAW_CLUSTER,
    "upstream_local_address": "%UPSTREAM_LOCAL_ADDRESS%",
    "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
}


@dataclass(frozen=True)
class AccessLog:
    """One format: the file it goes to (`<name>.log`), and the text or the JSON object it is made of.

    One that is `declared` is not Istio's, and the analyzer is told of it.
    """

    name: str
    text: str | None = None
    json: Mapping[str, Any] | None = None
    omit_empty: bool = False
    declared: bool = False

    @property
    def told(self) -> str | None:
        """What `--format` is given."""
        if not self.declared:
            return None
        return self.text if self.json is None else dump(self.json)

    def file(self, folder: Path) -> Path:
        """Where a sidecar that logs into a folder writes it."""
        return folder / f"{self.name}.log"

    def config(self, folder: Path) -> Json:
        """The access logger as istiod writes it, but for the path."""
        written: Json = {"omit_empty_values": True} if self.omit_empty else {}
        if self.json is None:
            written["text_format_source"] = {"inline_string": f"{self.text}\n"}
        else:
            written["json_format"] = dict(self.json)
            written["json_format_options"] = {"sort_properties": False}
        return {
            "name": "envoy.access_loggers.file",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                "path": str(self.file(folder)),
                "log_format": written,
            },
        }


JOIN = AccessLog(
    "join",
    json={
        **_JSON_KEYS,
        "downstream_direct_remote_address": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
        "filter_chain_name": "%FILTER_CHAIN_NAME%",
    },
)
"""Not a format of Istio's: it keeps the client's true address, so that a line finds what really happened."""

ISTIO_TEXT = AccessLog(
    "istio_text", _HEAD + _DETAILS + _FAILURE + _MIDDLE + _TAIL.format(cluster=_RAW_CLUSTER) + _ROUTE
)
ISTIO_TEXT_1_9 = AccessLog(
    "istio_text_1_9", _HEAD + _DETAILS + _FAILURE + _MIDDLE + _TAIL.format(cluster=_CLUSTER) + _ROUTE
)
ISTIO_TEXT_1_8 = AccessLog("istio_text_1_8", _HEAD + _FAILURE + _MIDDLE + _TAIL.format(cluster=_CLUSTER) + _ROUTE)
ISTIO_TEXT_1_3 = AccessLog(
    "istio_text_1_3", _HEAD + _MIXER + _FAILURE + _MIDDLE + _TAIL.format(cluster=_CLUSTER) + _ROUTE
)
ISTIO_TEXT_1_2 = AccessLog("istio_text_1_2", _HEAD + _MIXER + _FAILURE + _MIDDLE + _TAIL.format(cluster=_CLUSTER))
ISTIO_TEXT_1_1 = AccessLog("istio_text_1_1", _HEAD + _MIXER + _MIDDLE + _TAIL.format(cluster=_CLUSTER))
ENVOY_TEXT = AccessLog("envoy_text", _HEAD + _MIDDLE)
ISTIO_JSON = AccessLog("istio_json", json=_JSON_KEYS)
ISTIO_JSON_1_23 = AccessLog("istio_json_1_23", json={**_JSON_KEYS, "upstream_cluster": _CLUSTER})
ISTIO_TEXT_OMIT_EMPTY = AccessLog("istio_text_omit_empty", ISTIO_TEXT.text, omit_empty=True)
ISTIO_JSON_OMIT_EMPTY = AccessLog("istio_json_omit_empty", json=_JSON_KEYS, omit_empty=True)

CUSTOM_BARS = AccessLog(
    "custom_bars",
    "%START_TIME(%s.%3f)%|%REQ(:METHOD)%|%PROTOCOL%|%RESPONSE_CODE%|%RESPONSE_FLAGS_LONG%|%RESPONSE_CODE_DETAILS%"
    "|%BYTES_RECEIVED%|%BYTES_SENT%|%DURATION%|%REQ(:AUTHORITY)%|%UPSTREAM_REMOTE_ADDRESS%|%UPSTREAM_CLUSTER%"
    "|%UPSTREAM_TRANSPORT_FAILURE_REASON%|%DOWNSTREAM_LOCAL_ADDRESS%|%REQUESTED_SERVER_NAME%|%ROUTE_NAME%"
    "|%ENVIRONMENT(POD_NAME)%|%REQ(USER-AGENT)%",
    declared=True,
)
CUSTOM_PAIRS = AccessLog(
    "custom_pairs",
    'at=%START_TIME(%Y-%m-%dT%H:%M:%S.%6f%z)% agent="%REQ(USER-AGENT)%" path="%REQ(:PATH)%" code=%RESPONSE_CODE% '
    "flags=%RESPONSE_FLAGS% why=%RESPONSE_CODE_DETAILS% in=%BYTES_RECEIVED% out=%BYTES_SENT% took=%DURATION% "
    'do=%REQ(:METHOD)% v=%PROTOCOL% host="%REQ(:AUTHORITY)%" to=%UPSTREAM_HOST% cluster=%UPSTREAM_CLUSTER_RAW% '
    "failed=%UPSTREAM_TRANSPORT_FAILURE_REASON% sni=%REQUESTED_SERVER_NAME% chain=%FILTER_CHAIN_NAME% "
    "dst=%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%:%DOWNSTREAM_LOCAL_PORT% route=%ROUTE_NAME%",
    declared=True,
)
_NESTED: Json = {
    "t": "%START_TIME(%Y-%m-%d %H:%M:%S.%3f)%",
    "http": {
        "m": "%REQ(:METHOD)%",
        "v": "%PROTOCOL%",
        "code": "%RESPONSE_CODE%",
        "first": "%REQ(:METHOD)% %REQ(:PATH)%",
        "agent": "%REQ(USER-AGENT)%",
    },
    "f": "%RESPONSE_FLAGS%",
    "why": "%RESPONSE_CODE_DETAILS%",
    "failed": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "a": "%REQ(:AUTHORITY)%",
    "r": "%ROUTE_NAME%",
    "in": "%BYTES_RECEIVED%",
    "out": "%BYTES_SENT%",
    "u": "%UPSTREAM_HOST%",
    "c": "%UPSTREAM_CLUSTER%",
    "d": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "s": "%REQUESTED_SERVER_NAME%",
}
CUSTOM_JSON = AccessLog("custom_json", json=_NESTED, declared=True)
JSON_BY_ALIAS = AccessLog(
    "json_by_alias",
    json={
        "timestamp": "%START_TIME%",
        "request": {"method": "%REQ(:METHOD)%", "path": "%REQ(:PATH)%", "host": "%REQ(:AUTHORITY)%"},
        "protocol": "%PROTOCOL%",
        "status": "%RESPONSE_CODE%",
        "flags": "%RESPONSE_FLAGS%",
        "response_code_details": "%RESPONSE_CODE_DETAILS%",
        "failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        "userAgent": "%REQ(USER-AGENT)%",
        "upstream_addr": "%UPSTREAM_HOST%",
        "upstreamCluster": "%UPSTREAM_CLUSTER%",
        "downstream": {"local_address": "%DOWNSTREAM_LOCAL_ADDRESS%", "remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%"},
        "sni": "%REQUESTED_SERVER_NAME%",
        "route": "%ROUTE_NAME%",
    },
)

FORMATS = (
    ISTIO_TEXT,
    ISTIO_TEXT_1_9,
    ISTIO_TEXT_1_8,
    ISTIO_TEXT_1_3,
    ISTIO_TEXT_1_2,
    ISTIO_TEXT_1_1,
    ENVOY_TEXT,
    ISTIO_JSON,
    ISTIO_JSON_1_23,
    ISTIO_TEXT_OMIT_EMPTY,
    ISTIO_JSON_OMIT_EMPTY,
    CUSTOM_BARS,
    CUSTOM_PAIRS,
    CUSTOM_JSON,
    JSON_BY_ALIAS,
)


def access_logs(folder: Path) -> list[Json]:
    """Every format at once, for a connection manager or a TCP proxy."""
    return [log.config(folder) for log in (JOIN, *FORMATS)]


def no_route_logs(folder: Path) -> list[Json]:
    """The listener's own log, which only speaks where no filter chain matched.

    Source: istio/istio pilot/pkg/networking/core/accesslog.go (buildListenerAccessLogFilter).
    """
    only = {"response_flag_filter": {"flags": ["NR"]}}
    return [{**log.config(folder), "filter": only} for log in (JOIN, *FORMATS)]
