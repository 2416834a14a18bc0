import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden import ROOT
from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, HTTP, text


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "analyzer", *arguments], input=stdin, capture_output=True, cwd=ROOT)


@pytest.fixture
def lake(tmp_path: Path) -> str:
    log = tmp_path / "a.log"
    agent = 'evil" =cmd|calc \x1b[31m'.replace("\x1b", "")
    lines = [text(BLOCKED_HTTP), text(BLOCKED_HTTP), text(BLOCKED_TCP), text(HTTP, user_agent=agent), "junk \x1b[2J"]
    log.write_text("\n".join(lines) + "\n")
    made = run("ingest", str(log), "--lake", str(tmp_path / "lake"), "--label", "source_namespace=shop")
    assert made.returncode == 0, made.stderr
    return str(tmp_path / "lake")


def test_ingest_prints_the_tally_as_json(tmp_path: Path) -> None:
    done = run(
        "ingest", "-", "--lake", str(tmp_path / "lake"), "--output", "json", stdin=text(HTTP).encode() + b"\njunk\n"
    )

    tally = json.loads(done.stdout)
    assert tally["lines"] == tally["entries"] + tally["rejected"] + tally["duplicates"] == 2
    assert set(tally) >= {
        "sources",
        "sources_skipped",
        "bytes",
        "rejected_by_reason",
        "formats",
        "envelopes",
        "start",
        "end",
    }


def test_destinations_have_the_keys_of_the_contract(lake: str) -> None:
    found = json.loads(run("destinations", "--lake", lake, "--output", "json").stdout)

    assert {item["host"] for item in found} == {"api.example.com", None}
    keys = "source_namespace source_workload host destination_ip destination_port application_protocol entries by_class"
    keys += " by_result bytes_received bytes_sent first_seen last_seen days_seen pods_seen user_agents examples verdict"
    assert all(set(item) >= set(keys.split()) for item in found)


def test_propose_writes_manifests_and_says_why_not(lake: str, tmp_path: Path) -> None:
    done = run("propose", "--lake", lake, "--out", str(tmp_path / "out"), "--output", "json")

    result = json.loads(done.stdout)
    assert [item["file"] for item in result["proposals"]] == ["manifests/shop/api-example-com.yaml"]
    assert (tmp_path / "out" / "manifests" / "shop" / "api-example-com.yaml").is_file()
    assert {item["code"] for item in result["not_proposed"]} == {"address_only"}
    assert done.returncode == 0


def test_simulate_admits_what_was_proposed(lake: str, tmp_path: Path) -> None:
    run("propose", "--lake", lake, "--out", str(tmp_path / "out"))

    done = run("simulate", "--lake", lake, "--manifests", str(tmp_path / "out" / "manifests"), "--output", "json")

    outcomes = {item["host"]: item["outcome"] for item in json.loads(done.stdout)["destinations"]}
    assert outcomes["api.example.com"] == "allowed"


def test_proposed_manifests_pass_validation(lake: str, tmp_path: Path) -> None:
    run("propose", "--lake", lake, "--out", str(tmp_path / "out"))

    done = run("validate", str(tmp_path / "out" / "manifests"), "--fail-on", "danger", "--output", "json")

    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_a_manifest_that_istio_would_refuse_exits_with_one(tmp_path: Path) -> None:
    path = tmp_path / "se.yaml"
    path.write_text(
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: x}\n"
        "spec:\n  hosts: ['*']\n  exportTo: ['.']\n  ports: [{number: 443, name: tls, protocol: TLS}]\n"
        "  resolution: NONE\n"
    )

    done = run("validate", str(path), "--output", "json")

    (finding,) = json.loads(done.stdout)
    assert (done.returncode, finding["code"], finding["line"]) == (1, "host_invalid", 5)


def test_explain_follows_a_host_to_the_decision(lake: str) -> None:
    found = json.loads(run("explain", "api.example.com", "--lake", lake, "--output", "json").stdout)

    assert found["proposal"]["file"] == "manifests/shop/api-example-com.yaml"
    assert (found["replay"]["outcome"], found["replay_as_is"]["outcome"]) == ("allowed", "blocked")


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_entries_come_out_by_source_and_line(lake: str, tmp_path: Path, kind: str) -> None:
    import pyarrow.csv
    import pyarrow.json
    import pyarrow.parquet

    out = tmp_path / f"entries.{kind}"
    run("entries", "--lake", lake, "--to", kind, "--out", str(out))

    read = {"jsonl": pyarrow.json.read_json, "csv": pyarrow.csv.read_csv, "parquet": pyarrow.parquet.read_table}[kind]
    assert read(str(out))["line_number"].to_pylist() == [1, 2, 3, 4]


