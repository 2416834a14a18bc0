"""Whose rhythm is worth reading the log for: being regular is a fact, and becomes a suspicion only beside others."""

from collections import defaultdict
from collections.abc import Iterable

from analyzer.detection.detector import is_internal
from analyzer.evidence import Destination, DestinationKey
from analyzer.settings import Settings

_STROBE = 86_400
"""Calls a day from which on RITA speaks of a strobe: one a second is a health check or a poller."""
_USUAL_PORTS = frozenset(
    (21, 22, 25, 53, 80, 88, 110, 123, 143, 389, 443, 465, 514, 587, 636, 853, 989, 990, 993, 995, 1433, 1521, 1883,
     2181, 3306, 3389, 4222, 4317, 4318, 5061, 5222, 5432, 5671, 5672, 6379, 6380, 6443, 6514, 8080, 8086, 8443, 8883,
     9042, 9092, 9093, 9094, 9200, 9243, 9300, 9418, 9443, 10051, 11211, 27017, 50051, 61616)
)  # fmt: skip
"""Ports of databases, brokers, mail, telemetry and the like: clients keep such connections alive by the clock."""


def may_beacon(destinations: Iterable[Destination], settings: Settings) -> frozenset[DestinationKey]:
    """Public addresses without a name, on a port of no known service, that one workload alone calls, and often."""
    callers: dict[str, set[tuple[str | None, str | None]]] = defaultdict(set)
    nameless = [item for item in destinations if item.key.host is None and item.key.destination_ip is not None]
    for item in nameless:
        callers[item.key.destination_ip or ""].add((item.key.source_namespace, item.key.source_workload))
    least = settings.thresholds.beacon_calls
    return frozenset(
        item.key
        for item in nameless
        if item.key.destination_port not in _USUAL_PORTS
        and least <= item.entries <= _STROBE * max(item.days_seen, 1)
        and len(callers[item.key.destination_ip or ""]) == 1
        and not is_internal(item.key.destination_ip or "", settings.networks)
    )
