"""Fluent Bit's `stdout` output: `[0] tag: [[time, {metadata}], {"key"=>"value"}]`, before 2.1 `[0] tag: [time, {...}]`.

Nothing in its strings is escaped, so a client's text may look like pairs. It cannot be the rest of the record, though:
behind every value that a client writes, Envoy writes quotes that are no pair's. The line therefore ends at the first
quote behind which there are pairs to the end. Where an annotation holds quotes, no such quote is found; then the
record's own `kubernetes` is the last one. Sources: fluent/fluent-bit plugins/out_stdout/stdout.c and
lib/msgpack-c/src/objectc.c (msgpack_object_print).
"""

import re
from collections.abc import Sequence
from typing import Any

from analyzer.parsing.claims import claims_of_path
from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_envelopes import records_of

_HEAD = re.compile(r"\[\d+\] (?P<tag>\S+): \[(?:\d+\.\d+|\[\d+\.\d+, \{[^{}]*\}\]), \{")
_KEY = re.compile(r'"([^"]*)"=>')
_STRING, _SCALAR = re.compile(r'"([^"]*)"'), re.compile(r"[^\s,{}\[\]\"]+")
_LINE = re.compile(r'"(log|message)"=>"')
_END = "}]"
_KUBERNETES = ', "kubernetes"=>{'
_DEEPEST = 8


class FluentBitStdout:
    """One record a line; a line that ends inside of it, because the text held the line's own end, is its text."""

    name = "fluent_bit_stdout"
    reference = "fluent/fluent-bit plugins/out_stdout/stdout.c, lib/msgpack-c/src/objectc.c"
    begins = (b"[",)

    def recognizes(self, line: bytes) -> bool:
        """A number in brackets, a tag, and a record."""
        return line[:1] == b"[" and b": [" in line[:600] and b"=>" in line

    def peel(self, line: bytes) -> Sequence[Inner] | None:
        """Take the record out."""
        text = line.decode("utf-8", "surrogateescape").rstrip("\r")
        head = _HEAD.match(text)
        if head is None:
            return None
        record = _record(text, head.end())
        if record is None:
            return None
        return [
            inner._replace(text=_as_it_was(inner.text)) for inner in records_of(record, claims_of_path(head["tag"]))
        ]


def _record(text: str, place: int) -> dict[str, Any] | None:
    """The pairs of a record; null where they are none."""
    record: dict[str, Any] = {}
    while True:
        written = _LINE.match(text, place)
        if written is not None:
            content, rest = _written(text, written.end())
            return {**record, **rest, written[1]: content}
        pair = _pair(text, place, 0)
        if pair is None:
            return None
        key, value, place = pair
        record[key] = value
        if text.startswith(_END, place):
            return record if place + len(_END) == len(text) else None
        if not text.startswith(", ", place):
            return None
        place += 2


def _written(text: str, start: int) -> tuple[str, dict[str, Any]]:
    """The line that begins at a place, and the pairs behind it."""
    if not text.endswith(_END):
        return text[start:], {}
    place = text.find('"', start)
    dead: set[int] = set()
    while place >= 0:
        rest = _pairs_to_the_end(text, place + 1, dead)
        if rest is not None:
            return text[start:place], rest
        place = text.find('"', place + 1)
    end = text.rfind('"' + _KUBERNETES, start)
    if end < 0:
        return text[start:], {}
    inner, known = _written(text[:end] + '"' + _END, start)
    return inner, known


def _pairs_to_the_end(text: str, place: int, dead: set[int]) -> dict[str, Any] | None:
    """Pairs from a place to the end of the record; places from which none lead there are remembered."""
    pairs: dict[str, Any] = {}
    seen: list[int] = []
    while place not in dead:
        seen.append(place)
        if text.startswith(_END, place) and place + len(_END) == len(text):
            return pairs
        pair = _pair(text, place + 2, 0) if text.startswith(", ", place) else None
        if pair is None:
            break
        key, value, place = pair
        pairs.setdefault(key, value)
    dead.update(seen)
    return None


def _pair(text: str, place: int, depth: int) -> tuple[str, Any, int] | None:
    key = _KEY.match(text, place)
    value = None if key is None else _value(text, key.end(), depth)
    return None if key is None or value is None else (key[1], *value)


def _value(text: str, place: int, depth: int) -> tuple[Any, int] | None:
    """A value and where it ends; of an array its text."""
    if text.startswith("{", place) and depth < _DEEPEST:
        return _map(text, place + 1, depth + 1)
    if text.startswith("[", place):
        end = text.find("]", place)
        return None if end < 0 else (text[place : end + 1], end + 1)
    found = _STRING.match(text, place)
    if found is not None:
        return found[1], found.end()
    found = _SCALAR.match(text, place)
    return None if found is None else (found[0], found.end())


def _map(text: str, place: int, depth: int) -> tuple[dict[str, Any], int] | None:
    pairs: dict[str, Any] = {}
    while not text.startswith("}", place):
        pair = _pair(text, place, depth)
        if pair is None:
            return None
        key, pairs[key], place = pair
        if text.startswith(", ", place):
            place += 2
    return pairs, place + 1


def _as_it_was(text: bytes) -> bytes:
    """Bytes that are no UTF-8, as they stood in the line."""
    return text.decode("utf-8", "surrogatepass").encode("utf-8", "surrogateescape")


ENVELOPE = FluentBitStdout()
