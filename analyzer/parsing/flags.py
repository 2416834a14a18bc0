"""Envoy's response flags by their long names and by the names of the gRPC log service, as short codes.

Source: envoyproxy/envoy source/common/stream_info/utility.h (ResponseFlagUtils) and
api/envoy/data/accesslog/v3/accesslog.proto (ResponseFlags).
"""

from collections.abc import Mapping
from typing import Any

_LONG = {
    "FailedLocalHealthCheck": "LH",
    "NoHealthyUpstream": "UH",
    "UpstreamRequestTimeout": "UT",
    "LocalReset": "LR",
    "UpstreamRemoteReset": "UR",
    "UpstreamConnectionFailure": "UF",
    "UpstreamConnectionTermination": "UC",
    "UpstreamOverflow": "UO",
    "NoRouteFound": "NR",
    "DelayInjected": "DI",
    "FaultInjected": "FI",
    "RateLimited": "RL",
    "UnauthorizedExternalService": "UAEX",
    "RateLimitServiceError": "RLSE",
    "DownstreamConnectionTermination": "DC",
    "UpstreamRetryLimitExceeded": "URX",
    "StreamIdleTimeout": "SI",
    "InvalidEnvoyRequestHeaders": "IH",
    "DownstreamProtocolError": "DPE",
    "UpstreamMaxStreamDurationReached": "UMSDR",
    "ResponseFromCacheFilter": "RFCF",
    "NoFilterConfigFound": "NFCF",
    "DurationTimeout": "DT",
    "UpstreamProtocolError": "UPE",
    "NoClusterFound": "NC",
    "OverloadManagerTerminated": "OM",
    "DnsResolutionFailed": "DF",
    "DropOverLoad": "DO",
    "DownstreamRemoteReset": "DR",
    "UnconditionalDropOverload": "UDO",
}
_IN_SERVICE = {
    "failedlocalhealthcheck": "LH",
    "unauthorizeddetails": "UAEX",
    "overloadmanager": "OM",
    "dnsresolutionfailure": "DF",
    **{name.lower(): code for name, code in _LONG.items()},
}


def short_flags(text: str) -> str:
    """Comma-joined flags with long names replaced by short codes; what is neither stays."""
    return ",".join(_LONG.get(flag, flag) for flag in text.split(","))


def flags_of_service(flags: Mapping[str, Any]) -> str | None:
    """The short codes of the flags that are set, in the order of the protobuf message's names; null when none is."""
    codes = [_IN_SERVICE.get(name.replace("_", "").lower(), name) for name, value in flags.items() if value]
    return ",".join(codes) or None
