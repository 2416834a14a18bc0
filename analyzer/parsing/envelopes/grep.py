"""What grep and ripgrep write before a line: the file, the number of the line, or both.

The file's name says who wrote the line where it is the kubelet's. Source: GNU grep manual, "Output Line Prefix Control".
"""

import re

from analyzer.parsing.claims import claims_of_path
from analyzer.parsing.envelopes import Claims
from analyzer.parsing.prefixes import Prefix


def _claims(match: re.Match[bytes]) -> Claims:
    return claims_of_path(match["who"].decode("ascii", "replace").rpartition("/")[2]) if match["who"] else {}


ENVELOPE = Prefix(
    name="grep",
    reference="GNU grep manual, Output Line Prefix Control",
    shape=re.compile(rb'(?:(?P<who>(?!\d+:)[^\s:"\[{]+):)?(?:\d+:)?(?<=:)(?=\[\d{4}-\d\d-\d\dT[^\]]*\] "|\{")'),
    mark=lambda line: line[:1] not in b'[{"<' and (b":[2" in line[:600] or b':{"' in line[:600]),
    claims=_claims,
)
