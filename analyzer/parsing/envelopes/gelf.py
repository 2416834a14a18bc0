"""GELF, Graylog's extended log format, as JSON: the line under `short_message`, what a shipper adds under `_` keys.

Docker's `gelf` driver and the GELF outputs of Fluent Bit, Fluentd, Logstash and Vector write it. The short message may
be cut, so the full one is read where there is one. Sources: Graylog docs, "GELF Payload Specification"; fluent/fluent-bit
src/flb_pack_gelf.c (objects become keys joined by `_`); moby/moby daemon/logger/gelf/gelf.go.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_envelopes import JsonEnvelope, records_of


def _records(value: Any) -> Sequence[Inner] | None:
    if not isinstance(value, Mapping) or "version" not in value or not isinstance(value.get("short_message"), str):
        return None
    added = {str(key)[1:]: content for key, content in value.items() if str(key).startswith("_")}
    full = value.get("full_message")
    line = full if isinstance(full, str) and full.strip() else value["short_message"]
    return records_of(added | {"log": line})


ENVELOPE = JsonEnvelope(
    name="gelf",
    reference="Graylog docs, GELF Payload Specification; fluent/fluent-bit src/flb_pack_gelf.c",
    hints=(b'"short_message"',),
    records=_records,
    begins=(b"{",),
)
