"""stern's default output: pod and container, then the line."""

import re
from collections.abc import Mapping

_SHAPE = re.compile(rb"(?P<pod>[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?) istio-proxy (?=[\[{\"])")


class Stern:
    """Only lines of the proxy's own container are taken, so that an application's log is not mistaken for one."""

    name = "stern"
    reference = "stern/stern cmd/cmd.go, the default template"

    def recognizes(self, line: bytes) -> bool:
        """The container's name stands near the beginning."""
        return b" istio-proxy " in line[:320]

    def peel(self, line: bytes) -> tuple[bytes, Mapping[str, str]] | None:
        """Take both names off and keep the pod's."""
        match = _SHAPE.match(line)
        return None if match is None else (line[match.end() :], {"source_pod": match["pod"].decode("ascii")})


ENVELOPE = Stern()
