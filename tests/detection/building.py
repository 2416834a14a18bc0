"""Destinations for tests: only what matters is named, the rest is an honest TLS or HTTP caller."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from analyzer.detection import judge
from analyzer.evidence import Destination, DestinationKey, Judged, Request
from analyzer.settings import Settings
from analyzer.vocabulary import ApplicationProtocol, EgressClass, Result

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
_USUAL_PORT = {"http": 80, "grpc": 50051, "tls": 443, "tcp": 5432}
_CALM = {EgressClass.BLOCKED: Result.REFUSED_BY_POLICY, EgressClass.UNCLASSIFIED: Result.OTHER}


def destination(
    host: str | None = None,
    protocol: str = "tls",
    *,
    port: int | None = None,
    ip: str | None = None,
    namespace: str | None = "shop",
    workload: str | None = "web",
    classes: Mapping[str, int] | None = None,
    authority: str | None = None,
    connect: bool = False,
    minutes: float = 0,
    **facts: Any,
) -> Destination:
    """A destination with one request for each class; `ip` is what was dialled."""
    used = ApplicationProtocol(protocol)
    number = _USUAL_PORT[protocol] if port is None else port
    dialled = ip or "203.0.113.10"
    key = DestinationKey(namespace, workload, host, None if host else dialled, number, used)
    by_class = {EgressClass(name): count for name, count in (classes or {"passthrough": 10}).items()}
    is_http = protocol in ("http", "grpc")
    requests = tuple(
        Request(
            key=key,
            authority=(authority or host or dialled) if is_http else None,
            requested_server_name=host if protocol == "tls" else None,
            destination_ip=dialled,
            destination_port=number,
            application_protocol=used,
            method_is_connect=connect,
            egress_class=egress_class,
            entries=count,
        )
        for egress_class, count in by_class.items()
    )
    by_result: dict[Result, int] = {}
    for egress_class, count in by_class.items():
        result = _CALM.get(egress_class, Result.OK)
        by_result[result] = by_result.get(result, 0) + count
    return replace(
        Destination(
            key=key,
            entries=sum(by_class.values()),
            by_class=by_class,
            by_result=by_result,
            by_mechanism={},
            bytes_received=0,
            bytes_sent=0,
            first_seen=START + timedelta(minutes=minutes),
            last_seen=START + timedelta(minutes=minutes, seconds=30),
            days_seen=1,
            pods_seen=1,
            addresses=(dialled,),
            addresses_seen=1,
            requests=requests,
        ),
        **facts,
    )


def judged(destinations: Sequence[Destination], **settings: Any) -> tuple[Judged, ...]:
    """Verdicts under some settings, on the day of the log."""
    return judge(destinations, Settings.model_validate(settings), START)[0]


def verdict(one: Destination, **settings: Any) -> tuple[str, str]:
    """The verdict of a lone destination and the code of its first reason."""
    (only,) = judged([one], **settings)
    return only.verdict.value, only.reasons[0].code


def rule(action: str, **what: Any) -> dict[str, Any]:
    """A rule as a settings file holds it."""
    return {"action": action, "owner": "platform", "reason": "agreed", **what}
