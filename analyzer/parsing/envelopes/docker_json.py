"""Docker's json-file log driver: one object a line with the text under `log`.

The text ends in its own newline, except where Docker cut a line after 16 KiB and the next record goes on with it
(moby/moby daemon/logger/copier.go).
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as arrow_json

from analyzer.parsing.claims import claims_of
from analyzer.parsing.envelopes import Inner, Part
from analyzer.parsing.json_values import load_object

_SCHEMA = pa.schema([("log", pa.string()), ("stream", pa.string()), ("time", pa.string())])
_CUT_AT = 16 << 10
_KEYS = {"log", "stream", "time", "attrs"}


class DockerJson:
    """The object holds nothing else but the stream, the time and chosen labels of the container."""

    name = "docker_json"
    reference = "moby/moby daemon/logger/jsonfilelog/jsonlog/jsonlog.go"
    begins = (b"{",)

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

    def peel_block(self, data: bytes) -> bytes | None:
        """The lines of a block at once, or null where one of its records is not one whole line."""
        try:
            table = arrow_json.read_json(
                pa.BufferReader(data),
                read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(data) + 1),
                parse_options=arrow_json.ParseOptions(explicit_schema=_SCHEMA, unexpected_field_behavior="error"),
            )
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return None
        texts, written = table["log"].combine_chunks(), table["time"].null_count == 0
        if not written or texts.null_count or len(texts) != data.count(b"\n") + (not data.endswith(b"\n")):
            return None
        letters = texts.buffers()[2].to_pybytes()[: pc.sum(pc.binary_length(texts)).as_py()]
        whole = letters.count(b"\n") == len(texts) and b"\n\n" not in letters and not letters.startswith(b"\n")
        return letters if whole and pc.all(pc.ends_with(texts, "\n")).as_py() else None


ENVELOPE = DockerJson()
