"""Fluent Bit's `file` output: `tag: [time, {record}]`."""

import re
from collections.abc import Sequence

from analyzer.parsing.claims import claims_of_path
from analyzer.parsing.envelopes import Inner

_SHAPE = re.compile(rb"(?P<tag>[^\s:\[{]+): \[(?:\d+\.\d+|\[\d+\.\d+, \{[^{}]*\}\]), (?P<record>\{.*\})\]")


class FluentBitFile:
    """The tag is as a rule made of the path of the container's log."""

    name = "fluent_bit_file"
    reference = "fluent/fluent-bit-docs pipeline/outputs/file.md"
    begins = (b"",)

    def recognizes(self, line: bytes) -> bool:
        """An array of a number and an object behind the tag."""
        return line.rstrip().endswith(b"}]") and b": [" in line[:600] and line[:1] not in b"[{"

    def peel(self, line: bytes) -> Sequence[Inner] | None:
        """Take the record out."""
        match = _SHAPE.fullmatch(line.rstrip())
        if match is None:
            return None
        return [Inner(match["record"], claims_of_path(match["tag"].decode("ascii", "replace")))]


ENVELOPE = FluentBitFile()
