"""What an application may do with a connection, from a plain request to nothing at all.

Each act gets an open connection and says what it got back: where it was answered, and how it ended.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from tests.envoy.tls import client_context, client_hello

_PATIENCE = 20.0
"""Seconds that a client waits for an answer; connecting to a silent address takes the proxy ten."""
_PAUSE = 1.0
"""Seconds that a client stays on a connection on which it expects no answer."""


@dataclass(frozen=True)
class Reply:
    """What came back: the server that answered (`ip:port`), the status of HTTP, and whether it was cut off."""

    reached: str | None = None
    status: int | None = None
    broken: bool = False

    @property
    def worked(self) -> bool:
        """Whether the application got what it wanted: a server's answer."""
        return self.reached is not None


Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Reply]]


async def carry_out(act: Act, address: str, port: int, own_address: str, own_port: int) -> Reply:
    """Connect from a fixed port of one's own and act. A connection that breaks is a reply like another."""
    try:
        opening = asyncio.open_connection(address, port, local_addr=(own_address, own_port))
        reader, writer = await asyncio.wait_for(opening, _PATIENCE)
    except (OSError, TimeoutError):
        return Reply(broken=True)
    try:
        reply = await asyncio.wait_for(act(reader, writer), _PATIENCE)
        writer.close()
        await asyncio.wait_for(writer.wait_closed(), _PATIENCE)
    except (OSError, asyncio.IncompleteReadError, TimeoutError, ssl.SSLError, h2.exceptions.ProtocolError):
        writer.transport.abort()
        return Reply(broken=True)
    return reply


def http(
    host: str | None,
    path: str = "/",
    *,
    method: str = "GET",
    version: str = "1.1",
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    **more: str,
) -> Act:
    """One HTTP request; header names are written with `_` for `-`, and a null host sends no Host header."""
    lines = [f"{method} {path} HTTP/{version}"] + ([] if host is None else [f"Host: {host}"])
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in {**(headers or {}), **more}.items()]
    lines += [f"Content-Length: {len(body)}"] if body else []
    return raw_http("\r\n".join([*lines, "", ""]).encode() + body)


def raw_http(data: bytes) -> Act:
    """Whatever bytes, answered as HTTP."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Reply:
        writer.write(data)
        return await _http_answer(reader)

    return act


def one_after_another(*acts: Act) -> Act:
    """Several requests on one connection; the reply is the last one's."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Reply:
        reply = Reply()
        for each in acts:
            reply = await each(reader, writer)
        return reply

    return act


async def _http_answer(reader: asyncio.StreamReader) -> Reply:
    first = await reader.readline()
    if not first.startswith(b"HTTP/"):
        return Reply(broken=True)
    status, headers = int(first.split()[1]), {}
    while (line := (await reader.readline()).strip()) != b"":
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip()
    await reader.readexactly(int(headers.get(b"content-length", b"0")))
    reached = headers.get(b"x-reached")
    return Reply(reached.decode() if reached else None, status)


def websocket(host: str) -> Act:
    """An upgrade, one message, and off."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Reply:
        ask = http(
            host,
            "/socket",
            Connection="Upgrade",
            Upgrade="websocket",
            Sec_WebSocket_Key="x",
            Sec_WebSocket_Version="13",
        )
        reply = await ask(reader, writer)
        if reply.status == 101:
            writer.write(b"hello")
            await reader.readexactly(5)
        return reply

    return act


def http2(host: str, path: str, *, grpc: bool = False, **headers: str) -> Act:
    """One request over HTTP/2 without TLS; of gRPC, one call."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Reply:
        speaker = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        speaker.initiate_connection()
        method = "POST" if grpc else "GET"
        sent = [(":method", method), (":scheme", "http"), (":path", path), (":authority", host)]
        sent += [("content-type", "application/grpc"), ("te", "trailers")] if grpc else []
        sent += [(name.replace("_", "-"), value) for name, value in headers.items()]
        stream = speaker.get_next_available_stream_id()
        speaker.send_headers(stream, sent, end_stream=not grpc)
        if grpc:
            speaker.send_data(stream, b"\0\0\0\0\0", end_stream=True)
        reply = Reply()
        while True:
            writer.write(speaker.data_to_send())
            data = await reader.read(65536)
            if not data:
                return replace(reply, broken=True)
            for event in speaker.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    got = {str(name): str(value) for name, value in event.headers}
                    reply = Reply(got.get("x-reached"), int(got[":status"]))
                if isinstance(event, h2.events.StreamEnded):
                    return reply
                if isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                    return replace(reply, broken=True)

    return act


def tls(server_name: str | None, host: str | None = None, path: str = "/") -> Act:
    """A TLS connection and one request inside; the Host inside may differ from the server name outside."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Reply:
        await writer.start_tls(client_context(), server_hostname=server_name)
        return await http(host or server_name or "nameless", path)(reader, writer)

    return act


def hello(server_name: bytes | None) -> Act:
    """Only the first flight of a TLS handshake, with whatever bytes for a server name."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Reply:
        writer.write(client_hello(server_name))
        with contextlib.suppress(TimeoutError):
            data = await asyncio.wait_for(reader.read(4096), _PAUSE)
            # A server that was reached answers, if only that it does not like the rest.
            return Reply(broken=not data)
        return Reply(broken=True)

    return act


def greeted(first: bytes = b"") -> Act:
    """A protocol in which the server speaks first; its greeting says where it was reached."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Reply:
        line = await reader.readline()
        if not line:
            return Reply(broken=True)
        if first:
            writer.write(first)
            await reader.readexactly(len(first))
        return Reply(line.decode().strip())

    return act


def tell(data: bytes) -> Act:
    """Send bytes, hear nothing that matters, leave."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Reply:
        if data:
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(TimeoutError):
            return Reply(broken=not await asyncio.wait_for(reader.read(4096), _PAUSE))
        return Reply()

    return act


def leave_early(data: bytes) -> Act:
    """Send a request and leave before the answer is there."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Reply:
        writer.write(data)
        with contextlib.suppress(TimeoutError):
            return Reply(broken=not await asyncio.wait_for(reader.read(4096), _PAUSE))
        writer.transport.abort()
        return Reply(broken=True)

    return act
