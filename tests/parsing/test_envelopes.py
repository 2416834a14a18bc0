import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from analyzer.parsing import BlockReader, formats_for
from analyzer.parsing.envelopes import known_envelopes
from analyzer.parsing.glances import may_be_wrapped, unwrap
from analyzer.parsing.layers import peel, peel_lines
from analyzer.parsing.parsed import Reason
from analyzer.parsing.peeling import mostly_wrapped, read_peeled
from tests.lines import BLOCKED_TCP, HTTP, als_entry, as_json, gcp_entry, otlp, snake, text
from tests.rows import row

LINE = text(HTTP, authority="api.example.com")
POD = "web-7c5d8f9b6d-k8wzn"
PROXY = {"source_pod": POD, "container": "istio-proxy"}
WRITER = PROXY | {"source_namespace": "shop"}
TIME = "2026-03-02T10:00:01"
PATH = f"var.log.containers.{POD}_shop_istio-proxy-{'0a' * 32}.log"
KUBERNETES = {"pod_name": POD, "namespace_name": "shop", "container_name": "istio-proxy", "labels": {"app": "web"}}
LABELS = {"cluster": "east", "namespace": "shop", "pod": POD, "container": "istio-proxy", "app": "web"}
ECS = {"kubernetes": {"pod": {"name": POD}, "namespace": "shop", "container": {"name": "istio-proxy"}}}
ENTRY = json.loads(as_json(HTTP, authority="api.example.com"))
EAST = WRITER | {"source_cluster": "east"}
GCP_POD = {
    "type": "k8s_container",
    "labels": {
        "project_id": "p",
        "cluster_name": "east",
        "namespace_name": "shop",
        "pod_name": POD,
        "container_name": "istio-proxy",
    },
}
OTLP_POD = {"source_pod": "shop-5b8c7d6f49-m4v9t"}
WRITER_OF_NODE = {"source_pod": POD, "source_namespace": "shop"}
ALS = {"identifier": {"node": {"id": f"sidecar~10.0.0.1~{POD}.shop~shop.svc.cluster.local"}, "logName": "x"}}
SAMPLES: dict[str, list[tuple[Any, list[Mapping[str, str]]]]] = {
    "als_message": [
        (ALS | {"httpLogs": {"logEntry": [als_entry(HTTP), als_entry(HTTP)]}}, [WRITER_OF_NODE, WRITER_OF_NODE]),
        ({"tcp_logs": {"log_entry": [snake(als_entry(BLOCKED_TCP))]}}, [{}]),
    ],
    "cloudwatch_events": [
        ({"events": [{"timestamp": 1, "message": LINE, "ingestionTime": 2}] * 2, "nextForwardToken": "f/1"}, [{}, {}]),
        ({"events": [{"logStreamName": "ip-10-0-0-1-application." + PATH, "timestamp": 1, "message": LINE, "eventId": "3"}]}, [WRITER]),
        ({"results": [[{"field": "@timestamp", "value": TIME}, {"field": "@message", "value": LINE}, {"field": "@ptr", "value": "C"}]], "status": "Complete"}, [{}]),
        ({"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "/eks", "logStream": "node-" + PATH, "logEvents": [{"id": "1", "timestamp": 1, "message": LINE}]}, [WRITER]),
    ],
    "cloudwatch_text": [(f"{TIME}.123Z {LINE}", [{}]), (f"{TIME}.123000+00:00 ip-10-0-0-1-application.{PATH} {LINE}", [WRITER])],
    "azure_container_log": [
        ({"TimeGenerated": TIME, "PodName": POD, "PodNamespace": "shop", "ContainerName": "istio-proxy", "LogMessage": LINE, "LogSource": "stdout"}, [WRITER]),
        ({"tables": [{"name": "PrimaryResult", "columns": [{"name": "LogMessage", "type": "dynamic"}, {"name": "PodName", "type": "string"}], "rows": [[LINE, POD]]}]}, [{"source_pod": POD}]),
    ],
    "cri": [(f"{TIME}.123456789Z stdout F {LINE}", [{}]), (f"{TIME}.5+01:00 stderr F:tag {LINE}", [{}])],
    "datadog": [
        ({"data": [{"id": "A", "type": "log", "attributes": {"message": LINE, "service": "web", "tags": [f"pod_name:{POD}", "kube_namespace:shop", "kube_container_name:istio-proxy", "kube_cluster_name:east"]}}], "meta": {}}, [EAST]),
        ({"logs": [{"id": "A", "content": {"message": LINE, "tags": [f"pod_name:{POD}"]}}], "status": "done"}, [{"source_pod": POD}]),
        ({"id": "A", "content": {"message": LINE, "tags": [f"pod_name:{POD}"]}}, [{"source_pod": POD}]),
        ({"_id": "A", "date": TIME + "Z", "host": "node", "service": "web", "source": "envoy", "status": "info", "message": LINE, "tags": [f"pod_name:{POD}", "kube_namespace:shop"]}, [{"source_pod": POD, "source_namespace": "shop"}]),
    ],
    "docker_json": [({"log": LINE + "\n", "stream": "stdout", "time": TIME + "Z"}, [{}])],
    "elasticsearch": [
        ({"_index": "logs", "_id": "1", "_source": {"@timestamp": TIME, "message": LINE, **ECS}}, [WRITER]),
        ({"took": 1, "hits": {"total": {"value": 2}, "hits": [{"_index": "logs", "_id": "1", "_source": {"log": LINE + "\n", "kubernetes": KUBERNETES}}] * 2}}, [WRITER, WRITER]),
        ([{"_index": "logs", "_source": {"message": LINE, **ECS}}], [WRITER]),
        ({"_index": "logs", "_id": "1", "fields": {"message": [LINE], "kubernetes.pod.name": [POD], "kubernetes.namespace": ["shop"], "kubernetes.container.name": ["istio-proxy"]}}, [WRITER]),
    ],
    "fluent_bit_file": [(f'kube.{PATH}: [1772445601.123456, {{"log":{json.dumps(LINE)}}}]', [WRITER])],
    "fluent_record": [
        ({"log": LINE + "\n", "stream": "stdout", "time": TIME, "kubernetes": KUBERNETES}, [WRITER]),
        ({"@timestamp": TIME, "message": LINE, **ECS, "orchestrator": {"cluster": {"name": "east"}}}, [EAST]),
        ({"date": 1772445601.1, "log": LINE}, [{}]),
        ({"log": LINE, "container_name": f"/k8s_istio-proxy_{POD}_shop_11111111-2222_0", "container_id": "c", "source": "stdout"}, [WRITER]),
        ({"time": TIME, "stream": "stdout", "logtag": "F", "message": LINE}, [{}]),
        ([{"date": 1772445601.1, "log": LINE, "kubernetes": KUBERNETES}] * 2, [WRITER, WRITER]),
    ],
    "fluent_bit_stdout": [
        (f'[0] kube.{PATH}: [[1772445601.123456000, {{}}], {{"time"=>"{TIME}", "stream"=>"stdout", "_p"=>"F", "log"=>"{LINE}", "kubernetes"=>{{"pod_name"=>"{POD}", "namespace_name"=>"shop", "labels"=>{{"app"=>"web", "n"=>"1"}}, "container_name"=>"istio-proxy"}}}}]', [WRITER]),
        (f'[12] app: [1772445601.123456000, {{"log"=>"{LINE}"}}]', [{}]),
        (f'[0] kube.{PATH}: [[1772445601.123456000, {{}}], {{"log"=>"{LINE}', [WRITER]),
        (f'[0] kube.{PATH}: [[1.0, {{}}], {{"log"=>"{LINE}", "stream"=>"stdout", "kubernetes"=>{{"annotations"=>{{"a"=>"{{"b": "c"}}"}}}}}}]', [WRITER]),
        (f'[0] app: [[1.0, {{}}], {{"date"=>1.5, "log"=>"{json.dumps(ENTRY)}", "ok"=>true}}]', [{}]),
    ],
    "fluentd_file": [(f"2026-03-02 10:00:01.123456789 +0000 kube.{PATH}: " + json.dumps({"log": LINE}), [WRITER]), (f"{TIME}+00:00\tkube.{PATH}\t" + json.dumps({"log": LINE}), [WRITER])],
    "gcp_log_entry": [
        ({"logName": "projects/p/logs/stdout", "resource": GCP_POD, "textPayload": LINE + "\n"}, [EAST]),
        ({"logName": "projects/p/logs/stdout", "resource": GCP_POD, "jsonPayload": ENTRY}, [EAST]),
        ({"logName": "projects/p/logs/stdout", "resource": GCP_POD, "jsonPayload": {"message": LINE}}, [EAST]),
        ([gcp_entry(HTTP), gcp_entry(HTTP)], [{}, {}]),
    ],
    "gelf": [
        ({"version": "1.1", "host": "node", "short_message": LINE, "timestamp": 1772445601.1, "level": 6, "_kubernetes_pod_name": POD, "_kubernetes_namespace_name": "shop", "_kubernetes_container_name": "istio-proxy"}, [WRITER]),
        ({"version": "1.1", "host": "node", "short_message": LINE[:60], "full_message": LINE, "timestamp": 1, "_container_name": f"k8s_istio-proxy_{POD}_shop_11111111-2222_0"}, [WRITER]),
        ({"version": "1.1", "host": "node", "short_message": "parsed", "timestamp": 1, **{f"_{key}": value for key, value in ENTRY.items()}}, [{}]),
    ],
    "grep": [
        (f"12:{LINE}", [{}]),
        (f"logs/access.log:{LINE}", [{}]),
        (f"/var/log/containers/{PATH[19:]}:13:{LINE}", [WRITER]),
        ("access.log:" + json.dumps(ENTRY), [{}]),
    ],
    "json_text": [(json.dumps(LINE), [{}]), (json.dumps(json.dumps(ENTRY)), [{}])],
    "journald_json": [
        ({"MESSAGE": LINE, "CONTAINER_NAME": f"k8s_istio-proxy_{POD}_shop_11111111-2222_0", "__REALTIME_TIMESTAMP": "1", "_HOSTNAME": "node"}, [WRITER]),
    ],
    "json_array": [([ENTRY, ENTRY], [{}, {}]), ([LINE], [{}])],
    "json_array_element": [(json.dumps(ENTRY) + ",", [{}]), ("  " + json.dumps(ENTRY) + ",", [{}])],
    "otlp": [
        (otlp(LINE + "\n", LINE), [OTLP_POD, OTLP_POD]),
        (otlp(LINE, scopes="instrumentationLibraryLogs"), [OTLP_POD]),
        (otlp(ENTRY), [OTLP_POD]),
        (otlp("-", attributes=ENTRY), [OTLP_POD]),
    ],
    "kubectl_prefix": [(f"[pod/{POD}/istio-proxy] {LINE}", [PROXY])],
    "kubectl_timestamps": [(f"{TIME}.123456Z {LINE}", [{}]), (f"{TIME}.123456789Z {LINE}", [{}])],
    "loki_jsonl": [
        ({"labels": LABELS, "line": LINE, "timestamp": TIME + "Z"}, [EAST]),
        ([{"line": LINE, "timestamp": "1", "date": TIME, "fields": LABELS}], [EAST]),
    ],
    "loki_logcli": [
        (f'{TIME}Z {{cluster="east", container="istio-proxy", namespace="shop", pod="{POD}"}}   {LINE}', [EAST]),
        (f"\x1b[34m{TIME}+01:00\x1b[0m \x1b[31m{{}}\x1b[0m {LINE}", [{}]),
        (f"{TIME}Z {LINE}", [{}]),
    ],
    "loki_query": [
        ({"status": "success", "data": {"resultType": "streams", "result": [{"stream": LABELS, "values": [["1", LINE], ["2", LINE]]}], "stats": {}}}, [EAST, EAST]),
        ({"stream": LABELS, "values": [["1", LINE]]}, [EAST]),
        ({"streams": [{"stream": {"namespace": "shop"}, "values": [["1", LINE, {"pod": POD}]]}]}, [{"source_namespace": "shop", "source_pod": POD}]),
    ],
    "splunk": [
        ({"preview": False, "offset": 0, "result": {"_raw": LINE, "namespace": "shop", "pod": POD, "container_name": "istio-proxy", "cluster_name": "east"}}, [EAST]),
        ({"results": [{"_raw": LINE, "k8s.pod.name": POD}]}, [{"source_pod": POD}]),
        ({"time": 1.5, "host": "node", "source": "/var/log/containers/" + PATH[19:], "sourcetype": "kube", "event": LINE, "fields": {"k8s.cluster.name": "east"}}, [EAST]),
    ],
    "stern": [(f"{POD} istio-proxy {LINE}", [PROXY])],
    "stern_json": [
        ({"message": LINE, "nodeName": "node", "namespace": "shop", "podName": POD, "containerName": "istio-proxy"}, [WRITER]),
        ({"pod": POD, "container": "istio-proxy", "message": ENTRY}, [PROXY]),
    ],
    "syslog_rfc3164": [
        (f"<13>Mar  2 10:00:01 node istio-proxy[12]: {LINE}", [{}]),
        (f"Mar  2 10:00:01 node {POD}: {LINE}", [{}]),
        (f"{TIME}.123456+00:00 node envoy: {LINE}", [{}]),
    ],
    "syslog_rfc5424": [
        (f"<165>1 {TIME}.003Z node envoy 12 - - {LINE}", [{}]),
        (f'321 <165>1 {TIME}Z node envoy - ID [k8s@1 namespace_name="shop" pod_name="{POD}"] \ufeff{LINE}', [{"source_namespace": "shop", "source_pod": POD}]),
    ],
}  # fmt: skip


def as_line(sample: Any) -> bytes:
    return (sample if isinstance(sample, str) else json.dumps(sample)).encode()


def test_every_envelope_has_a_sample() -> None:
    assert set(SAMPLES) | {"csv_export"} == set(known_envelopes())  # a table is no line: see test_framing


CASES = [
    pytest.param(name, *sample, id=f"{name}-{n}") for name in sorted(SAMPLES) for n, sample in enumerate(SAMPLES[name])
]


@pytest.mark.parametrize(("name", "sample", "writers"), CASES)
def test_an_envelope_is_taken_off_by_its_own_part_alone(
    name: str, sample: Any, writers: list[Mapping[str, str]]
) -> None:
    line = as_line(sample)

    peeled = {
        envelope.name: [record.claims for record in records]
        for envelope in known_envelopes().values()
        if envelope.recognizes(line) and (records := envelope.peel(line)) is not None
    }

    assert peeled == {name: writers}


@pytest.mark.parametrize(("name", "sample", "writers"), CASES)
@pytest.mark.parametrize("indent", [b"", b" ", b"\t"])
def test_a_glance_at_a_line_overlooks_no_envelope(
    name: str, sample: Any, writers: list[Mapping[str, str]], indent: bytes
) -> None:
    line = indent + as_line(sample)
    taken_off = [e.name for e in known_envelopes().values() if e.recognizes(line) and e.peel(line) is not None]

    found = unwrap(line)

    assert ([] if found is None else [found[0]]) == taken_off
    assert may_be_wrapped(line) or not taken_off


@pytest.mark.parametrize(("name", "sample", "writers"), CASES)
def test_what_stands_in_an_envelope_is_read_as_it_is_without(
    name: str, sample: Any, writers: list[Mapping[str, str]]
) -> None:
    entries, rejected, envelopes = found(as_line(sample) + b"\njunk\n" + as_line(sample))

    assert rejected == [(1, Reason.NOT_AN_ACCESS_LOG)]
    assert [line for line, _ in entries] == [0] * len(writers) + [2] * len(writers)
    assert [labels for _, labels in entries] == writers * 2
    assert envelopes[name] == 2 * len(writers)


@pytest.mark.parametrize(
    "agent",
    [
        'x", "kubernetes"=>{"pod_name"=>"evil", "namespace_name"=>"evil"}}]',
        'x", "stream"=>"stdout"}]',
        '", "log"=>"[2026-03-02T10:00:00.000Z] ',
        '", "a"=>"' * 400,
    ],
)
def test_no_client_ends_a_record_that_escapes_nothing(agent: str) -> None:
    line = text(HTTP, authority="api.example.com", user_agent=agent)
    known = '"kubernetes"=>{"pod_name"=>"web-0", "namespace_name"=>"shop", "container_name"=>"istio-proxy"}'

    for end in (f", {known}", ', "stream"=>"stdout"', ""):
        (inner,) = known_envelopes()["fluent_bit_stdout"].peel(
            f'[0] app: [[1.0, {{}}], {{"stream"=>"stdout", "log"=>"{line}"{end}}}]'.encode()
        ) or [None]

        assert inner is not None
        assert inner.text == line.encode()
        assert inner.claims.get("source_namespace") == ("shop" if known in end else None)


@pytest.mark.parametrize("key", [None, "log_processed"])
def test_a_record_that_a_shipper_parsed_is_its_entry(key: str | None) -> None:
    parsed = ENTRY if key is None else {key: ENTRY}
    record = {"@timestamp": TIME, **parsed, "kubernetes": KUBERNETES}

    for sample in (record, {"_index": "logs", "_id": "1", "_source": record}):
        (parts,) = [part for part in read_peeled(BlockReader(), as_line(sample)) if part[0].entries]
        (entries,) = parts[0].entries

        assert entries.columns["authority"].to_pylist() == ["api.example.com"]
        assert parts[1] is not None
        assert parts[1].labels[parts[1].codes[0]] == WRITER


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


def test_where_a_line_was_read_from_is_not_the_line() -> None:
    filebeat = {
        "@timestamp": TIME,
        "log": {"offset": 1, "file": {"path": "/x"}},
        "message": LINE,
        "stream": "stdout",
    } | ECS

    for record in (filebeat, {"_index": "x", "_source": filebeat}):
        assert found(json.dumps(record))[:2] == ([(0, WRITER)], [])


def test_a_block_of_docker_records_may_stand_between_other_envelopes() -> None:
    nested = "\n".join(cri(docker(cri(LINE) + "\n")) for _ in range(3))

    assert found(nested) == ([(number, {}) for number in range(3)], [], Counter(cri=6, docker_json=3))


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
    pod = POD
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
    line = SAMPLES["kubectl_prefix"][0][0]
    block = "\n".join([line] * wrapped + ["junk"] + [LINE] * (40 - wrapped)).encode()

    entries, rejected, envelopes = found(block)

    assert [number for number, _ in entries] == [*range(wrapped), *range(wrapped + 1, 41)]
    assert [number for number, _ in rejected] == [wrapped]
    assert envelopes.total() == wrapped
    assert {number for number, labels in entries if "source_pod" in labels} == set(range(wrapped))


def test_a_block_of_docker_records_is_read_as_its_lines_are() -> None:
    block = "\n".join(
        docker(line + "\n") for line in [LINE, "junk", text(HTTP, user_agent='a "b" \u2028 \\ é'), LINE] * 9
    )

    quick, slow = peel(block.encode()), peel_lines(block.encode().split(b"\n"), None, None).finish()

    assert quick.data == slow.data
    assert quick.lines.tolist() == slow.lines.tolist()
    assert quick.envelopes == slow.envelopes


def test_a_shippers_time_is_never_the_time_of_a_request() -> None:
    renamed = {"verb": "GET", "uri": "/", "http_version": "HTTP/1.1", "status": 200, "response_flags": "-"}
    renamed |= {"upstream_cluster": "PassthroughCluster", "host": "api.example.com"}
    record = {"@timestamp": TIME + "Z", "date": 1772445601.5, "time": TIME + "Z", **renamed, "kubernetes": KUBERNETES}

    times = [
        entries.columns["start_time"].to_pylist()
        for parsed, _ in read_peeled(BlockReader(), as_line(record))
        for entries in parsed.entries
    ]

    assert times == [[None]]


def test_a_line_that_its_format_reads_is_in_no_envelope_though_it_begins_as_one() -> None:
    """Formats without brackets round the time begin as an export of CloudWatch does."""
    custom = formats_for(
        '%START_TIME% [%REQ(:METHOD)%] %PROTOCOL% %RESPONSE_CODE% "%REQ(:AUTHORITY)%" %UPSTREAM_CLUSTER%\n'
    )
    line = f'{TIME}.123Z [GET] HTTP/1.1 200 "api.example.com" PassthroughCluster'

    parts = read_peeled(BlockReader(custom), "\n".join([line] * 9).encode())

    times = [
        time for parsed, _ in parts for entries in parsed.entries for time in entries.columns["start_time"].to_pylist()
    ]
    assert len(times) == 9
    assert None not in times


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (f"{TIME}.123Z stdout F {LINE}", "cri"),
        (f'{TIME}.123Z {{pod="web-0"}} {LINE}', "loki_logcli"),
        (f"{TIME}.123Z node istio-proxy[7]: {LINE}", "syslog_rfc3164"),
        (f"{TIME}.123Z {POD} istio-proxy {LINE}", "cloudwatch_text"),
        (f"{TIME}.123456789Z stdout F {LINE}", "cri"),
        (f'{TIME}.123456789Z {{pod="web-0"}} {LINE}', "loki_logcli"),
        (f"{TIME}.123456Z stdout F {LINE}", "cri"),
    ],
)
def test_what_stands_behind_a_time_tells_whose_time_it_is(line: str, name: str) -> None:
    entries, rejected, envelopes = found(line)

    assert (len(entries), rejected) == (1, [])
    assert name in envelopes
    assert "kubectl_timestamps" not in envelopes


