"""stern's default output: pod and container, then the line.

Only lines of the proxy's own container are taken, so that an application's log is not mistaken for one. The
namespace stands first where several are followed; without a pod's generated name behind it, that reading is not
taken, because an application could print the rest of such a prefix. Colours are taken off the names only: no
access log begins with one.
"""

import re

from analyzer.parsing.claims import PROXY_CONTAINER, claims
from analyzer.parsing.envelopes import Claims
from analyzer.parsing.prefixes import Prefix
from analyzer.sources import workload_of

_COLOUR = rb"(?:\x1b\[[0-9;]*m)*"
_BLANK = _COLOUR + rb" " + _COLOUR
_NAME = rb"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?"


def _claims(match: re.Match[bytes]) -> Claims:
    namespace, pod = match["namespace"], match["pod"].decode("ascii")
    return claims(
        source_namespace=namespace.decode("ascii") if namespace else None,
        source_pod=pod,
        container=PROXY_CONTAINER if not namespace or workload_of(pod) else "unknown",
    )


ENVELOPE = Prefix(
    name="stern",
    reference="stern/stern cmd/cmd.go, the default template",
    shape=re.compile(
        rb"(?P<who>" + _COLOUR + rb"(?:(?P<namespace>[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)" + _BLANK + rb")?"
        rb"(?P<pod>" + _NAME + rb")" + _BLANK + rb"istio-proxy" + _COLOUR + rb") "
    ),
    mark=lambda line: b"istio-proxy" in line[:360] and line[:1] not in b'[{"<',
    claims=_claims,
)  # fmt: skip
