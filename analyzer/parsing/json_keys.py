"""Which key of a JSON object is which field: Istio's own keys, and the names that people give them.

A name alone proves nothing, so a value is taken under another key only where it also looks like one of the field's.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from analyzer.parsing.objects import as_text
from analyzer.parsing.parsed import MISSING
from analyzer.parsing.start_times import time_reader
from analyzer.vocabulary import ACCESS_LOG_FIELDS, SOURCE_FIELDS

_DEEPEST = 4
_MOST_KEYS = 512

_ADDRESS = r"(?:[a-z]+://)?(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.%a-z]+\]):\d{1,5}"
_DIGITS = r"\d{1,18}"
_ANYTHING = r".+"


class _Alias(NamedTuple):
    """The names that a field goes by and the shape of its values."""

    shape: str
    names: tuple[str, ...]


ALIASES: dict[str, _Alias] = {
    "start_time": _Alias(
        r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d.*|\d{10}(?:\.\d+)?|\d{13}",
        ("start_time", "timestamp", "@timestamp", "time", "ts", "datetime", "date", "request_start", "start"),
    ),
    "method": _Alias(r"[A-Z]{3,20}", ("method", "request_method", "http_method", "req_method", "verb")),
    "path": _Alias(
        r"/.*|\*",
        ("path", "request_path", "req_path", "http_path", "uri", "request_uri", "url_path", "original_path", "url"),
    ),
    "protocol": _Alias(r"HTTP/[0-9.]+", ("protocol", "http_version", "http_protocol", "request_protocol", "proto")),
    "response_code": _Alias(
        r"\d{1,3}",
        ("response_code", "status_code", "status", "http_status", "response_status", "http_status_code", "code"),
    ),
    "response_flags": _Alias(r"[A-Za-z0-9]+(?:,[A-Za-z0-9]+)*", ("response_flags", "response_flag", "flags")),
    "response_code_details": _Alias(
        _ANYTHING, ("response_code_details", "response_details", "code_details", "resp_code_details", "details")
    ),
    "connection_termination_details": _Alias(
        _ANYTHING, ("connection_termination_details", "termination_details", "conn_termination_details")
    ),
    "upstream_transport_failure_reason": _Alias(
        _ANYTHING,
        (
            "upstream_transport_failure_reason",
            "upstream_failure_reason",
            "transport_failure_reason",
            "upstream_transport_failure",
        ),
    ),
    "bytes_received": _Alias(
        _DIGITS, ("bytes_received", "received_bytes", "bytes_in", "bytes_recv", "rx_bytes", "request_bytes")
    ),
    "bytes_sent": _Alias(_DIGITS, ("bytes_sent", "sent_bytes", "bytes_out", "tx_bytes", "response_bytes")),
    "duration": _Alias(_DIGITS, ("duration", "duration_ms", "total_duration", "latency", "latency_ms", "elapsed_ms")),
    "upstream_service_time": _Alias(
        _DIGITS,
        ("upstream_service_time", "x_envoy_upstream_service_time", "upstream_time", "service_time", "tcp_service_time"),
    ),
    "x_forwarded_for": _Alias(_ANYTHING, ("x_forwarded_for", "forwarded_for", "xff")),
    "user_agent": _Alias(_ANYTHING, ("user_agent", "useragent", "http_user_agent", "agent", "ua")),
    "request_id": _Alias(_ANYTHING, ("request_id", "x_request_id", "requestid", "req_id")),
    "authority": _Alias(
        r'[^\s"/]+', ("authority", "request_authority", "http_authority", "host", "http_host", "request_host", "vhost")
    ),
    "upstream_host": _Alias(
        _ADDRESS,
        (
            "upstream_host",
            "upstream_service",
            "upstream_address",
            "upstream_addr",
            "upstream_remote_address",
            "upstream_remote",
            "upstream_ip",
            "upstream",
        ),
    ),
    # A cluster of Kubernetes goes by the same names, so only Envoy's own grammar and Istio's own names are taken.
    "upstream_cluster": _Alias(
        r"(?:outbound|inbound|inbound-vip)_?\|\d*\|[^\s|]*\|[^\s|]*|(?:BlackHole|(?:Inbound)?Passthrough)Cluster\w*;?",
        (
            "upstream_cluster",
            "upstream_cluster_raw",
            "upstream_cluster_name",
            "envoy_cluster",
            "cluster",
            "cluster_name",
        ),
    ),
    "upstream_local_address": _Alias(
        _ADDRESS, ("upstream_local_address", "upstream_local", "upstream_local_addr", "upstream_src")
    ),
    "downstream_local_address": _Alias(
        _ADDRESS,
        (
            "downstream_local_address",
            "downstream_local",
            "downstream_local_addr",
            "local_address",
            "destination_address",
            "original_destination",
            "original_dst",
            "destination",
            "dst_addr",
            "dst",
        ),
    ),
    "downstream_remote_address": _Alias(
        _ADDRESS,
        (
            "downstream_remote_address",
            "downstream_remote",
            "downstream_remote_addr",
            "downstream_direct_remote_address",
            "remote_address",
            "client_address",
            "source_address",
            "remote_addr",
            "client_addr",
            "src_addr",
            "src",
        ),
    ),
    "requested_server_name": _Alias(
        r"[^\s\"]+", ("requested_server_name", "requested_server", "sni", "tls_sni", "server_name", "tls_server_name")
    ),
    "route_name": _Alias(_ANYTHING, ("route_name", "route")),
    "source_cluster": _Alias(r"[A-Za-z0-9][\w.:/@-]*", ("source_cluster", "cluster_id", "istio_cluster_id")),
    "source_namespace": _Alias(
        r"[a-z0-9][a-z0-9-]{0,62}", ("source_namespace", "pod_namespace", "namespace", "kubernetes_namespace")
    ),
    "source_workload": _Alias(r"[a-z0-9][a-z0-9.-]*", ("source_workload", "workload", "workload_name")),
    "source_pod": _Alias(r"[a-z0-9][a-z0-9.-]*", ("source_pod", "pod_name", "pod", "kubernetes_pod_name")),
}
"""The names by which people log a field, most telling first, without case and with `_` for any separator."""

ENVOYS_OWN = frozenset(
    (
        "response_flags",
        "response_code_details",
        "upstream_cluster",
        "upstream_local_address",
        "downstream_local_address",
        "requested_server_name",
        "route_name",
    )
)
"""Fields that no other server logs."""
_SHAPES = {field: re.compile(alias.shape) for field, alias in ALIASES.items()}
_FIELD_OF = {name: field for field, alias in ALIASES.items() for name in alias.names}
_RANKS = {name: place for alias in ALIASES.values() for place, name in enumerate(alias.names)}
_FIELDS = frozenset(ACCESS_LOG_FIELDS)


@dataclass(frozen=True)
class Keys:
    """What the keys of an object are: the keys that may hold each field, best first, and those that hold none.

    The authority is the last of the fields, because the others tell whether there is one.
    """

    candidates: tuple[tuple[str, tuple[str, ...]], ...]
    others: tuple[str, ...]

    @cached_property
    def named(self) -> frozenset[str]:
        """The fields that some key may hold."""
        return frozenset(field for field, _ in self.candidates)

    @cached_property
    def renamed(self) -> bool:
        """Whether some field stands under a key that is not Istio's."""
        return any(keys != (field,) for field, keys in self.candidates)


