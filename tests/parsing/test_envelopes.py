import json

import pytest

from analyzer.parsing import BlockReader
from analyzer.parsing.envelopes import known_envelopes
from analyzer.parsing.peeling import mostly_wrapped, peel, read_peeled
from tests.lines import HTTP, as_json, text
from tests.rows import row

LINE = text(HTTP, authority="api.example.com")
SAMPLES = {
    "cri": ("2026-03-02T10:00:01.123456789Z stdout F " + LINE, {}),
    "docker_json": (json.dumps({"log": LINE + "\n", "stream": "stdout", "time": "2026-03-02T10:00:01Z"}, separators=(",", ":")), {}),
    "kubectl_prefix": ("[pod/web-7c5d8f9b6d-k8wzn/istio-proxy] " + LINE, {"source_pod": "web-7c5d8f9b6d-k8wzn"}),
    "kubectl_timestamps": ("2026-03-02T10:00:01.123456789Z " + LINE, {}),
    "stern": ("web-7c5d8f9b6d-k8wzn istio-proxy " + LINE, {"source_pod": "web-7c5d8f9b6d-k8wzn"}),
}  # fmt: skip


def test_every_envelope_has_a_sample() -> None:
    assert set(SAMPLES) == set(known_envelopes())


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_an_envelope_is_taken_off_by_its_own_part_alone(name: str) -> None:
    line, labels = SAMPLES[name]

    peeled = {
        envelope.name: envelope.peel(line.encode())
        for envelope in known_envelopes().values()
        if envelope.recognizes(line.encode()) and envelope.peel(line.encode()) is not None
    }

    assert peeled == {name: (LINE.encode(), labels)}


@pytest.mark.parametrize("bare", [LINE, as_json(HTTP), "2026-03-02T09:00:01.123456Z\tinfo\txdsproxy\tconnected"])
def test_a_bare_line_is_in_no_envelope(bare: str) -> None:
    assert [e.name for e in known_envelopes().values() if e.recognizes(bare.encode()) and e.peel(bare.encode())] == []


def test_envelopes_come_off_in_any_nesting() -> None:
    nested = "[pod/web-0/istio-proxy] 2026-03-02T10:00:01.123456789Z stdout F " + LINE

    peeled = peel(nested.encode())

    assert peeled.data.decode() == LINE
    assert peeled.labels[0] == {"source_pod": "web-0"}
    assert dict(peeled.envelopes) == {"kubectl_prefix": 1, "cri": 1}


def test_half_a_line_stays_in_its_envelope() -> None:
    part = "2026-03-02T10:00:01.123456789Z stdout P " + LINE[:80]

    assert peel(part.encode()).data.decode() == part


def test_bare_lines_are_not_looked_into() -> None:
    assert not mostly_wrapped((LINE + "\n").encode() * 20)
    assert row(LINE)["host"] == "api.example.com"


@pytest.mark.parametrize("wrapped", [1, 19, 40])
def test_a_wrapped_line_is_read_however_many_stand_round_it(wrapped: int) -> None:
    line = SAMPLES["kubectl_prefix"][0]
    block = "\n".join([line] * wrapped + ["junk"] + [LINE] * (40 - wrapped)).encode()

    parts = read_peeled(BlockReader(), block)

    assert sorted(number for parsed, _ in parts for entries in parsed.entries for number in entries.lines) == [
        *range(wrapped),
        *range(wrapped + 1, 41),
    ]
    assert [rejection.line for parsed, _ in parts for rejection in parsed.rejected] == [wrapped]
    assert sum(peeled.envelopes.total() for _, peeled in parts if peeled) == wrapped
    assert {
        number for _, peeled in parts if peeled for number, labels in peeled.labels.items() if "source_pod" in labels
    } == set(range(wrapped))
