"""JSON formats that an operator of a mesh wrote, from their templates."""

import json
import pickle
from pathlib import Path

import pytest

from analyzer.errors import UsageError
from analyzer.execution.local import ingest
from analyzer.parsing import BlockReader, format_of, formats_for
from analyzer.parsing.custom_json import CustomJson
from analyzer.parsing.gathering import as_entries
from analyzer.store import Lake

TEMPLATE = json.dumps(
    {
        "ts": "%START_TIME(%s.%3f)%",
        "http": {"verb": "%REQ(:METHOD)%", "vhost": "%REQ(:AUTHORITY)%", "line": "%REQ(:PATH)% %PROTOCOL%"},
        "to": "%DOWNSTREAM_LOCAL_ADDRESS%",
        "grp": "%UPSTREAM_CLUSTER%",
        "meta": "%DYNAMIC_METADATA(envoy.filters.http.rbac)%",
        "pod": "%ENVIRONMENT(POD_NAME)%",
        "tenant": "%REQ(X-TENANT)%",
        "env": "prod",
    }
)
LINE = {
    "ts": "1527590590.528",
    "http": {"verb": "GET", "vhost": "a.example", "line": "/x HTTP/1.1"},
    "to": "203.0.113.10:80",
    "grp": "PassthroughCluster;",
    "meta": {"shadow": {"result": "denied"}},
    "pod": "web-0",
    "tenant": "acme",
    "env": "prod",
}


def values(line: object) -> dict[str, str]:
    found = CustomJson(TEMPLATE).read_line(json.dumps(line))
    assert found is not None
    return found.values


def test_every_leaf_fills_the_field_of_its_operator() -> None:
    found = values(LINE)

    assert (found["method"], found["authority"], found["path"], found["protocol"]) == (
        "GET",
        "a.example",
        "/x",
        "HTTP/1.1",
    )
    assert (found["start_time"], found["source_pod"]) == ("2018-05-29T10:43:10.528000Z", "web-0")
    assert found["upstream_cluster"] == "PassthroughCluster;"
    assert json.loads(found["extra"]) == {"meta": {"shadow": {"result": "denied"}}, "tenant": "acme"}


def test_empty_values_may_be_left_out_and_other_keys_are_kept() -> None:
    found = values({"ts": "1527590590.528", "to": "203.0.113.10:443", "grp": None, "cluster": "eu-1"})

    assert found == {
        "start_time": "2018-05-29T10:43:10.528000Z",
        "downstream_local_address": "203.0.113.10:443",
        "extra": '{"cluster":"eu-1"}',
    }


def test_an_object_with_other_keys_is_not_of_the_format() -> None:
    assert CustomJson(TEMPLATE).read_line('{"level": "info", "msg": "x"}') is None


def test_a_leaf_of_two_operators_that_can_be_read_twice_is_not_believed() -> None:
    log_format = CustomJson('{"r": "%REQ(USER-AGENT)% %REQ(X-A)%", "code": "%RESPONSE_CODE%"}')

    found = log_format.read_line('{"r": "a b c", "code": 200}')

    assert found is not None
    assert (found.tampered, found.values) == (True, {"response_code": "200"})


@pytest.mark.parametrize("template", ["{", "{}", '{"a": "b"}', '["%START_TIME%"]'])
def test_what_is_no_template_says_so(template: str) -> None:
    with pytest.raises(UsageError):
        CustomJson(template)


def test_a_template_goes_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(format_of(TEMPLATE))) == CustomJson(TEMPLATE)
    assert formats_for(TEMPLATE) == [CustomJson(TEMPLATE)]


def test_a_template_reads_a_log_into_the_lake(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(json.dumps(LINE) + "\n")

    tally = ingest([str(tmp_path / "a.log")], str(tmp_path / "lake"), log_format=TEMPLATE)

    assert tally.formats == {"custom_json": 1}
    (batch,) = Lake(tmp_path / "lake").entries(["host", "egress_class", "source_pod", "upstream_cluster"])
    assert batch.to_pylist() == [
        {
            "upstream_cluster": "PassthroughCluster",
            "source_pod": "web-0",
            "egress_class": "passthrough",
            "host": "a.example",
        }
    ]


FLAT = {
    "ts": "%START_TIME(%s.%3f)%",
    "v": "%PROTOCOL%",
    "vhost": "%REQ(:AUTHORITY)%",
    "to": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "grp": "%UPSTREAM_CLUSTER%",
    "tenant": "%REQ(X-TENANT)%",
    "id": "%CONNECTION_ID%",
    "env": "prod",
}
WRITTEN = {"ts": "1527590590.528", "v": "HTTP/2", "vhost": "a", "to": "203.0.113.10:80", "id": 7, "env": "prod"}


@pytest.mark.parametrize("more", [{}, {"other": "key"}, {"ts": "x"}, {"vhost": None, "to": "-"}, {"tenant": {"a": 1}}])
def test_many_objects_are_read_as_one_by_one(more: dict[str, object]) -> None:
    log_format = CustomJson(json.dumps(FLAT))
    lines = [json.dumps(WRITTEN), json.dumps(WRITTEN | more), json.dumps({"env": "prod"}), "{}", "junk"]

    parsed = BlockReader([log_format]).read("\n".join(lines).encode())

    read = {
        line: {name: column[row].as_py() for name, column in entries.columns.items() if column[row].is_valid}
        for entries in parsed.entries
        for row, line in enumerate(entries.lines.tolist())
    }
    for line in (0, 1):
        (alone,) = BlockReader([log_format]).read(lines[line].encode()).entries
        by_hand = as_entries("custom_json", [(0, found)]) if (found := log_format.read_line(lines[line])) else alone
        for one in (alone, by_hand):
            assert read[line] == {name: c[0].as_py() for name, c in one.columns.items() if c[0].is_valid}
    assert sorted(read) == [0, 1]
    assert len(parsed.rejected) == 3
