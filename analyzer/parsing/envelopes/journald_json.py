"""systemd's journal as `journalctl -o json` prints it; under Docker's driver the container's name holds the pod's."""

from collections.abc import Sequence
from typing import Any

from analyzer.parsing.claims import claims_of
from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_envelopes import JsonEnvelope, inners

_PROOF = ("__REALTIME_TIMESTAMP", "__CURSOR", "_HOSTNAME", "_BOOT_ID")


def _records(record: Any) -> Sequence[Inner] | None:
    if not isinstance(record, dict) or "MESSAGE" not in record or not any(key in record for key in _PROOF):
        return None
    name = record.get("CONTAINER_NAME")
    known = claims_of({"container_name": name}) if isinstance(name, str) else {}
    return inners(_text(record["MESSAGE"]), known)


def _text(message: Any) -> Any:
    """The message; one that is not UTF-8 stands as an array of its bytes."""
    if not isinstance(message, list):
        return message
    try:
        return bytes(message).decode("latin-1")
    except (TypeError, ValueError):
        return None


ENVELOPE = JsonEnvelope(
    name="journald_json",
    reference="systemd/systemd docs/JOURNAL_EXPORT_FORMATS.md; moby/moby daemon/logger/journald/journald.go",
    hints=(b'"MESSAGE"',),
    records=_records,
)
