"""CloudWatch Logs as text: an export to S3 (time, blank, message) and `aws logs tail` (time, stream, message)."""

import re

from analyzer.parsing.claims import claims_of_path
from analyzer.parsing.envelopes import Claims
from analyzer.parsing.prefixes import Prefix

_OF_OTHERS = rb"std(?:out|err) [PF]|\{\}|\{[a-zA-Z_]\w*=|\S+ [A-Za-z0-9_./()@-]+(?:\[\w+\])?: "
"""How a runtime, logcli and syslog go on behind such a time."""


def _claims(match: re.Match[bytes]) -> Claims:
    return claims_of_path(match["stream_name"].decode("ascii")) if match["stream_name"] else {}


ENVELOPE = Prefix(
    name="cloudwatch_text",
    reference="Amazon CloudWatch Logs User Guide, S3ExportTasks; aws/aws-cli awscli/customizations/logs/tail.py",
    shape=re.compile(
        rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3}Z (?!" + _OF_OTHERS + rb")(?=\S)"
        rb"|\.\d{6}\+00:00 (?P<who>(?P<stream_name>[!-~]{1,512})) (?=[\[{<]))"
    ),
    mark=lambda line: line[:2] == b"20" and line[19:20] == b"." and (line[23:25] == b"Z " or line[26:33] == b"+00:00 "),
    claims=_claims,
)
