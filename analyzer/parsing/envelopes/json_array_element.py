"""One element a line of a JSON array that is longer than what is read at once: an object and the comma behind it."""

from collections.abc import Sequence

from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_values import load_object


class JsonArrayElement:
    """The array's brackets stand on lines of their own, which hold no record."""

    name = "json_array_element"
    reference = "RFC 8259, section 5"
    begins = (b"{",)

    def recognizes(self, line: bytes) -> bool:
        """An object, then a comma, then nothing."""
        return line.endswith((b"},", b"},\r", b"}, ")) and line.lstrip().startswith(b"{")

    def peel(self, line: bytes) -> Sequence[Inner] | None:
        """Take the comma off."""
        element = line.strip().removesuffix(b",")
        return None if load_object(element) is None else [Inner(element)]


ENVELOPE = JsonArrayElement()
