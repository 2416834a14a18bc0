"""Hostile text in every place where the tool shows something: nothing is obeyed there."""

import csv
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from analyzer.text import printable, spreadsheet_cell
from tests.hostile.texts import ALL, FORBIDDEN, FORMULAS, OBEYED, hostile_log, texts_in
from tests.lines import BLOCKED_HTTP, text

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
PLAIN = os.environ | {"NO_COLOR": "", "COLUMNS": "200", "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake and an output folder made of nothing but hostile text."""
    folder = tmp_path_factory.mktemp("hostile")
    log = hostile_log(folder)
    arguments = ["run", str(log), "--lake", str(folder / "lake"), "--out", str(folder / "out"), "--fail-on", "never"]
    done = run([*arguments, "--label", "source_namespace=shop", "--label", "source_workload=<b>=web\u202e"], folder)
    assert done.returncode in (0, 3), done.stderr
    return folder


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "analyzer", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=PLAIN, check=False, cwd=folder)


def on_a_terminal(arguments: list[str]) -> str:
    """Everything that a command writes where it thinks somebody looks."""
    parts: list[bytes] = []

    def read(file: int) -> bytes:
        parts.append(os.read(file, 1 << 16))
        return parts[-1]

    os.environ |= {"COLUMNS": "200", "TERM": "xterm-256color"}
    shown, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: PTH123, SIM115
    saved = os.dup(1)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 1)
            pty.spawn([sys.executable, "-m", "analyzer", *arguments], read, lambda file: b"")
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        sys.stdout.close()
        sys.stdout = shown
    return b"".join(parts).decode("utf-8").replace("\r\n", "\n")


@pytest.mark.parametrize("command", ["destinations", "rejected", "explain", "simulate", "entries"])
def test_a_terminal_obeys_nothing(world: Path, command: str) -> None:
    lake = ["--lake", str(world / "lake")]
    more = {"explain": ["203.0.113.10"], "simulate": ["--manifests", str(world / "out" / "manifests")]}.get(command, [])
    if command == "entries":
        more = ["--to", "jsonl"]

    found = COLOURS.sub("", on_a_terminal([command, *more, *lake]))

    assert len(found) > 200
    assert FORBIDDEN.findall(found) == []


@pytest.mark.parametrize("command", ["destinations", "rejected", "simulate", "explain"])
def test_a_pipe_gets_nothing_to_obey_either(world: Path, command: str) -> None:
    more = {"explain": ["203.0.113.10"], "simulate": ["--manifests", str(world / "out" / "manifests")]}.get(command, [])

    for form in ("table", "json"):
        done = run([command, *more, "--lake", str(world / "lake"), "--output", form], world)
        assert FORBIDDEN.findall(done.stdout + done.stderr) == []
        assert OBEYED.findall(done.stdout + done.stderr) == []
        assert form == "table" or json.loads(done.stdout)


def test_an_error_about_a_hostile_argument_is_harmless(tmp_path: Path) -> None:
    for value in ALL:
        if "\0" not in value:
            done = run(["ingest", f"{tmp_path}/{value}.none", "--lake", str(tmp_path / "lake")], tmp_path)
            assert FORBIDDEN.findall(done.stdout + done.stderr) == []
            assert done.returncode == 2
        if value == ALL[8]:
            break  # a process each; the first of every kind will do


def test_a_spreadsheet_calculates_nothing(world: Path) -> None:
    exported = run(["entries", "--lake", str(world / "lake"), "--to", "csv"], world).stdout
    tables = [exported, (world / "out" / "not_proposed.csv").read_text("utf-8")]

    for table in tables:
        rows = list(csv.reader(table.splitlines()))
        assert len(rows) > 20
        assert {len(row) for row in rows} == {len(rows[0])}
        cells = [cell for row in rows for cell in row if not re.fullmatch(r"-?\d+", cell)]
        assert [cell for cell in cells if cell.lstrip(' "').startswith(BEGINNINGS)] == []
        assert FORBIDDEN.findall(table) == []


def test_manifests_say_only_what_is_proposed(world: Path) -> None:
    manifests = world / "out" / "manifests"
    names = [path.relative_to(manifests).as_posix() for path in manifests.rglob("*") if path.is_file()]

    assert len(names) > 5
    assert [name for name in names if not re.fullmatch(r"[a-z0-9][a-z0-9./-]*\.yaml", name) or ".." in name] == []
    for path in manifests.rglob("*.yaml"):
        written = path.read_bytes()
        assert written.isascii()
        (document,) = yaml.safe_load_all(written)
        assert set(document) <= {"apiVersion", "kind", "metadata", "spec", "resources"}
        for host in document.get("spec", {}).get("hosts", []):
            assert re.fullmatch(r"[a-z0-9.-]+", host)


def test_nothing_is_written_outside_of_the_folders_that_were_named(world: Path) -> None:
    assert sorted(path.name for path in world.iterdir() if path.suffix != ".log") == ["lake", "out"]


