import json
from collections import Counter
from collections.abc import Mapping

import pytest

from analyzer.parsing import BlockReader
from analyzer.parsing.envelopes import known_envelopes
from analyzer.parsing.parsed import Reason
from analyzer.parsing.peeling import mostly_wrapped, read_peeled
from tests.lines import HTTP, as_json, text
from tests.rows import row

LINE = text(HTTP, authority="api.example.com")
POD = {"source_pod": "web-7c5d8f9b6d-k8wzn"}
PROXY = POD | {"container": "istio-proxy"}
SAMPLES = {
    "cri": ("2026-03-02T10:00:01.123456789Z stdout F " + LINE, {}),
    "docker_json": (json.dumps({"log": LINE + "\n", "stream": "stdout", "time": "2026-03-02T10:00:01Z"}, separators=(",", ":")), {}),
    "kubectl_prefix": ("[pod/web-7c5d8f9b6d-k8wzn/istio-proxy] " + LINE, PROXY),
    "kubectl_timestamps": ("2026-03-02T10:00:01.123456789Z " + LINE, {}),
    "stern": ("web-7c5d8f9b6d-k8wzn istio-proxy " + LINE, PROXY),
}  # fmt: skip


def test_every_envelope_has_a_sample() -> None:
    assert set(SAMPLES) == set(known_envelopes())


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_an_envelope_is_taken_off_by_its_own_part_alone(name: str) -> None:
    line, labels = SAMPLES[name]

    peeled = {
        envelope.name: [(record.text, record.claims) for record in records]
        for envelope in known_envelopes().values()
        if envelope.recognizes(line.encode()) and (records := envelope.peel(line.encode())) is not None
    }

    assert peeled == {name: [(LINE.encode(), labels)]}


@pytest.mark.parametrize("bare", [LINE, as_json(HTTP), "2026-03-02T09:00:01.123456Z\tinfo\txdsproxy\tconnected"])
def test_a_bare_line_is_in_no_envelope(bare: str) -> None:
    assert [e.name for e in known_envelopes().values() if e.recognizes(bare.encode()) and e.peel(bare.encode())] == []


def found(block: str | bytes) -> tuple[list[tuple[int, Mapping[str, str]]], list[tuple[int, str]], Counter[str]]:
    """Entries as (line, labels), rejected lines as (line, reason), and the envelopes that were taken off."""
    entries: list[tuple[int, Mapping[str, str]]] = []
    rejected: list[tuple[int, str]] = []
    envelopes: Counter[str] = Counter()
    for parsed, peeled in read_peeled(BlockReader(), block if isinstance(block, bytes) else block.encode()):
        if peeled is not None:
            envelopes += peeled.envelopes
        for record in [number for entries_ in parsed.entries for number in entries_.lines.tolist()]:
            labels = {} if peeled is None else peeled.labels[peeled.codes[record]]
            entries.append((record if peeled is None else int(peeled.lines[record]), labels))
        rejected += [
            (refused.line if peeled is None else int(peeled.lines[refused.line]), refused.reason)
            for refused in parsed.rejected
        ]
    return sorted(entries, key=lambda entry: entry[0]), sorted(rejected), envelopes


def test_envelopes_come_off_in_any_nesting() -> None:
    nested = "[pod/web-0/istio-proxy] 2026-03-02T10:00:01.123456789Z stdout F " + LINE

    assert found(nested) == (
        [(0, {"source_pod": "web-0", "container": "istio-proxy"})],
        [],
        Counter(kubectl_prefix=1, cri=1),
    )


def cri(text: str, tag: str = "F", stream: str = "stdout") -> str:
    return f"2026-03-02T10:00:01.123456789Z {stream} {tag} {text}"


def test_the_parts_of_a_line_are_joined_also_where_streams_interleave() -> None:
    block = [
        cri(LINE[:50], "P"),
        cri(LINE[:70], "P", "stderr"),
        cri(LINE[50:90], "P"),
        cri(LINE[70:], "F", "stderr"),
        cri(LINE[90:]),
        cri(LINE),
    ]

    assert found("\n".join(block)) == ([(0, {}), (1, {}), (5, {})], [], Counter(cri=3))


