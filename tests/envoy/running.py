"""Send a list of cases through one sidecar and bring back what the clients saw and what the proxy logged."""

import asyncio
import itertools
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzer.vocabulary import Mode
from tests.envoy.access_logs import JOIN, AccessLog
from tests.envoy.bootstrap import Configuration
from tests.envoy.cases import Case
from tests.envoy.clients import Reply, carry_out
from tests.envoy.inbound import APP_PORT, redirect_inbound
from tests.envoy.namespaces import Namespace, join
from tests.envoy.proxy import running
from tests.envoy.servers import GATEWAY, World, serving, speak_http

_FIRST_PORT = 33_000
_OWN_PORTS = "50000 60999"
"""Where the proxy's own connections come from, so that they never meet the clients' ports."""
_LINES_WITHIN = 15.0
"""Seconds that the last lines may take after the last client has left."""
_LINKS = itertools.count()
OUTSIDE = "10.244.9.50"
"""The pod that calls in from outside."""


@dataclass(frozen=True)
class Sent:
    """A case that was played: the client's own port, and what came back to it."""

    case: Case
    own_port: int
    reply: Reply


@dataclass(frozen=True)
class Run:
    """What was sent in a mode, and the folder of the proxy's logs."""

    mode: Mode
    folder: Path
    sent: tuple[Sent, ...]


def play(world: World, wanted: Configuration, cases: Sequence[Case], folder: Path, *, at_once: int = 12) -> Run:
    """Start a sidecar, play the cases in order, a few at a time, and stop it.

    One proxy stands for those of all pods of a namespace, which istiod configures alike.
    """
    with ExitStack() as stack:
        pods = Namespace()
        stack.callback(pods.close)
        link = f"pods{next(_LINKS)}"
        join(pods, sorted({case.client for case in cases}), world.namespace, GATEWAY, link)
        pods.run(lambda: Path("/proc/sys/net/ipv4/ip_local_port_range").write_text(_OWN_PORTS))
        stack.callback(world.namespace.ip, "link", "delete", link)
        redirect_inbound(pods)
        stack.enter_context(serving(pods, [(APP_PORT, speak_http)]))
        stack.enter_context(running(pods, wanted, folder))
        numbered = [(case.own_port or _FIRST_PORT + number, case) for number, case in enumerate(cases)]
        leaving = [(port, case) for port, case in numbered if not case.inbound]
        coming = [(port, case) for port, case in numbered if case.inbound]
        sent = pods.run(lambda: asyncio.run(_send(leaving, at_once)))
        sent += world.namespace.run(lambda: asyncio.run(_send(coming, at_once)))
        _wait_for_lines(folder, sent, wanted.mode)
    return Run(wanted.mode, folder, sent)


async def _send(cases: Iterable[tuple[int, Case]], at_once: int) -> tuple[Sent, ...]:
    gate = asyncio.Semaphore(at_once)

    async def one(own_port: int, case: Case) -> Sent:
        own_address = OUTSIDE if case.inbound else case.client
        async with gate:
            return Sent(case, own_port, await carry_out(case.act, case.address, case.port, own_address, own_port))

    return tuple(await asyncio.gather(*(one(own_port, case) for own_port, case in cases)))


def _wait_for_lines(folder: Path, sent: Sequence[Sent], mode: Mode) -> None:
    """The proxy writes a line when a connection ends, which it may learn of a moment later than the client."""
    expected = sum(each.case.lines(mode) for each in sent)
    end = time.monotonic() + _LINES_WITHIN
    while time.monotonic() < end:
        if JOIN.file(folder).read_bytes().count(b"\n") >= expected:
            return
        time.sleep(0.05)


def lines_by_port(folder: Path) -> dict[int, list[int]]:
    """The numbers (from 1) of the lines that each connection left, in order, by the client's port."""
    found: dict[int, list[int]] = {}
    for number, line in enumerate(join_lines(folder), 1):
        found.setdefault(client_port(line), []).append(number)
    return found


def client_port(line: Mapping[str, Any]) -> int:
    """The client's own port, which tells one connection from all others."""
    return int(str(line["downstream_direct_remote_address"]).rpartition(":")[2])


def join_lines(folder: Path) -> list[dict[str, Any]]:
    """What the proxy wrote for us alone, line by line as in every other file."""
    return [json.loads(line) for line in JOIN.file(folder).read_bytes().split(b"\n") if line]


def lines_of(address: str, folder: Path, logs: Sequence[AccessLog]) -> list[tuple[dict[str, Any], list[str]]]:
    """What one pod's proxy would have written, in our own format and in others, in the order in which the pod acted.

    Envoy writes when a connection ends, and of two that end at once either may be first.
    """
    written = zip(join_lines(folder), *(_text(log, folder) for log in logs), strict=True)
    mine = [each for each in written if address in (_ip(each[0], "direct_remote"), _ip(each[0], "local"))]
    return [(known, list(lines)) for known, *lines in sorted(mine, key=lambda each: client_port(each[0]))]


def _ip(known: Mapping[str, Any], end: str) -> str:
    return str(known[f"downstream_{end}_address"]).rpartition(":")[0]


def _text(log: AccessLog, folder: Path) -> list[str]:
    return [line.decode() for line in log.file(folder).read_bytes().split(b"\n") if line]
