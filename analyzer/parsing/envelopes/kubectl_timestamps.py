"""`kubectl logs --timestamps`: a time of the container runtime before each line."""

import re
from collections.abc import Mapping

_SHAPE = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7,9}(?:Z|[+-]\d\d:\d\d) (?=[\[{\"])")


class KubectlTimestamps:
    """Nanoseconds tell it from a line of Envoy's own, which has a tab behind its time; it never replaces start_time."""

    name = "kubectl_timestamps"
    reference = "kubernetes/kubectl pkg/cmd/logs/logs.go"

    def recognizes(self, line: bytes) -> bool:
        """A digit first, and an access log's first letter behind the blank."""
        return line[:2] == b"20" and line[10:11] == b"T"

    def peel(self, line: bytes) -> tuple[bytes, Mapping[str, str]] | None:
        """Take the time off."""
        match = _SHAPE.match(line)
        return None if match is None else (line[match.end() :], {})


ENVELOPE = KubectlTimestamps()
