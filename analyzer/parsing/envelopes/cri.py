"""CRI container logs, as the kubelet's runtimes write them: time, stream, and F for a whole line or P for a part."""

import re

from analyzer.parsing.prefixes import Prefix

ENVELOPE = Prefix(
    name="cri",
    reference="kubernetes/design-proposals-archive node/kubelet-cri-logging.md",
    shape=re.compile(
        rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) "
        rb"(?P<stream>stdout|stderr) (?:(?P<part>P)|F)(?::[^ \n]*)? "
    ),
    mark=lambda line: b" std" in line[:40],
)
