"""Make text that somebody else wrote safe to show: in a terminal, in a spreadsheet."""

import re

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


def printable(text: str) -> str:
    """Text with every control, direction and invisible character written out, so that a terminal obeys none."""
    return _INVISIBLE.sub(lambda match: _written_out(match[0]), text.replace("\t", " "))


def spreadsheet_cell(text: str) -> str:
    """Text that a spreadsheet takes for text: a leading `'` where it would see a formula."""
    clean = printable(text)
    return f"'{clean}" if clean.startswith(_FORMULA) or text.startswith(_FORMULA) else clean


def _written_out(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
