"""Take envelopes off lines, in any nesting: what a container runtime, kubectl or a log store put round them.

An envelope is only looked for where no format recognises the bare lines; then every line of the block is
peeled as far as it goes, and stays in its place, so that line numbers keep their meaning.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzer.parsing.block import sample_lines
from analyzer.parsing.envelopes import Envelope, known_envelopes
from analyzer.parsing.log_format import LogFormat

_DEEPEST = 6
"""Envelopes round one line: kubectl round CRI round a shipper's record and then some."""
PARTIAL = "_partial"
"""Label key by which an envelope says that its line is only the first part of one."""


@dataclass
class Peeled:
    """A block without envelopes, line for line, with what the envelopes knew of each line."""

    data: bytes
    labels: list[Mapping[str, str]] = field(default_factory=list)
    envelopes: Counter[str] = field(default_factory=Counter)


def needs_peeling(data: bytes, formats: Mapping[str, LogFormat]) -> bool:
    """Whether some sampled line is in an envelope; bare lines of a known format are not looked into."""
    envelopes = known_envelopes().values()
    for text in sample_lines(data):
        if any(log_format.read_line(text) is not None for log_format in formats.values()):
            continue
        line = text.encode("utf-8", "surrogateescape")
        if any(envelope.recognizes(line) for envelope in envelopes):
            return True
    return False


def peel(data: bytes) -> Peeled:
    """Take every envelope off every line of a block."""
    peeled = Peeled(b"")
    envelopes = list(known_envelopes().values())
    inner: list[bytes] = []
    for line in data.split(b"\n"):
        bare, labels, names = _peel_line(line, envelopes)
        inner.append(bare)
        peeled.labels.append(labels)
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
