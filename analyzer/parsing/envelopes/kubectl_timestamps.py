"""`kubectl logs --timestamps`: a time of the container runtime before each line.

Nine digits of a second tell it from a line of Envoy's own, which has a tab behind its six; fewer, as scripts write
them, only before a line that begins as an access log does. The time never replaces start_time.
"""

import re

from analyzer.parsing.prefixes import Prefix

ENVELOPE = Prefix(
    name="kubectl_timestamps",
    reference="kubernetes/kubernetes pkg/kubelet/kuberuntime/logs/logs.go, timeFormatOut",
    shape=re.compile(
        rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(?:\d{4,6}(?:Z|[+-]\d\d:\d\d) (?=[\[{])|\d{7,9}(?:Z|[+-]\d\d:\d\d) )(?!std(?:out|err) [PF]|\{\}|\{[a-zA-Z_]\w*=)(?=[^ \t])"
    ),
    mark=lambda line: line[:2] == b"20" and line[10:11] == b"T" and b" " in line[24:37],
)
