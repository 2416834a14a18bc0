"""The world outside the mesh: servers that answer on every address, each saying where it was reached.

What the servers do is decided by the port, so one listener a port is enough: all addresses of the documentation
ranges are local to the world's namespace.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import h2.config
import h2.connection
import h2.events

from tests.envoy.dns import SERVER, OneAnswer
from tests.envoy.namespaces import Namespace
from tests.envoy.tls import server_context

RANGES = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "169.254.169.254/32", "10.244.9.0/24")
GATEWAY = "192.0.2.1"
UNREACHABLE = "192.0.2.254"
"""Has no way to it: the world answers that there is no such host."""
SILENT = "192.0.2.253"
"""Packets to it vanish."""

HTTP_PORTS = (80, 8000, 8080, 8081)
TLS_PORTS = (443, 8443, 9443)
GREETING_PORTS = (22, 25, 3306, 3307, 5432, 5433, 9000, 9001)
RESET_PORT, MUTE_PORT = 6001, 6002
FEATURE_PORTS = range(9400, 9440)
"""Servers that only greet, for trials of which the proxy's log alone is looked at."""
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_LARGEST = 1 << 20
_SLOW = 4.0
"""Seconds that `/slow` takes."""

_SETTINGS = {"ip_forward": "1", "icmp_ratelimit": "0"}
"""The world passes packets on, and says of each one that it has no way to it."""

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def reached(writer: asyncio.StreamWriter) -> bytes:
    """Where a client got to, as `ip:port`: what every server says of itself."""
    host, port = writer.get_extra_info("sockname")[:2]
    return f"{host}:{port}".encode()


async def speak_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """HTTP/1.x with keep-alive, or HTTP/2 where the client begins with its preface."""
    first = await reader.readline()
    if first == _PREFACE[: len(first)] and first.startswith(b"PRI"):
        await _speak_http2(first, reader, writer)
        return
    while first.strip():
        headers = await _headers(reader)
        body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
        if headers.get(b"upgrade") == b"websocket":
            await _speak_websocket(reader, writer)
            return
        words = first.split(b" ")
        if len(words) < 2:
            return
        path = words[1].partition(b"?")[0]
        if path == b"/reset":
            _reset(writer)
            return
        if path == b"/slow":
            await asyncio.sleep(_SLOW)
        writer.write(_answer(path, reached(writer), len(body)))
        await writer.drain()
        first = await reader.readline()


async def _headers(reader: asyncio.StreamReader) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    while (line := (await reader.readline()).strip()) != b"":
        name, _, value = line.partition(b":")
        headers[name.strip().lower()] = value.strip().lower()
    return headers


def _answer(path: bytes, where: bytes, received: int) -> bytes:
    """`/status/503` answers 503, `/bytes/900` with a body of 900 bytes; the rest says where it was reached."""
    status, body = b"200 OK", where + b"\n"
    _, _, last = path.rpartition(b"/")
    if path.startswith(b"/status/"):
        status = last + b" As asked"
    elif path.startswith(b"/bytes/"):
        body = body.ljust(min(int(last), _LARGEST), b".")
    head = b"HTTP/1.1 %b\r\ncontent-length: %d\r\nx-reached: %b\r\nx-received: %d\r\n\r\n"
    return head % (status, len(body), where, received) + body


async def _speak_websocket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n")
    writer.write(b"x-reached: " + reached(writer) + b"\r\n\r\n")
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()


async def _speak_http2(first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request with 200; one of gRPC with a trailer that says it went well."""
    speaker = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    speaker.initiate_connection()
    data = first
    grpc: dict[int, bool] = {}
    while data:
        for event in speaker.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                grpc[event.stream_id] = any("application/grpc" in str(value) for _, value in event.headers)
            elif isinstance(event, h2.events.StreamEnded):
                _answer_http2(speaker, event.stream_id, reached(writer).decode(), grpc[event.stream_id])
        writer.write(speaker.data_to_send())
        await writer.drain()
        data = await reader.read(65536)


def _answer_http2(speaker: h2.connection.H2Connection, stream: int, where: str, grpc: bool) -> None:
    kind = "application/grpc" if grpc else "text/plain"
    speaker.send_headers(stream, [(":status", "200"), ("content-type", kind), ("x-reached", where)])
    speaker.send_data(stream, b"\0\0\0\0\0" if grpc else where.encode(), end_stream=not grpc)
    if grpc:
        speaker.send_headers(stream, [("grpc-status", "0")], end_stream=True)


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speak first, as databases and mail servers do, then say back what comes."""
    writer.write(reached(writer) + b"\n")
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a few bytes, then break the connection."""
    await reader.read(4096)
    _reset(writer)


async def stay_mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take everything and never answer."""
    while await reader.read(4096):
        pass


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@dataclass
class World:
    """A namespace full of servers."""

    namespace: Namespace

    @classmethod
    @contextlib.contextmanager
    def opened(cls) -> "Iterator[World]":
        """Make the namespace, give it the addresses, and serve until the block ends."""
        namespace = Namespace()
        namespace.ip("address", "add", f"{GATEWAY}/32", "dev", "lo")
        for prefix in RANGES:
            namespace.ip("route", "add", "local", prefix, "dev", "lo")
        namespace.ip("route", "add", "unreachable", f"{UNREACHABLE}/32", "table", "local")
        namespace.ip("route", "add", "blackhole", f"{SILENT}/32", "table", "local")
        for setting, value in _SETTINGS.items():
            namespace.run(partial(Path("/proc/sys/net/ipv4", setting).write_text, value))
        plain: list[tuple[int, Handler]] = [(port, speak_http) for port in HTTP_PORTS]
        plain += [(port, greet) for port in (*GREETING_PORTS, *FEATURE_PORTS)]
        plain += [(RESET_PORT, reset), (MUTE_PORT, stay_mute)]
        with serving(namespace, plain, TLS_PORTS, names=True):
            yield cls(namespace)
        namespace.close()


@contextlib.contextmanager
def serving(
    namespace: Namespace, plain: Sequence[tuple[int, Handler]], with_tls: Sequence[int] = (), *, names: bool = False
) -> Iterator[None]:
    """Serve in a namespace, on a thread of its own, until the block ends; `names` asks for the DNS server too."""
    loop, started = asyncio.new_event_loop(), threading.Event()
    stop = asyncio.Event()

    async def serve() -> None:
        servers = [await asyncio.start_server(_quietly(handler), "0.0.0.0", port) for port, handler in plain]
        servers += [
            await asyncio.start_server(_quietly(speak_http), "0.0.0.0", port, ssl=server_context()) for port in with_tls
        ]
        lookup, _ = await loop.create_datagram_endpoint(OneAnswer, (SERVER, 53)) if names else (None, None)
        started.set()
        await stop.wait()
        if lookup is not None:
            lookup.close()
        for server in servers:
            server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    def work() -> None:
        try:
            loop.run_until_complete(serve())
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            started.set()
            loop.close()

    served = namespace.start(work)
    started.wait()
    try:
        if served.done():
            served.result()
        yield
    finally:
        if not served.done():
            loop.call_soon_threadsafe(stop.set)
        served.result(30)


def _quietly(handler: Handler) -> Handler:
    """A client may leave at any time; that is no news."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError, ValueError):
            await handler(reader, writer)
        writer.close()

    return handle
