"""A DNS server that knows one answer: whatever the name, it lives at one address of the world."""

import asyncio
import ipaddress
import struct
from typing import cast

SERVER = "192.0.2.53"
ANSWER = "203.0.113.200"
_TYPE_A, _TTL = 1, 60


class OneAnswer(asyncio.DatagramProtocol):
    """Answers questions for an A record; of others it says that there is no such record (RFC 1035)."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self._transport.sendto(answer(data), address)


def answer(question: bytes) -> bytes:
    """The whole reply to a question with one name in it."""
    end = question.index(b"\0", 12) + 5
    (kind,) = struct.unpack("!H", question[end - 4 : end - 2])
    found = kind == _TYPE_A
    header = question[:2] + struct.pack("!HHHHH", 0x8180, 1, int(found), 0, 0)
    record = struct.pack("!HHHIH", 0xC00C, _TYPE_A, 1, _TTL, 4) + ipaddress.IPv4Address(ANSWER).packed
    return header + question[12:end] + (record if found else b"")