def test_a_device_is_written_to_and_not_replaced(lake: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)

    assert run("entries", "--lake", lake, "--out", str(pipe)).returncode == 0

    assert reader.communicate()[0].count(b"\n") == 4
    assert pipe.is_fifo()


def test_a_file_that_could_not_be_written_whole_leaves_no_draft(lake: str, tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))"
    arguments = ["entries", "--lake", lake, "--out", str(tmp_path / "entries.jsonl")]
    code = f"{limit}; import sys; sys.argv[1:] = {arguments!r}; import analyzer.cli as c; c.main()"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT)

    assert (done.returncode, done.stderr.count(b"\n")) == (2, 2)
    assert not list(tmp_path.glob("*entries.jsonl*"))


def test_a_formula_in_a_csv_cell_is_only_text(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(text(HTTP, user_agent="=HYPERLINK(1)") + "\n")
    run("ingest", str(log), "--lake", str(tmp_path / "lake"))

    out = run("entries", "--lake", str(tmp_path / "lake"), "--to", "csv").stdout.decode()

    assert "'=HYPERLINK(1)" in out


def test_log_text_cannot_command_the_terminal(lake: str) -> None:
    out = run("rejected", "--lake", lake).stdout

    assert b"\x1b" not in out
    assert b"\\x1b[2J" in out


def test_an_error_is_two_lines_and_no_traceback(tmp_path: Path) -> None:
    done = run("report", "--lake", str(tmp_path / "nowhere"), "--out", str(tmp_path / "r.html"))

    lines = done.stderr.decode().splitlines()
    assert (done.returncode, len(lines)) == (2, 2)
    assert lines[0].startswith("error: ")
    assert lines[1].startswith("  try: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("ingest",),
        ("nonsense",),
        ("ingest", "x", "--lake"),
        ("ingest", "no/such/file", "--lake", "lake"),
        ("ingest", "README.md", "--lake", "lake", "--label", "nonsense"),
        ("simulate", "--lake", "nowhere", "--manifests", "nowhere"),
        ("ingest", "sample_logs", "--lake", "README.md"),
        ("ingest", "sample_logs", "--lake", "/proc/nowhere"),
        ("run", "sample_logs", "--lake", "reports/none", "--out", "reports/none", "--settings", "README.md"),
    ],
)
def test_wrong_usage_exits_with_two(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)

    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Traceback" not in done.stderr


def test_nothing_to_propose_exits_with_three(tmp_path: Path) -> None:
    done = run("run", "-", "--lake", str(tmp_path / "lake"), "--out", str(tmp_path / "out"), stdin=b"junk\n")

    assert done.returncode == 3


def test_fail_on_finds_what_was_denied(tmp_path: Path) -> None:
    line = text(BLOCKED_HTTP, authority="169.254.169.254", downstream_local_address="169.254.169.254:80").encode()

    done = run(
        "run", "-", "--lake", str(tmp_path / "lake"), "--out", str(tmp_path / "out"), "--fail-on", "denied", stdin=line
    )

    assert done.returncode == 1


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, analyzer.cli; sys.exit(any(m in sys.modules for m in ('pyarrow', 'pandas', 'plotly', 'pydantic')))"
    )

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_catalog_lists_every_part() -> None:
    content = json.loads(run("catalog", "--output", "json").stdout)

    assert {"formats", "envelopes", "detectors", "manifest_kinds", "settings"} <= set(content)
    assert all(item["name"] and item["about"] for items in content.values() for item in items)


def test_a_reader_that_has_heard_enough_is_no_failure(lake: str) -> None:
    command = [sys.executable, "-m", "analyzer", "entries", "--lake", lake]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate()

    assert (process.returncode, errors) == (0, b"")


