"""Certificates for the test's servers, and ClientHellos with server names that no library would write."""

import contextlib
import ssl
from functools import lru_cache

import trustme

_STAND_IN = "x"


@lru_cache(maxsize=1)
def server_context() -> ssl.SSLContext:
    """A server that takes any server name; nobody here checks who it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA(key_type=trustme.KeyType.RSA).issue_cert("any.example", key_type=trustme.KeyType.RSA).configure_cert(
        context
    )
    return context


@lru_cache(maxsize=1)
def client_context() -> ssl.SSLContext:
    """A client that does not look at the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def client_hello(server_name: bytes | None) -> bytes:
    """The first flight of a TLS client with this server name, whatever bytes it is made of.

    The hello is real but for the name, which is put in the place of another of the same length; such a
    handshake cannot be finished.
    """
    outgoing = ssl.MemoryBIO()
    stand_in = None if server_name is None else _letters(len(server_name))
    connection = client_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=stand_in)
    with contextlib.suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    hello = outgoing.read()
    return hello if stand_in is None else hello.replace(stand_in.encode(), server_name or b"", 1)


def _letters(length: int) -> str:
    """A name of a length, in labels that are not too long."""
    return "".join("." if place % 50 == 49 and place != length - 1 else _STAND_IN for place in range(length))
