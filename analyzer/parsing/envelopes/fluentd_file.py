"""Fluentd's `out_file` (time, tag and the record as JSON, with tabs between them) and `out_stdout` (with blanks)."""

import re

from analyzer.parsing.claims import claims_of_path
from analyzer.parsing.envelopes import Claims
from analyzer.parsing.prefixes import Prefix


def _claims(match: re.Match[bytes]) -> Claims:
    """A tag is as a rule made of the path of the container's log."""
    return claims_of_path(match["tag"].decode("ascii", "replace"))


ENVELOPE = Prefix(
    name="fluentd_file",
    reference="fluent/fluentd lib/fluent/plugin/formatter_out_file.rb, formatter_stdout.rb",
    shape=re.compile(
        rb"\d{4}-\d\d-\d\d(?:T[^\t ]+\t| \d\d:\d\d:\d\d(?:\.\d+)? [+-]\d{4} )"
        rb"(?P<who>(?P<tag>[^\t ]+))(?:\t|: )(?=\{)"
    ),
    mark=lambda line: line[:2] == b"20" and (b"\t{" in line[:600] or b": {" in line[:600]),
    claims=_claims,
    begins=(b"", b"\t"),
)
