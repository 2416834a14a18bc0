"""Docker's json-file log driver: one object a line with the text under `log`.

The text ends in its own newline, except where Docker cut a line after 16 KiB and the next record goes on with it
(moby/moby daemon/logger/copier.go).
"""

from collections.abc import Sequence

from analyzer.parsing.claims import claims_of
from analyzer.parsing.envelopes import Inner, Part
from analyzer.parsing.json_values import load_object

_CUT_AT = 16 << 10
_KEYS = {"log", "stream", "time", "attrs"}


class DockerJson:
    """The object holds nothing else but the stream, the time and chosen labels of the container."""

    name = "docker_json"
    reference = "moby/moby daemon/logger/jsonfilelog/jsonlog/jsonlog.go"

    def recognizes(self, line: bytes) -> bool:
        """Docker writes the keys in one order."""
        return line.startswith((b'{"log":', b'{"log" :')) and b'"kubernetes"' not in line

    def peel(self, line: bytes) -> Sequence[Inner] | None:
        """Take the text out of the object."""
        record = load_object(line)
        if record is None or not record.keys() <= _KEYS or not isinstance(record.get("log"), str):
            return None
        if "time" not in record and "stream" not in record:
            return None
        text = record["log"].encode("utf-8", "surrogatepass")
        attributes = record.get("attrs")
        claimed = claims_of(attributes) if isinstance(attributes, dict) else {}
        stream = "stderr" if record.get("stream") == "stderr" else "stdout"
        whole = text.removesuffix(b"\n")
        if b"\n" in whole:
            return [Inner(piece, claimed) for piece in whole.split(b"\n") if piece.strip()]
        if whole != text:
            return [Inner(whole, claimed, stream)]
        return [Inner(text, claimed, stream, Part.GOES_ON if len(text) >= _CUT_AT else Part.MAY_GO_ON)]


ENVELOPE = DockerJson()