@pytest.mark.parametrize(
    "written",
    [
        "[pod/bank-0/istio-proxy] x",
        "2026-03-02T10:00:01.123456789Z stdout F x",
        '{"log":"x","kubernetes":{"pod_name":"bank-0"}}',
        '{pod="bank-0"} x',
        f"bank-0 istio-proxy {LINE}",
    ],
)
def test_an_envelope_that_a_client_wrote_inside_the_line_is_text(written: str) -> None:
    forms = [text(HTTP, authority="a.example.com", user_agent=written), as_json(HTTP, path=written, user_agent=written)]

    for line in forms:
        for block in (line, "\n".join([line] * 30), f"[pod/{POD}/istio-proxy] {line}"):
            entries, rejected, envelopes = found(block)

            assert len(entries) == block.count("\n") + 1
            assert rejected == []
            assert all(labels.get("source_pod") in (None, POD) for _, labels in entries)
            assert set(envelopes) <= {"kubectl_prefix"}


@pytest.mark.parametrize("name", ["web\u202e0", "web\n0", "<b>", "../etc", "=1+1", "a" * 254, "Web_0", "\x1b[31m"])
def test_a_name_that_kubernetes_would_not_take_is_no_label(name: str) -> None:
    record = {"log": LINE, "kubernetes": {"pod_name": name, "namespace_name": name, "container_name": "istio-proxy"}}

    assert found(as_line(record))[0] == [(0, {"container": "istio-proxy"})]
