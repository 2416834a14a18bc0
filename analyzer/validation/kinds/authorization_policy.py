"""AuthorizationPolicy (istio/api security/v1beta1/authorization_policy.proto)."""

from analyzer.validation.common_fields import MATCH_LABELS, SECURITY_VERSIONS, TARGET_REF, TEXT, TEXTS
from analyzer.validation.shape import Kind, Words

_SOURCE = ("principals", "requestPrincipals", "namespaces", "ipBlocks", "remoteIpBlocks", "serviceAccounts")
_OPERATION = ("hosts", "ports", "methods", "paths")


def _with_opposites(names: tuple[str, ...]) -> dict[str, list[object]]:
    return {key: list(TEXTS) for name in names for key in (name, f"not{name[0].upper()}{name[1:]}")}


KIND = Kind(
    name="AuthorizationPolicy",
    group="security.istio.io",
    versions=SECURITY_VERSIONS,
    spec={
        "selector": MATCH_LABELS,
        "targetRef": TARGET_REF,
        "targetRefs": [TARGET_REF],
        "rules": [
            {
                "from": [{"source": _with_opposites(_SOURCE)}],
                "to": [{"operation": _with_opposites(_OPERATION)}],
                "when": [{"key": TEXT, "values": TEXTS, "notValues": TEXTS}],
            }
        ],
        "action": Words(("ALLOW", "DENY", "AUDIT", "CUSTOM")),
        "provider": {"name": TEXT},
    },
)
