"""Write manifests as YAML: the same bytes every time, and log text quoted so that it stays text.

A writer of its own, because documents of mappings, lists and scalars need little, and thousands of them are written.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/ ")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
"""Words that some YAML reader takes for a boolean or for nothing."""


def as_yaml(document: Mapping[str, Any]) -> str:
    """One document, keys as given, two blanks of indent; lines are never folded, which would read badly in a review."""
    return "".join(f"{line}\n" for line in block_lines(document) or ["{}"])


def block_lines(value: Any, deeper: int = 2) -> list[str]:
    """A mapping or a list as lines of YAML; the items of a list stand `deeper` blanks to the right of its key."""
    lines: list[str] = []
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if is_block(inner):
                margin = " " * (2 if isinstance(inner, Mapping) else deeper)
                lines += [f"{scalar(str(key))}:", *(f"{margin}{line}" for line in block_lines(inner, deeper))]
            else:
                lines.append(f"{scalar(str(key))}: {on_one_line(inner)}")
        return lines
    for item in value:
        first, *others = block_lines(item, deeper) if is_block(item) else [on_one_line(item)]
        lines += [f"- {first}", *(f"  {line}" for line in others)]
    return lines


def is_block(value: Any) -> bool:
    """Whether a value is written on lines of its own."""
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str) and bool(value)


def on_one_line(value: Any, *, quoted: bool = False) -> str:
    """A value in braces and brackets, or a scalar; `quoted` as JSON wants it."""
    if isinstance(value, Mapping):
        pairs = (f"{scalar(str(k), quoted=quoted)}: {on_one_line(v, quoted=quoted)}" for k, v in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(on_one_line(item, quoted=quoted) for item in value) + "]"
    return scalar(value, quoted=quoted)


def scalar(value: Any, *, quoted: bool = False) -> str:
    """A scalar; text in quotes unless it is of the plainest characters and nobody reads it as something else."""
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    text = str(value)
    plain = not quoted and text[:1].isascii() and text[:1].isalpha() and _PLAIN.issuperset(text) and text[-1] != " "
    return text if plain and text.lower() not in _WORDS else in_quotes(text)


def in_quotes(text: str) -> str:
    """Text in double quotes, in ASCII; beyond the 16th bit as YAML alone reads it, for it knows no surrogates."""
    if text.isascii():
        return json.dumps(text).replace("\x7f", "\\u007f")
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    return f"\\U{ord(letter):08x}" if ord(letter) > 0xFFFF else json.dumps(letter)[1:-1].replace("\x7f", "\\u007f")
