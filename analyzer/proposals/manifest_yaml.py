"""Write manifests as YAML: the same bytes every time, and log text quoted so that it stays text."""

import io
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/ ")
_LINE = 1 << 20
"""Lines are never folded: a folded annotation reads badly in a review."""


def as_yaml(document: dict[str, Any]) -> str:
    """One document, keys as given, two blanks of indent."""
    out = io.StringIO()
    _writer().dump(_quoted(document), out)
    return out.getvalue()


@lru_cache(maxsize=1)
def _writer() -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = _LINE
    yaml.allow_unicode = False
    return yaml


def _quoted(value: Any) -> Any:
    """Quote every text that holds more than the plainest characters, or that YAML might read as something else."""
    if isinstance(value, dict):
        return {key: _quoted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_quoted(item) for item in value]
    if isinstance(value, str):
        plain = bool(value) and set(value) <= _PLAIN and value == value.strip() and value[0].isalpha()
        return value if plain and not _is_word(value) else DoubleQuotedScalarString(value)
    return value


def _is_word(text: str) -> bool:
    """Words that some YAML reader takes for a boolean or for nothing."""
    return text.lower() in {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
