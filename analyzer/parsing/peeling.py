"""Take envelopes off lines, in any nesting: what a container runtime, kubectl or a log store put round them.

No format reads a line that is still in an envelope. Where most of a block is wrapped, every line is peeled first;
elsewhere only the lines that no format could read are looked at. Peeled lines keep their numbers.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from analyzer.parsing.block import BlockReader, ParsedBlock, sample_lines
from analyzer.parsing.envelopes import Envelope, known_envelopes

_SAMPLED_LINES = 5
_DEEPEST = 6
"""Envelopes round one line: kubectl round CRI round a shipper's record and then some."""
PARTIAL = "_partial"
"""Label key by which an envelope says that its line is only the first part of one."""


@dataclass
class Peeled:
    """Lines without envelopes, with what the envelopes knew of each line by its number in the block."""

    data: bytes
    labels: dict[int, Mapping[str, str]] = field(default_factory=dict)
    envelopes: Counter[str] = field(default_factory=Counter)


def read_peeled(reader: BlockReader, data: bytes) -> list[tuple[ParsedBlock, Peeled | None]]:
    """Read a block whose lines may be wrapped: what was bare, and what came out of envelopes.

    Every line of the block is in exactly one of the parts.
    """
    if mostly_wrapped(data):
        peeled = peel(data)
        return [(reader.read(peeled.data), peeled)]
    bare = reader.read(data)
    wrapped = [rejection for rejection in bare.rejected if _is_wrapped(rejection.text)]
    if not wrapped:
        return [(bare, None)]
    peeled = peel(b"\n".join(rejection.text for rejection in wrapped))
    inner = reader.read(peeled.data)
    numbers = np.array([rejection.line for rejection in wrapped], np.int64)
    for entries in inner.entries:
        entries.lines = numbers[entries.lines]
    inner.rejected = [rejection._replace(line=int(numbers[rejection.line])) for rejection in inner.rejected]
    peeled.labels = {int(numbers[line]): labels for line, labels in peeled.labels.items()}
    bare.rejected = [rejection for rejection in bare.rejected if not _is_wrapped(rejection.text)]
    return [(bare, None), (inner, peeled)]


def mostly_wrapped(data: bytes) -> bool:
    """Whether at least half of some lines spread over a block are in an envelope."""
    samples = [text.encode("utf-8", "surrogateescape") for text in sample_lines(data, _SAMPLED_LINES)]
    return sum(map(_is_wrapped, samples)) * 2 >= max(1, len(samples))


def _is_wrapped(line: bytes) -> bool:
    return any(envelope.recognizes(line) and envelope.peel(line) is not None for envelope in known_envelopes().values())


def peel(data: bytes) -> Peeled:
    """Take every envelope off every line of a block."""
    peeled = Peeled(b"")
    envelopes = list(known_envelopes().values())
    inner: list[bytes] = []
    for number, line in enumerate(data.split(b"\n")):
        bare, labels, names = _peel_line(line, envelopes)
        inner.append(bare)
        peeled.labels[number] = labels
        peeled.envelopes.update(names)
    peeled.data = b"\n".join(inner)
    return peeled


def _peel_line(line: bytes, envelopes: list[Envelope]) -> tuple[bytes, Mapping[str, str], list[str]]:
    labels: dict[str, str] = {}
    names: list[str] = []
    while len(names) < _DEEPEST:
        for envelope in envelopes:
            found = envelope.peel(line) if envelope.recognizes(line) else None
            if found is not None:
                break
        else:
            break
        line, known = found
        # The innermost envelope stands nearest to the pod, so what it says wins.
        labels |= known
        names.append(envelope.name)
        # The envelope that peeled once may do so again (kubectl's timestamps round CRI's), but not for ever.
    return line, labels, names