def flattened(content: Mapping[str, Any]) -> dict[str, Any]:
    """An object without objects in it: the keys of one level and the next joined by dots."""
    flat: dict[str, Any] = {}
    _flatten(content, "", _DEEPEST, flat)
    return flat


def _flatten(content: Mapping[str, Any], before: str, levels: int, flat: dict[str, Any]) -> None:
    for key, value in content.items():
        if value and levels > 1 and isinstance(value, dict):
            _flatten(value, f"{before}{key}.", levels - 1, flat)
        elif len(flat) >= _MOST_KEYS:
            return
        else:
            flat.setdefault(before + key, value)


@lru_cache(maxsize=256)
def keys_of(names: tuple[str, ...]) -> Keys:
    """Look at the keys of a flat object; objects of one format have the same ones."""
    found: dict[str, list[tuple[int, str]]] = {}
    others: list[str] = []
    for name in names:
        if name in _FIELDS:
            found.setdefault(name, []).append((-1, name))
            continue
        known = next((known for known in _spellings(name) if known in _FIELD_OF), None)
        if known is None:
            others.append(name)
        else:
            found.setdefault(_FIELD_OF[known], []).append((_RANKS[known], name))
    candidates = []
    for field, ranked in sorted(found.items(), key=lambda item: (item[0] == "authority", item[0])):
        if (-1, field) in ranked:  # Istio's own key leaves no room for guesses
            others += [name for _, name in ranked if name != field]
            ranked = [(-1, field)]
        candidates.append((field, tuple(name for _, name in sorted(ranked))))
    return Keys(tuple(candidates), tuple(others))


