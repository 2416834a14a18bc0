"""Syslog of RFC 5424: priority, version, time, host, application, process, message id, structured data, then the line.

A relay over TCP may put the length before it (RFC 6587); a byte order mark before the line is taken off.
"""

import re

from analyzer.parsing.claims import claims_of
from analyzer.parsing.envelopes import Claims
from analyzer.parsing.prefixes import Prefix

_PARAMETER = rb'[!#-<>-\\^-~]{1,32}="(?:[^"\\\]\n]|\\.)*"'
_ONE = re.compile(rb'([!#-<>-\\^-~]{1,32})="((?:[^"\\\]\n]|\\.)*)"')


def _claims(match: re.Match[bytes]) -> Claims:
    """Shippers put the pod's metadata into structured data under their own ids; only plain keys are read."""
    pairs = _ONE.findall(match["who"])
    return claims_of({name.decode("ascii"): value.decode("utf-8", "replace") for name, value in pairs})


ENVELOPE = Prefix(
    name="syslog_rfc5424",
    reference="RFC 5424 section 6; RFC 6587 section 3.4.1",
    shape=re.compile(
        rb"(?:\d{1,6} )?<\d{1,3}>\d{1,2} (?:-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d))"
        rb" [!-~]{1,255} [!-~]{1,48} [!-~]{1,128} [!-~]{1,32}"
        rb" (?P<who>-|(?:\[[!#-<>-\\^-~]{1,32}(?: " + _PARAMETER + rb")*\])+) (?:\xef\xbb\xbf)?(?=\S)"
    ),
    mark=lambda line: b"<" in line[:8] and b">" in line[:12],
    claims=_claims,
)  # fmt: skip
