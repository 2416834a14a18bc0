"""`logcli query`, default output: a time, the stream's labels as far as they differ, then the line.

Values of labels are quoted as Go quotes strings. Colours are taken off what logcli wrote, never off the line.
"""

import re

from analyzer.parsing.claims import claims_of
from analyzer.parsing.envelopes import Claims
from analyzer.parsing.prefixes import Prefix

_COLOUR = rb"(?:\x1b\[[0-9;]*m)*"
_PAIR = rb'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\.)*"'
_ONE = re.compile(rb'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\.)*)"')


def _claims(match: re.Match[bytes]) -> Claims:
    """None where the labels were left out (`--no-labels`)."""
    if match["who"] is None:
        return {}
    return claims_of({name.decode(): value.decode("utf-8", "replace") for name, value in _ONE.findall(match["who"])})


ENVELOPE = Prefix(
    name="loki_logcli",
    reference="grafana/loki pkg/logcli/output/default.go",
    shape=re.compile(
        _COLOUR + rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?P<fraction>\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)" + _COLOUR + rb" "
        rb"(?:" + _COLOUR + rb"(?P<who>\{(?:" + _PAIR + rb"(?:, " + _PAIR + rb")*)?\}) *" + _COLOUR + rb" (?=\S)"
        rb"|(?(fraction)(?!)|(?=[\[{])))"
    ),
    mark=lambda line: line[:2] == b"20" or line[:2] == b"\x1b[",
    claims=_claims,
)  # fmt: skip
