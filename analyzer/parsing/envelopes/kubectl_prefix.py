"""`kubectl logs --prefix`: the pod and the container in brackets before each line."""

import re

from analyzer.parsing.claims import claims
from analyzer.parsing.envelopes import Claims
from analyzer.parsing.prefixes import Prefix


def _claims(match: re.Match[bytes]) -> Claims:
    """The prefix names the pod but not its namespace."""
    return claims(source_pod=match["pod"].decode("ascii"), container=match["container"].decode("ascii"))


ENVELOPE = Prefix(
    name="kubectl_prefix",
    reference="kubernetes/kubectl pkg/cmd/logs/logs.go",
    shape=re.compile(
        rb"(?P<who>\[pod/(?P<pod>[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)/(?P<container>[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\]) "
    ),
    mark=lambda line: line.startswith(b"[pod/"),
    claims=_claims,
    begins=(b"[",),
)
