"""A line as a JSON string by itself, as `jq .log` prints it without `-r`.

Source: jq manual, "Invoking jq" (--raw-output).
"""

from collections.abc import Sequence

from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_envelopes import inners
from analyzer.parsing.json_values import load


class JsonText:
    """Only what begins as an access log does inside of the quotes."""

    name = "json_text"
    reference = "jq manual, Invoking jq, --raw-output"
    begins = (b"",)

    def recognizes(self, line: bytes) -> bool:
        """Quotes round the beginning of an access log."""
        return line.startswith((b'"[20', b'"{\\"')) and line.rstrip().endswith(b'"')

    def peel(self, line: bytes) -> Sequence[Inner] | None:
        """Take the text out."""
        text = load(line)
        return inners(text) if isinstance(text, str) else None


ENVELOPE = JsonText()