def _spellings(name: str) -> Iterator[str]:
    """A key as one word chain: whole, and without the objects that it stands in."""
    whole = _snake(name)
    yield whole
    if "." in name:
        inner = _snake(name.rpartition(".")[2])
        yield inner
        # `request.method`, `upstream.cluster`: the object's name belongs to the field's.
        yield "_".join(_snake(part) for part in name.split(".")[-2:])


def _snake(text: str) -> str:
    return re.sub(r"[\s.\-]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)).lower().lstrip("_")


def values_of(flat: Mapping[str, Any], keys: Keys) -> tuple[dict[str, str], dict[str, Any], list[tuple[str, str]]]:
    """Fields, the rest, and which key was taken for which field where the key is not Istio's own."""
    values: dict[str, str] = {}
    rest = {name: flat[name] for name in keys.others}
    took: list[tuple[str, str]] = []
    for field, names in keys.candidates:
        for name in names:
            value = flat[name]
            text = value if type(value) is str else as_text(value)
            if text is None or text in MISSING:
                if text is None:
                    rest[name] = value
                continue
            if name != field and (field in values or not _fits(field, text, values)):
                rest[name] = value
                continue
            values[field] = text
            if name != field:
                took.append((name, field))
    return values, rest, took


def _fits(field: str, text: str, values: Mapping[str, str]) -> bool:
    """Whether a value may be the field's. The `host` of a connection without HTTP is a machine that shipped the log."""
    if field == "authority" and not values.keys() & {"method", "protocol"}:
        return False
    return _SHAPES[field].fullmatch(text) is not None


def start_of(text: str) -> str | None:
    """A start time in any of the forms that ISO 8601, seconds and milliseconds since 1970 give it."""
    if _PLAIN_TIME.fullmatch(text):
        return text
    if text.isascii() and text.replace(".", "", 1).isdigit():
        seconds = text if len(text.partition(".")[0]) < 12 else f"{text[:-3]}.{text[-3:]}"
        whole, _, fraction = seconds.partition(".")
        return time_reader("%s.%E*f")(f"{whole}.{(fraction or '0')[:9]}")
    return time_reader("%Y-%m-%dT%H:%M:%E*S%Ez")(_iso(text))


def _iso(text: str) -> str:
    text = text.replace(" ", "T", 1).replace(",", ".").strip()
    return text if re.search(r"(?:Z|[+-]\d\d:?\d\d)$", text) else f"{text}Z"


_PLAIN_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z")
FIELDS = frozenset((*ACCESS_LOG_FIELDS, *SOURCE_FIELDS))