def test_json_files_are_ascii_and_hold_what_was_logged(world: Path) -> None:
    for name in ("report.json", "summary.json"):
        written = (world / "out" / name).read_bytes()
        assert written.isascii()
        json.loads(written)


HOSTILE_MANIFEST = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: %s, namespace: shop}
spec:
  hosts: [%s]
  ports: [{number: 443, name: https, protocol: %s}]
"""


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifests that say hostile things in every place that a finding quotes."""
    folder = tmp_path_factory.mktemp("findings")
    for number, value in enumerate(ALL):
        quoted = json.dumps(value)
        (folder / f"{number}.yaml").write_text(HOSTILE_MANIFEST % (quoted, quoted, quoted), "utf-8")
    return folder


@pytest.mark.parametrize("form", ["table", "json", "sarif"])
def test_findings_are_shown_and_not_obeyed(findings: Path, form: str) -> None:
    done = run(["validate", str(findings), "--output", form], findings)

    assert done.returncode == 1
    assert FORBIDDEN.findall(done.stdout + done.stderr) == []
    assert OBEYED.findall(done.stdout + done.stderr) == []


def test_code_scanning_shows_a_manifests_text_as_text(findings: Path) -> None:
    (analysis,) = json.loads(run(["validate", str(findings), "-o", "sarif"], findings).stdout)["runs"]
    shown = [
        text for result in analysis["results"] for text in (result["message"]["text"], *texts_in(result["locations"]))
    ]

    assert len(shown) > 100
    assert [text for text in shown if FORBIDDEN.search(text)] == []
    messages = [result["message"]["text"] for result in analysis["results"]]
    assert [text for text in messages if "](" in text or re.search(r"(?<!\{)\{(?!\{)", text)] == []


def test_markdown_shows_what_was_logged_as_text(tmp_path: Path) -> None:
    lake, out = str(tmp_path / "lake"), tmp_path / "out"
    arguments = ["run", str(hostile_log(tmp_path)), "--lake", lake, "--out", str(out), "--companion", "sidecar"]

    done = run([*arguments, "--fail-on", "never", "--label", "source_namespace=shop"], tmp_path)

    assert done.returncode in (0, 3), done.stderr
    (page,) = out.rglob("*.md")
    written = page.read_text("utf-8")
    assert FORBIDDEN.findall(written) == []
    assert OBEYED.findall(written) == []
    rows = [re.split(r"(?<!\\)\|", line) for line in written.split("\n") if line.endswith(" |")]
    would_break = [row[1] for row in rows if len(row) == 5]
    assert len(would_break) > 20
    assert {len(row) for row in rows} == {5, 10}
    assert [cell for cell in would_break if re.search(r"(?<!\\)[<>`*_\[\]&~#]", cell)] == []


@pytest.mark.parametrize("label", ["../../evil", "a/b", "\x1b[31m", "=1", "x" * 300, "Shop", "a\nb", ""])
def test_a_namespace_that_is_none_makes_no_folder(tmp_path: Path, label: str) -> None:
    log = hostile_log(tmp_path)
    out = tmp_path / "in" / "out"
    arguments = ["run", str(log), "--lake", str(tmp_path / "lake"), "--out", str(out), "--fail-on", "never"]

    done = run([*arguments, "--label", f"source_namespace={label}"], tmp_path)

    assert FORBIDDEN.findall(done.stdout + done.stderr) == []
    assert "Traceback" not in done.stderr
    found = [path.relative_to(tmp_path).parts for path in tmp_path.rglob("*.yaml")]
    assert all(parts[:3] == ("in", "out", "manifests") for parts in found)
    assert all(re.fullmatch(r"[a-z0-9-]{1,63}", part) for parts in found for part in parts[3:-1])


@given(st.text())
def test_no_text_is_too_odd_to_be_shown(written: str) -> None:
    shown = printable(written)

    assert FORBIDDEN.findall(shown) == []
    assert "\n" not in shown
    shown.encode("utf-8")


@given(st.sampled_from(FORMULAS) | st.text(), st.sampled_from(["", " ", "\t", '"', "\u200b", "\n"]))
def test_no_text_is_a_formula(written: str, before: str) -> None:
    assert not spreadsheet_cell(before + written).lstrip(' "').startswith(BEGINNINGS)


def test_half_a_surrogate_pair_is_written_out() -> None:
    assert printable("a\udcffb") == "a\\udcffb"


def test_a_file_name_may_hold_any_bytes(tmp_path: Path) -> None:
    for number, name in enumerate((b"a\xff.log", b"b\n.log", b"c\x1b[31m.log")):
        line = text(BLOCKED_HTTP, authority=f"{number}.example.com")
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_text(f"{line}\njunk\n")
    lake = str(tmp_path / "lake")

    done = run(["run", str(tmp_path), "--lake", lake, "--out", str(tmp_path / "out"), "--fail-on", "never"], tmp_path)
    places = run(["rejected", "--lake", lake], tmp_path).stdout

    assert done.returncode in (0, 3)
    assert FORBIDDEN.findall(done.stdout + done.stderr + places) == []
    assert len([line for line in places.split("\n") if "junk" in line]) == 3
