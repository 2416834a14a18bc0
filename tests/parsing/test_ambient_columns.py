"""ztunnel's lines by the column against the same lines one by one: what the kernel reads means the same."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analyzer.parsing import known_formats
from analyzer.parsing.by_line import read_by_line
from analyzer.parsing.native import library
from tests.lines import ztunnel_json, ztunnel_text
from tests.parsing.test_native import damaged, values

pytestmark = pytest.mark.skipif(library() is None, reason="no C compiler was at hand when this was installed")

_WRITERS = {"ztunnel_text": ztunnel_text, "ztunnel_json": ztunnel_json}
_KINDS: list[dict[str, str]] = [
    {},
    {"service": "db.example.com", "dst__workload": "db-0", "dst__identity": "spiffe://cluster.local/ns/x/sa/y"},
    {"service": "db.example.com", "dst__hbone_addr": "240.240.0.5:443", "direction": "inbound"},
    {"error": "connection failed: Connection refused (os error 111)"},
    {"message": "connection failed", "error": "http status: 401 Unauthorized", "src__cluster": "east"},
    {"message": "connection opened"},
    {"direction": "sideways"},
    {"src__workload": "", "service": ""},
    {"error": 'a "quote" and é'},
]
LINES = {name: [write(**kind) for kind in _KINDS] for name, write in _WRITERS.items()}
LINES["ztunnel_text"] += [*map(ztunnel_text, ["connection complete"] * 2, [" ", "  \t"]), ztunnel_text()[28:]]
DAMAGED = st.sampled_from(sorted(LINES)).flatmap(
    lambda name: st.tuples(st.just(name), st.lists(damaged(LINES[name]), min_size=1, max_size=5))
)


def alike(name: str, lines: list[str]) -> int:
    """How many lines the kernel reads, having seen that each means the same by itself and the others are untouched."""
    log_format: Any = known_formats()[name]
    reading = log_format.read("\n".join(lines).encode())
    read, left = values(reading), dict(reading.odd)
    for number, row in read.items():
        alone = values(read_by_line(log_format, lines[number].encode()))[0]
        assert all(row.get(field) == alone.get(field) for field in row.keys() | alone.keys()), lines[number]
    assert left == {number: line.encode() for number, line in enumerate(lines) if line and number not in read}
    return len(read)


@given(DAMAGED)
@example(("ztunnel_text", [ztunnel_text(service="-")]))
@example(("ztunnel_text", [ztunnel_text() + " a=b a=c"]))
@example(("ztunnel_text", [ztunnel_text(error="x") + ' dst.hbone_addr=""']))
@example(("ztunnel_json", [ztunnel_json(service=""), ztunnel_json(dst__addr="-")]))
@example(("ztunnel_json", [ztunnel_json().replace("access", "dns"), ztunnel_json().replace('"outbound"', "null")]))
def test_what_the_kernel_reads_means_the_same_line_by_line(found: tuple[str, list[str]]) -> None:
    alike(*found)


@pytest.mark.parametrize("name", sorted(_WRITERS))
def test_plain_lines_of_every_kind_are_read_by_the_kernel(name: str) -> None:
    assert alike(name, LINES[name][:5] * 3) == 15


def test_lines_whose_tabs_became_blanks_are_read_by_the_kernel() -> None:
    assert alike("ztunnel_text", [ztunnel_text(blank=" "), ztunnel_text(blank="     ")]) == 2


@pytest.mark.parametrize("duration", ["0ms", "63ms", "63", "007ms", "ms", "63msms", "1" * 12, "1" * 13, "9" * 19])
@pytest.mark.parametrize("time", ["0001-01-01T00:00:00.05Z", "0999-12-31T00:00:00Z", "2024-02-29T23:59:59.123456789Z"])
def test_a_connection_began_at_the_same_moment_either_way(duration: str, time: str) -> None:
    content = json.loads(ztunnel_json()) | {"time": time, "duration": duration}
    text = ztunnel_text().replace("63ms", duration).replace("2026-03-02T10:00:00.063000Z", time)

    assert alike("ztunnel_json", [json.dumps(content)]) == alike("ztunnel_text", [text]) == 1


def test_more_unknown_keys_than_the_kernel_holds_lose_none() -> None:
    more = {f"extra_{'abcdefghijklmnopqrstuvwxyz'[n]}": str(n) for n in range(20)}

    (entry,) = values(read_by_line(known_formats()["ztunnel_text"], ztunnel_text(**more).encode())).values()

    assert alike("ztunnel_text", [ztunnel_text(**more)]) == 0
    assert json.loads(entry["extra"]) == more