def test_a_terminal_that_lacks_a_letter_gets_it_written_out(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(text(HTTP, authority="b\u00fccher.example") + "\n", encoding="utf-8")
    run("ingest", str(log), "--lake", str(tmp_path / "lake"))

    command = [sys.executable, "-m", "analyzer", "destinations", "--lake", str(tmp_path / "lake")]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, env=os.environ | {"PYTHONIOENCODING": "ascii"})

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"b\\xfccher.example:80" in done.stdout


@pytest.mark.parametrize(("closing", "status"), [("<&-", 2), (">&-", 0), ("2>&-", 0), (">/dev/full", 2)])
def test_a_stream_that_is_closed_or_full_is_no_fault_of_ours(tmp_path: Path, closing: str, status: int) -> None:
    command = f"'{sys.executable}' -m analyzer ingest - --lake '{tmp_path / 'lake'}' {closing}"
    done = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=ROOT)

    assert done.returncode == status
    assert len(done.stderr.splitlines()) == status  # what, and what to try
    assert "Error" not in done.stderr


def test_without_a_command_there_is_help_and_no_error() -> None:
    done = run()

    assert done.returncode == 2
    assert done.stderr.startswith(b"Usage: ")
    assert b"error:" not in done.stderr


def test_every_command_answers_to_h() -> None:
    commands = [line.split()[0] for line in run("-h").stdout.decode().partition("Commands:\n")[2].splitlines()]

    assert len(commands) == 11
    assert all(run(command, "-h").stdout.startswith(b"Usage: ") for command in commands)


@pytest.mark.parametrize("command", ["entries", "destinations", "rejected", "explain", "report", "propose", "simulate"])
def test_every_result_is_one_json_document_on_request(lake: str, tmp_path: Path, command: str) -> None:
    out = {"report": ["--out", "r.html"], "propose": ["--out", "out"], "simulate": ["--manifests", "none.yaml"]}
    (tmp_path / "none.yaml").write_text("")
    more = [str(tmp_path / text) if "." in text or text == "out" else text for text in out.get(command, [])]
    asked = ["api.example.com"] if command == "explain" else []

    table = run(command, *asked, "--lake", lake, *more, "--output", "table")
    done = run(command, *asked, "--lake", lake, *more, "--output", "json")

    assert isinstance(json.loads(done.stdout), list | dict)
    assert (table.returncode, done.returncode) == (0, 0), table.stderr
    assert table.stdout


def test_entries_are_written_in_one_way(lake: str) -> None:
    assert run("entries", "--lake", lake, "--to", "csv", "--output", "json").returncode == 2
    assert len(json.loads(run("entries", "--lake", lake, "--output", "json").stdout)) == 4
    assert json.loads(run("entries", "--lake", lake, "--output", "json", "--since", "2030-01-01").stdout) == []


@pytest.mark.parametrize("wrong", ["--since", "--until", "--as-of", "--istio-version", "--mesh", "--settings"])
def test_a_mistake_in_an_option_is_said_before_anything_is_read(tmp_path: Path, wrong: str) -> None:
    place = ["--lake", str(tmp_path / "lake"), "--out", str(tmp_path / "out")]

    done = run("run", "sample_logs", *place, wrong, "yesterday")

    assert done.returncode == 2
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize("source", [".", "**"])
def test_a_run_in_the_folder_of_the_logs_does_not_read_what_it_wrote(tmp_path: Path, source: str) -> None:
    (tmp_path / "a.log").write_text(text(HTTP) + "\n")
    command = [sys.executable, "-m", "analyzer", "run", source, "--lake", "lake", "--out", "out/today", "-o", "json"]

    tallies = [json.loads(subprocess.run(command, capture_output=True, cwd=tmp_path).stdout)["tally"] for _ in range(2)]

    assert tallies[0] == tallies[1]
    assert (tallies[0]["sources"], tallies[0]["lines"]) == (1, 1)


def _on_a_terminal(*arguments: str, **environment: str) -> bytes:
    pty = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    command = [sys.executable, "-c", pty, sys.executable, "-m", "analyzer", *arguments]
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    return subprocess.run(command, capture_output=True, check=True, cwd=ROOT, env=plain | environment).stdout


def test_a_narrow_terminal_gets_whole_names(lake: str) -> None:
    assert b"api.example.com:80" in _on_a_terminal("destinations", "--lake", lake, COLUMNS="40")


