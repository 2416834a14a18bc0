"""Put the lines of a real run on the clock of a story, so that each run gives the same bytes.

Only what differs from run to run is told anew, from a seed: times, durations, the proxy's own end of connections, and
the byte counts of TLS. All else stays as Envoy wrote it.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

_SLOWEST = 240
"""Milliseconds of the slowest answer in the story."""


@dataclass
class Clock:
    """The time of one pod in the story, and what its proxy has connected from."""

    address: str
    now: datetime
    dice: random.Random
    connections: int = 0

    def next(self) -> str:
        """A few seconds later, as Envoy writes it."""
        self.now += timedelta(milliseconds=self.dice.randint(2_000, 19_000))
        return f"{self.now:%Y-%m-%dT%H:%M:%S}.{self.now.microsecond // 1000:03d}Z"

    def own_end(self, address: str) -> str:
        """The proxy's end of a connection, a new one each time: whether an old one was used again is a race.

        One proxy stands for those of several pods, so the address is put right too.
        """
        self.connections += 1
        ip = address.rpartition(":")[0]
        return f"{ip if ip.startswith('127.') else self.address}:{50_000 + 2 * self.connections}"


def retell(lines: list[str], known: dict[str, Any], clock: Clock) -> list[str]:
    """One entry as several formats wrote it, told anew; `known` is the entry in our own format."""
    duration = 0 if known["upstream_local_address"] is None else clock.dice.randint(8, _SLOWEST)
    served = known["upstream_service_time"] and str(duration - 1)
    received, sent = _bytes(known, clock.dice)
    own = known["upstream_local_address"]
    told = {
        "upstream_local_address": own and clock.own_end(own),
        "start_time": clock.next(),
        "duration": duration,
        "upstream_service_time": served,
        "bytes_received": received,
        "bytes_sent": sent,
    }
    return [(_as_json if line.startswith("{") else _as_text)(line, known, told) for line in lines]


def _bytes(known: dict[str, Any], dice: random.Random) -> tuple[int, int]:
    """The size of a handshake differs by a byte or two, so a TLS connection's counts are drawn."""
    if known["protocol"] is None and known["bytes_sent"]:
        return dice.randint(400, 3000), dice.randint(2_000, 90_000)
    return known["bytes_received"], known["bytes_sent"]


_COUNTS = ("bytes_received", "bytes_sent", "duration", "upstream_service_time")


def _as_text(line: str, known: dict[str, Any], told: dict[str, Any]) -> str:
    line = line.replace(f"[{known['start_time']}]", f"[{told['start_time']}]", 1)
    line = line.replace(_counts(known), _counts(told), 1)
    own = known["upstream_local_address"]
    return line if own is None else line.replace(own, told["upstream_local_address"], 1)


def _counts(values: dict[str, Any]) -> str:
    """The four numbers in a row that every text format has, and the quote after them."""
    shown = ("-" if values[name] is None else str(values[name]) for name in _COUNTS)
    return f' {" ".join(shown)} "'


def _as_json(line: str, known: dict[str, Any], told: dict[str, Any]) -> str:
    for name, value in told.items():
        quote = '"' if isinstance(value, str) else ""
        line = line.replace(f'"{name}":{quote}{known[name]}{quote}', f'"{name}":{quote}{value}{quote}', 1)
    return line
