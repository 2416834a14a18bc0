"""Which envelopes a line may be in, by a glance at its ends: most lines that no format reads are in none."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from analyzer.parsing.envelopes import Envelope, Inner, known_envelopes
from analyzer.parsing.json_envelopes import JsonEnvelope
from analyzer.parsing.prefixes import Prefix

_TIME_AND_TAB = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^ \t]*\t")
"""How Envoy's and Istio's own lines begin, the most frequent that are no entries."""


def may_be_wrapped(line: bytes) -> bool:
    """Whether some envelope may be taken off a line; this is asked of every line that is rejected."""
    for look in _looks(*_ends(line)):  # noqa: SIM110 - a generator costs as much as a look
        if look(line):
            return True
    return False


def unwrap(line: bytes, usual: Envelope | None = None) -> tuple[str, Sequence[Inner]] | None:
    """The first envelope that a line is in, by name, and the records inside; null where the line is bare.

    The `usual` one is tried before the others.
    """
    if usual is not None and usual.recognizes(line) and (records := usual.peel(line)) is not None:
        return usual.name, records
    for envelope in _possible(*_ends(line)):
        if envelope is not usual and envelope.recognizes(line) and (records := envelope.peel(line)) is not None:
            return envelope.name, records
    return None


def _ends(line: bytes) -> tuple[bytes, bytes]:
    """What a line begins with, in the words of `Envelope.begins`, and its last letter where that tells more."""
    first = line.lstrip()[:1]
    if first in (b"{", b"["):
        return first, line.rstrip()[-1:]
    if line[:1] != first:
        return b" ", b""
    return b"" if _TIME_AND_TAB.match(line) is None else b"\t", b""


@lru_cache(maxsize=512)
def _possible(first: bytes, last: bytes) -> Sequence[Envelope]:
    """The envelopes that a line's ends leave; out of JSON that was cut nothing can be taken."""
    cut = first in (b"{", b"[") and last not in (b"}", b"]", b",")
    return [
        envelope
        for envelope in known_envelopes().values()
        if first in envelope.begins and not (cut and (first == b"{" or isinstance(envelope, JsonEnvelope)))
    ]


@lru_cache(maxsize=512)
def _looks(first: bytes, last: bytes) -> Sequence[Callable[[bytes], object]]:
    """How to look for those: at all keys of JSON in one go, and at a prefix's mark as it is."""
    envelopes = _possible(first, last)
    looks: list[Callable[[bytes], object]] = [
        envelope.mark if isinstance(envelope, Prefix) else envelope.recognizes
        for envelope in envelopes
        if not isinstance(envelope, JsonEnvelope)
    ]
    hints = {hint for envelope in envelopes if isinstance(envelope, JsonEnvelope) for hint in envelope.hints}
    return [*looks, re.compile(b"|".join(map(re.escape, sorted(hints)))).search] if hints else looks