def test_a_terminal_that_wants_no_colors_gets_no_escape_codes(lake: str) -> None:
    assert b"\x1b[32mlegitimate" in _on_a_terminal("destinations", "--lake", lake)
    assert b"\x1b" not in _on_a_terminal("destinations", "--lake", lake, NO_COLOR="1")


def test_only_the_verdict_has_a_color(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(f"{text(BLOCKED_HTTP, authority='denied')}\n")
    run("ingest", str(log), "--lake", str(tmp_path / "lake"), "--label", "source_workload=review")

    assert b"\x1b[3" not in _on_a_terminal("destinations", "--lake", str(tmp_path / "lake"))


def test_a_port_has_no_comma_in_it(tmp_path: Path) -> None:
    line = text(BLOCKED_TCP, downstream_local_address="203.0.113.10:15432").encode()
    run("ingest", "-", "--lake", str(tmp_path / "lake"), stdin=line)

    assert b" 15432 " in run("entries", "--lake", str(tmp_path / "lake"), "--output", "table").stdout


def test_simulate_names_the_workload(tmp_path: Path) -> None:
    line = text(BLOCKED_HTTP).encode()
    run("ingest", "-", "--lake", str(tmp_path / "lake"), "--label", "source_workload=forum", stdin=line)
    (tmp_path / "mesh.yaml").write_text("")

    done = run("simulate", "--lake", str(tmp_path / "lake"), "--manifests", str(tmp_path / "mesh.yaml"))
    assert b"forum" in done.stdout


def test_a_page_does_not_take_the_name_of_its_twin(lake: str, tmp_path: Path) -> None:
    done = run("report", "--lake", lake, "--out", str(tmp_path / "page.json"))

    assert done.returncode == 2
    assert b"page.html" in done.stderr
    assert not (tmp_path / "page.json").exists()


def test_a_span_that_ends_before_it_begins_is_wrong_usage(lake: str) -> None:
    for command in ("entries", "destinations"):
        done = run(command, "--lake", lake, "--since", "2026-03-02", "--until", "2026-03-01T23:00")

        assert done.returncode == 2
        assert b"--since 2026-03-02 is not before" in done.stderr


@pytest.mark.parametrize("option", ["--manifests", "--mesh"])
def test_a_folder_without_manifests_is_no_mesh(lake: str, tmp_path: Path, option: str) -> None:
    (tmp_path / "empty").mkdir()

    done = run("simulate", "--lake", lake, "--manifests", "sample_logs/README.md", option, str(tmp_path / "empty"))

    assert done.returncode == 2
    assert b"empty: no file here ends in .yaml" in done.stderr
    assert run("validate", str(tmp_path / "empty")).returncode == 2


def test_a_namespace_of_which_nothing_is_proposed_any_more_leaves_no_folder(lake: str, tmp_path: Path) -> None:
    out = ["--lake", lake, "--out", str(tmp_path / "out")]
    assert run("propose", *out).returncode == 0
    assert (tmp_path / "out" / "manifests" / "shop").is_dir()

    assert run("propose", *out, "--since", "2030-01-01", "--quiet").returncode == 3
    assert [item.name for item in (tmp_path / "out" / "manifests").iterdir()] == ["kustomization.yaml"]


def test_settings_that_a_windows_editor_saved_are_read(lake: str, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_bytes(b"\xef\xbb\xbf[thresholds]\r\nmin_entries = 3\r\n")

    done = run("destinations", "--lake", lake, "--settings", str(tmp_path / "s.toml"))

    assert b"too_few_entries" in done.stdout


def test_a_run_that_proposes_nothing_says_what_most_of_it_lacks(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(f"{text(BLOCKED_HTTP, start_time=f'2026-03-02T09:0{n}:00.000Z')}\n" for n in range(5)))

    done = run("run", str(log), "--lake", str(tmp_path / "lake"), "--out", str(tmp_path / "out"))

    assert done.returncode == 3
    assert b"source_namespace_unknown" in done.stderr


def test_explain_gives_a_list_where_a_host_is_several_destinations(lake: str) -> None:
    found = json.loads(run("explain", "203.0.113.0/24", "--lake", lake, "--output", "json").stdout)

    assert isinstance(found, list)
    assert len(found) > 1
