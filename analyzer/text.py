"""Make text that somebody else wrote safe to show: in a terminal, in a spreadsheet."""

import re

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a formula begins; in the full width too, which some spreadsheets read alike (OWASP, CSV Injection)."""
_INVISIBLE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f"
    "\u205f-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
"""Control, direction and format characters, fillers, variation selectors, tags, and halves of surrogate pairs."""


_COMMAND = re.compile(r"(?<=#)#(?=\[)|(?<!\S):(?=:[A-Za-z-]*[G-Zg-z-])")
"""How a command to GitHub's runner begins, which obeys what a step prints; no IPv6 address does (actions/runner
src/Runner.Common/ActionCommand.cs)."""


def printable(text: str) -> str:
    """Text with every control, direction and invisible character written out, so that a terminal obeys none; and
    nothing that a build's runner takes for a command."""
    plain = _INVISIBLE.sub(lambda match: _written_out(match[0]), text.replace("\t", " "))
    return _COMMAND.sub(lambda match: _written_out(match[0]), plain) if "::" in plain or "##[" in plain else plain


def encodable(text: str) -> str:
    """Text that UTF-8 can hold: half a surrogate pair, as JSON can spell and odd file names bring, is written out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def spreadsheet_cell(text: str) -> str:
    """Text that a spreadsheet takes for text: a leading `'` where it would see a formula."""
    clean = printable(text)
    return f"'{clean}" if clean.lstrip(' "').startswith(_FORMULA) or text.startswith(("\t", "\r")) else clean


def _written_out(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
