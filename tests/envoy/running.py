"""Send a list of cases through one sidecar and bring back what the clients saw and what the proxy logged."""

import asyncio
import json
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzer.vocabulary import Mode
from tests.envoy.access_logs import JOIN
from tests.envoy.bootstrap import Configuration
from tests.envoy.cases import Case
from tests.envoy.clients import Reply, carry_out
from tests.envoy.namespaces import Namespace, join
from tests.envoy.proxy import running
from tests.envoy.servers import GATEWAY, World

POD_IP = "10.244.1.11"
_FIRST_PORT = 20_000
_AT_ONCE = 12
_LINES_WITHIN = 15.0
"""Seconds that the last lines may take after the last client has left."""


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


def play(world: World, wanted: Configuration, cases: Sequence[Case], folder: Path, *, link: str = "pod") -> Run:
    """Start a sidecar, play the cases in order, a dozen at a time, and stop it."""
    with ExitStack() as stack:
        pod = Namespace()
        stack.callback(pod.close)
        join(pod, POD_IP, world.namespace, GATEWAY, link)
        stack.callback(world.namespace.ip, "link", "delete", link)
        stack.enter_context(running(pod, wanted, folder))
        sent = pod.run(lambda: asyncio.run(_send(cases)))
        _wait_for_lines(folder, sent, wanted.mode)
    return Run(wanted.mode, folder, sent)


async def _send(cases: Iterable[Case]) -> tuple[Sent, ...]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(case: Case, own_port: int) -> Sent:
        async with gate:
            return Sent(case, own_port, await carry_out(case.act, case.address, case.port, POD_IP, own_port))

    return tuple(await asyncio.gather(*(one(case, _FIRST_PORT + number) for number, case in enumerate(cases))))


def _wait_for_lines(folder: Path, sent: Sequence[Sent], mode: Mode) -> None:
    """The proxy writes a line when a connection ends, which it may learn of a moment later than the client."""
    expected = sum(len(each.case.fates[mode]) for each in sent)
    end = time.monotonic() + _LINES_WITHIN
    while time.monotonic() < end:
        if JOIN.file(folder).read_bytes().count(b"\n") >= expected:
            return
        time.sleep(0.05)


def lines_by_port(folder: Path) -> dict[int, list[int]]:
    """The numbers (from 1) of the lines that each connection left, in order, by the client's port."""
    found: dict[int, list[int]] = {}
    for number, line in enumerate(join_lines(folder), 1):
        port = int(str(line["downstream_direct_remote_address"]).rpartition(":")[2])
        found.setdefault(port, []).append(number)
    return found


def join_lines(folder: Path) -> list[dict[str, Any]]:
    """What the proxy wrote for us alone, line by line as in every other file."""
    return [json.loads(line) for line in JOIN.file(folder).read_bytes().split(b"\n") if line]
