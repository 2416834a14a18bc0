"""What really happened, case by case: said by the one who sent the traffic, before any log is read."""

from collections.abc import Mapping
from dataclasses import dataclass

from analyzer.vocabulary import ApplicationProtocol, EgressClass, Mode, Result


@dataclass(frozen=True)
class Truth:
    """Of one line that the proxy will write: by whose leave, what became of it, and what it was to."""

    egress_class: EgressClass
    result: Result
    protocol: ApplicationProtocol
    host: str | None = None


Fates = Mapping[Mode, tuple[Truth, ...]]
"""The lines that a case leaves in each mode, in order."""

MODES = (Mode.ALLOW_ANY, Mode.REGISTRY_ONLY)
_HTTP, _TLS, _TCP, _GRPC = (
    ApplicationProtocol.HTTP,
    ApplicationProtocol.TLS,
    ApplicationProtocol.TCP,
    ApplicationProtocol.GRPC,
)
HTTP, TLS, TCP, GRPC = _HTTP, _TLS, _TCP, _GRPC


def unregistered(protocol: ApplicationProtocol, host: str | None = None, result: Result = Result.OK) -> Fates:
    """Let out in ALLOW_ANY (`result` says how that went), refused in REGISTRY_ONLY."""
    return {
        Mode.ALLOW_ANY: (Truth(EgressClass.PASSTHROUGH, result, protocol, host),),
        Mode.REGISTRY_ONLY: (Truth(EgressClass.BLOCKED, Result.REFUSED_BY_POLICY, protocol, host),),
    }


def in_both(
    egress_class: EgressClass, protocol: ApplicationProtocol, host: str | None = None, result: Result = Result.OK
) -> Fates:
    """The same whatever the mode."""
    return dict.fromkeys(MODES, (Truth(egress_class, result, protocol, host),))


def registered(protocol: ApplicationProtocol, host: str, result: Result = Result.OK) -> Fates:
    """Under a ServiceEntry."""
    return in_both(EgressClass.REGISTERED, protocol, host, result)


def in_mesh(protocol: ApplicationProtocol, host: str) -> Fates:
    """To a Kubernetes service."""
    return in_both(EgressClass.IN_MESH, protocol, host)


def unread() -> Fates:
    """A request that the proxy's codec refused, so that its name is lost."""
    return in_both(EgressClass.UNCLASSIFIED, HTTP, None, Result.BAD_REQUEST)


def silent() -> Fates:
    """No line at all."""
    return dict.fromkeys(MODES, ())


def followed_by(*fates: Fates) -> Fates:
    """Several lines of one connection."""
    return {mode: tuple(truth for fate in fates for truth in fate[mode]) for mode in MODES}