def test_parts_of_different_pods_are_never_joined() -> None:
    block = [
        "[pod/web-0/istio-proxy] " + cri(LINE[:50], "P"),
        "[pod/web-1/istio-proxy] " + cri(LINE[:50], "P"),
        "[pod/web-1/istio-proxy] " + cri(LINE[50:]),
        "[pod/web-0/istio-proxy] " + cri(LINE[50:]),
    ]

    entries, rejected, _ = found("\n".join(block))

    assert [(line, labels["source_pod"]) for line, labels in entries] == [(0, "web-0"), (1, "web-1")]
    assert rejected == []


def test_half_a_line_proves_nothing() -> None:
    assert found(cri(LINE[:80], "P"))[:2] == ([], [(0, Reason.PARTIAL)])


def docker(text: str) -> str:
    return json.dumps({"log": text, "stream": "stdout", "time": "2026-03-02T10:00:01Z"})


def test_what_docker_cut_is_joined() -> None:
    block = [docker(LINE[:50]), docker(LINE[50:] + "\n"), docker(LINE + "\n")]

    assert found("\n".join(block))[:2] == ([(0, {}), (2, {})], [])


def test_docker_records_without_line_ends_are_lines_of_their_own() -> None:
    assert found("\n".join([docker(LINE), docker(LINE), docker(LINE)]))[:2] == ([(0, {}), (1, {}), (2, {})], [])


def test_a_part_that_begins_as_a_line_does_is_still_a_part() -> None:
    long = text(HTTP, authority="api.example.com", user_agent="a" * (1 << 14))

    entries, rejected, _ = found("\n".join([docker(long[: 1 << 14]), docker(LINE + long[1 << 14 :] + "\n")]))

    assert [line for line, _ in entries] + [line for line, _ in rejected] == [0]


def test_lines_of_another_container_are_no_access_log_however_they_look() -> None:
    block = f"[pod/web-0/app] {LINE}\n[pod/web-0/istio-proxy] {LINE}\n[pod/web-0/app] {LINE}"

    entries, rejected, _ = found(block)

    assert [line for line, _ in entries] == [1]
    assert rejected == [(0, Reason.NOT_AN_ACCESS_LOG), (2, Reason.NOT_AN_ACCESS_LOG)]


def test_what_an_application_prints_does_not_change_who_printed_it() -> None:
    forged = "[pod/web-0/istio-proxy] [pod/bank-0/istio-proxy] " + LINE

    entries, _, _ = found(forged)

    assert entries == [(0, {"source_pod": "web-0", "container": "istio-proxy"})]


def test_sterns_colours_and_namespaces_are_taken_off_but_not_what_an_application_prints() -> None:
    pod = "web-7c5d8f9b6d-k8wzn"
    coloured = f"\x1b[38;5;1m{pod}\x1b[0m \x1b[38;5;2mistio-proxy\x1b[0m {LINE}"

    assert found(coloured)[0] == [(0, PROXY)]
    assert found(f"shop {pod} istio-proxy {LINE}")[0] == [(0, PROXY | {"source_namespace": "shop"})]
    assert found(f"{pod} app istio-proxy {LINE}")[:2] == ([], [(0, Reason.NOT_AN_ACCESS_LOG)])


def test_an_envelope_without_a_line_is_counted() -> None:
    assert found(cri(""))[:2] == ([], [(0, Reason.NOT_AN_ACCESS_LOG)])


def test_bare_lines_are_not_looked_into() -> None:
    assert not mostly_wrapped((LINE + "\n").encode() * 20)
    assert row(LINE)["host"] == "api.example.com"


@pytest.mark.parametrize("wrapped", [1, 19, 40])
def test_a_wrapped_line_is_read_however_many_stand_round_it(wrapped: int) -> None:
    line = SAMPLES["kubectl_prefix"][0]
    block = "\n".join([line] * wrapped + ["junk"] + [LINE] * (40 - wrapped)).encode()

    entries, rejected, envelopes = found(block)

    assert [number for number, _ in entries] == [*range(wrapped), *range(wrapped + 1, 41)]
    assert [number for number, _ in rejected] == [wrapped]
    assert envelopes.total() == wrapped
    assert {number for number, labels in entries if "source_pod" in labels} == set(range(wrapped))
