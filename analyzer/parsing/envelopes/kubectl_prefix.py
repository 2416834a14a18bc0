"""`kubectl logs --prefix`: the pod and the container in brackets before each line."""

import re
from collections.abc import Mapping

_SHAPE = re.compile(rb"\[pod/(?P<pod>[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)/[a-z0-9-]+\] ")


class KubectlPrefix:
    """The prefix names the pod but not its namespace."""

    name = "kubectl_prefix"
    reference = "kubernetes/kubectl pkg/cmd/logs/logs.go"

    def recognizes(self, line: bytes) -> bool:
        """The bracket is followed by `pod/`."""
        return line.startswith(b"[pod/")

    def peel(self, line: bytes) -> tuple[bytes, Mapping[str, str]] | None:
        """Take the prefix off and keep the pod's name."""
        match = _SHAPE.match(line)
        return None if match is None else (line[match.end() :], {"source_pod": match["pod"].decode("ascii")})


ENVELOPE = KubectlPrefix()
