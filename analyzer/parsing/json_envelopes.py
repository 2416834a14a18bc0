"""Envelopes that are JSON, and what a record of a shipper or a log store holds, whichever keys it chose."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from analyzer.parsing.claims import claims_of, claims_of_path, merged
from analyzer.parsing.envelopes import NOTHING, Claims, Inner, Part, known_envelopes
from analyzer.parsing.json_values import dump, lines_of, load, parsed_entry_in

_CONTENT = ("log", "message", "MESSAGE", "line", "msg", "_raw", "body")
"""Keys under which shippers keep the line as it was written."""
_OF_THE_ENVELOPE = frozenset(("kubernetes", "@timestamp", "date", "time", "stream", "logtag", "_p", "tag"))
"""Keys that a shipper sets: its times are when it read a line, and never when a request began."""
_OF_THE_FILE = frozenset(("offset", "file", "flags", "level", "logger", "syslog"))
"""Keys of the object `log` of Elastic's common schema (elastic/ecs schemas/log.yml)."""
_ACCESS_LOG = re.compile(r"\s*(?:\[\d{4}-\d\d-\d\dT|\{)")
_PATHS = (
    "log.file.path",
    "file",
    "filename",
    "source",
    "tag",
    "fluent_tag",
    "logStreamName",
    "logStream",
    "@logStream",
)
"""Keys that may hold the kubelet's path of the log, or a tag made of it."""


@dataclass(frozen=True)
class JsonEnvelope:
    """A JSON text around records; `hints` are keys of which one must be in it, `begins` what its first letter may be.

    `records` takes them out: it gets the parsed value and returns null where it is of another kind.
    """

    name: str
    reference: str
    hints: tuple[bytes, ...]
    records: Callable[[Any], Sequence[Inner] | None]
    begins: tuple[bytes, ...] = (b"{", b"[")

    def recognizes(self, line: bytes) -> bool:
        """Whether it begins and ends as JSON and has one of the keys."""
        bare = line.strip()
        if bare[:1] not in self.begins or bare[-1:] not in (b"}", b"]"):
            return False
        for hint in self.hints:  # noqa: SIM110 - a generator costs more than the search
            if hint in line:
                return True
        return False

    def peel(self, line: bytes) -> Sequence[Inner] | None:
        """The records inside."""
        value = load(line)
        return self.records(value) if isinstance(value, (dict, list)) else None


@lru_cache(maxsize=1024)
def may_hold_records(names: tuple[str, ...]) -> bool:
    """Whether an object with these keys, dots between those of one object and of the next, may be in an envelope."""
    text = "".join(f'"{word}"' for name in names for word in name.split(".")).encode("utf-8", "replace")
    return any(
        hint in text
        for envelope in known_envelopes().values()
        if not isinstance(envelope, JsonEnvelope) or b"{" in envelope.begins
        for hint in (envelope.hints if isinstance(envelope, JsonEnvelope) else (b'"log"',))
    )


def records_of(record: Mapping[str, Any], outer: Claims = NOTHING) -> list[Inner]:
    """What one record holds: the line as it was written, or the object that a shipper parsed it into.

    The written line is preferred, since whoever parsed it may have been fooled by it. A record with neither is
    handed on whole, for a format that knows its keys.
    """
    known = claims_of_record(record)
    if outer:
        known = merged(outer, known)
    written = _written(record)
    if isinstance(written, str) and not _ACCESS_LOG.match(written):
        parsed = parsed_entry_in(record)
        written = written if parsed is None else parsed
    elif written is None:
        written = parsed_entry_in(record) or {key: record[key] for key in record if key not in _OF_THE_ENVELOPE}
    return [Inner(line, known, *_part(record)) for line in lines_of(written)] or [Inner(b"", known)]


def _written(record: Mapping[str, Any]) -> Any:
    """The line that a record holds, or the object that it became; null where there is neither.

    Elastic's common schema has an object `log` beside the line, which says from where it was read.
    """
    found = [record[key] for key in _CONTENT if isinstance(record.get(key), (str, dict))]
    if len(found) > 1 and isinstance(found[0], dict) and not found[0].keys() - _OF_THE_FILE:
        return found[1]
    return found[0] if found else None


def claims_of_record(record: Mapping[str, Any]) -> Claims:
    """Who wrote a record, by its metadata or by the path of the file it was read from."""
    known = claims_of(record)
    if "source_pod" in known:
        return known
    for key in _PATHS:
        path = _at(record, key)
        if isinstance(path, str) and (said := claims_of_path(path)):
            return merged(known, said)
    return known


def has_writer(record: Mapping[str, Any]) -> bool:
    """Whether a record carries a shipper's metadata of Kubernetes."""
    return isinstance(record.get("kubernetes"), dict) or any(
        str(key).startswith(("kubernetes.", "kubernetes_", "k8s.", "k8s_")) for key in record
    )


def inners(content: Any, known: Claims = NOTHING) -> list[Inner]:
    """The lines of a content, all of one writer; one blank one where there is none, so that the record is counted."""
    return [Inner(line, known) for line in lines_of(content)] or [Inner(b"", known)]


def objects_in(values: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list; what else stands in it becomes an object that no format reads."""
    for value in values if isinstance(values, list) else ():
        yield value if isinstance(value, dict) else {"not an object": dump(value).decode("utf-8", "replace")}


def _part(record: Mapping[str, Any]) -> tuple[str, Part]:
    """Whether a record holds a part of a line: CRI's tag as Fluent Bit keeps it, or the mark of Docker's driver.

    Sources: fluent/fluent-bit conf/parsers.conf (cri) and src/multiline/flb_ml_parser_cri.c (`_p`); moby/moby
    daemon/logger/fluentd/fluentd.go (`partial_message`).
    """
    tag = record.get("logtag", record.get("_p"))
    if tag in ("P", "F"):
        return str(record.get("stream") or "stdout"), Part.GOES_ON if tag == "P" else Part.WHOLE
    if record.get("partial_message") == "true":
        last = record.get("partial_last") == "true"
        return str(record.get("partial_id", "partial")), Part.WHOLE if last else Part.GOES_ON
    return "", Part.WHOLE


def _at(record: Mapping[str, Any], key: str) -> Any:
    """A value under a key, or under its words one inside the other."""
    if key in record:
        return record[key]
    value: Any = record
    for word in key.split("."):
        value = value.get(word) if isinstance(value, dict) else None
    return value
