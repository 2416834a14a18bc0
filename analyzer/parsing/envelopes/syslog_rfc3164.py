"""BSD syslog, on the wire with its priority and in a file without; a newer rsyslog's file has an ISO time.

Host and program name a node or a relay, not a pod, so they are no labels.
"""

import re

from analyzer.parsing.prefixes import Prefix

ENVELOPE = Prefix(
    name="syslog_rfc3164",
    reference="RFC 3164 section 4.1; rsyslog/rsyslog tools/syslogd.c, RSYSLOG_FileFormat",
    shape=re.compile(
        rb"(?:<\d{1,3}>)?(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d"
        rb"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d))"
        rb" [!-~]{1,255} [A-Za-z0-9_./()@-]{1,64}(?:\[[^\]\s]{1,32}\])?: ?(?=\S)"
    ),
    mark=lambda line: line[:1] in b"<JFMASOND2" and b": " in line[:500],
)
