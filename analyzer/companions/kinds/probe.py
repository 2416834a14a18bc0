"""The probe kit: a POSIX shell script of checks to run after the manifests are applied.

It calls from inside the workloads, because the proxy's own container is not captured (it runs as user 1337). Every
text of the log is checked against what Kubernetes and DNS allow before it is written, and quoted.
"""

import shlex
from collections.abc import Iterator
from itertools import groupby

from analyzer.companions.companion import CompanionFile, Companions, Situation, Use
from analyzer.mesh.names import covers, is_dns1123_label, is_dns1123_subdomain, is_valid_host
from analyzer.settings import plain_address
from analyzer.vocabulary import MANAGED_BY, ApplicationProtocol

_HEAD = """#!/bin/sh
# Proposed by {tool}: checks that registered destinations answer and that others are refused.
# Run it after the manifests are applied, against the cluster that kubectl points at; it changes nothing there.
#   sh probe.sh              all checks; exit status 1 where one fails
#   PROBE_CONTAINER=web      container to call from (default: the pod's own default)
#   PROBE_TIMEOUT=5          seconds a call may take
#   KUBECTL='kubectl --context prod'
# The containers need curl. A check that cannot be made counts as skipped, not as passed.
set -u
KUBECTL=${{KUBECTL:-kubectl}}
PROBE_TIMEOUT=${{PROBE_TIMEOUT:-5}}
PROBE_CONTAINER=${{PROBE_CONTAINER:-}}
passed=0
failed=0
skipped=0
found=
target=

# locate NAMESPACE WORKLOAD: sets $target to what is called so there; the log does not say of which kind it is.
locate() {{
    [ "$found" = "$1/$2" ] && return
    found=$1/$2
    target=deployment/$2
    for kind in deployment statefulset daemonset job pod; do
        if $KUBECTL --namespace "$1" get "$kind/$2" </dev/null >/dev/null 2>&1; then
            target=$kind/$2
            return
        fi
    done
}}

# call NAMESPACE WORKLOAD URL: sets $code to the HTTP status and $status to curl's exit status.
call() {{
    locate "$1" "$2"
    # shellcheck disable=SC2086  # KUBECTL may hold options
    code=$($KUBECTL --namespace "$1" exec "$target" ${{PROBE_CONTAINER:+--container "$PROBE_CONTAINER"}} -- \\
        curl --silent --output /dev/null --write-out '%{{http_code}}' --insecure --max-time "$PROBE_TIMEOUT" "$3" \\
        </dev/null 2>/dev/null)
    status=$?
}}

# cannot: whether the call was not made at all: no pod, no curl, no such option, no answer from DNS.
cannot() {{
    case $status in
        1 | 2 | 4 | 6 | 126 | 127) return 0 ;;
        *) return 1 ;;
    esac
}}

report() {{
    printf '%s\\t%s\\t%s\\t%s\\t%s\\n' "$1" "$2" "$3" "$4" "$5"
}}

# judge WORD NAMESPACE WORKLOAD URL: count a result, with what was seen.
judge() {{
    case $1 in
        pass) passed=$((passed + 1)) ;;
        FAIL) failed=$((failed + 1)) ;;
        skip) skipped=$((skipped + 1)) ;;
    esac
    report "$1" "$2" "$3" "$4" "curl $status, HTTP ${{code:-000}}"
}}

# reaches NAMESPACE WORKLOAD URL: any answer of the server will do; 502 is how a sidecar refuses HTTP.
reaches() {{
    call "$1" "$2" "$3"
    if cannot; then
        judge skip "$1" "$2" "$3"
    elif [ "$status" -eq 0 ] && [ "$code" != 502 ]; then
        judge pass "$1" "$2" "$3"
    else
        judge FAIL "$1" "$2" "$3"
    fi
}}

# opens NAMESPACE WORKLOAD URL: a connection that stays open or is answered; a sidecar that refuses closes it at once.
opens() {{
    call "$1" "$2" "$3"
    if cannot; then
        judge skip "$1" "$2" "$3"
    elif [ "$status" -eq 0 ] || [ "$status" -eq 28 ]; then
        judge pass "$1" "$2" "$3"
    else
        judge FAIL "$1" "$2" "$3"
    fi
}}

# refused NAMESPACE WORKLOAD URL: nothing but the sidecar may answer.
refused() {{
    call "$1" "$2" "$3"
    if cannot; then
        judge skip "$1" "$2" "$3"
    elif [ "$status" -ne 0 ] || [ "$code" = 502 ]; then
        judge pass "$1" "$2" "$3"
    else
        judge FAIL "$1" "$2" "$3"
    fi
}}

"""
_TAIL = """
printf '%s passed, %s failed, %s skipped\\n' "$passed" "$failed" "$skipped" >&2
[ "$failed" -eq 0 ]
"""


class Probe:
    """Positive checks of what is registered, negative ones of a host that is not."""

    name = "probe"
    summary = "A shell script that checks, from inside the workloads, what must answer and what must be refused."

    def make(self, situation: Situation) -> Companions:
        """One script, or none where nothing is let out."""
        checks = [check for namespace in situation.uses for check in _checks(situation, namespace)]
        if not checks:
            return Companions()
        text = _HEAD.format(tool=MANAGED_BY) + "\n".join(checks) + "\n" + _TAIL
        reason = f"{len(checks)} checks to run after the manifests are applied."
        return Companions((CompanionFile("probe", "companions/probe/probe.sh", text, reason),))


def _checks(situation: Situation, namespace: str) -> Iterator[str]:
    """The checks of one namespace: each of its uses once, and the host that nobody registers for each workload."""
    uses = sorted(situation.uses[namespace], key=lambda use: use.destination.key.order)
    known = [host for use in uses for host in use.entry.hosts]
    stranger = situation.settings.companions.probe_host
    for workload, own in groupby(uses, key=lambda use: use.destination.key.source_workload):
        if workload is None or not is_dns1123_subdomain(workload):
            continue
        lines = {line for use in own if (line := _positive(namespace, workload, use)) is not None}
        yield from sorted(lines)
        if is_valid_host(stranger) and not any(covers(host, stranger) for host in known):
            for scheme in ("http", "https"):
                yield _line("refused", namespace, workload, f"{scheme}://{stranger}/")


def _positive(namespace: str, workload: str, use: Use) -> str | None:
    key = use.destination.key
    port, place = key.destination_port, _place(key.host, key.destination_ip)
    if not port or place is None or not is_dns1123_label(namespace):
        return None
    match key.application_protocol:
        case ApplicationProtocol.TLS:
            return _line("reaches", namespace, workload, f"https://{place}:{port}/")
        case ApplicationProtocol.HTTP | ApplicationProtocol.GRPC:
            return _line("reaches", namespace, workload, f"http://{place}:{port}/")
        case _:
            return _line("opens", namespace, workload, f"telnet://{place}:{port}")


def _place(host: str | None, address: str | None) -> str | None:
    """A host or an address as a URL has it; null where neither is what it claims to be."""
    if host is not None:
        return host if is_valid_host(host) and "*" not in host else None
    ip = plain_address(address) if address else None
    if ip is None:
        return None
    return f"[{ip}]" if ip.version == 6 else str(ip)


def _line(check: str, *words: str) -> str:
    return " ".join((check, *map(shlex.quote, words)))


COMPANION = Probe()
