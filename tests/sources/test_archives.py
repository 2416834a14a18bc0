"""Archives: their files are sources, their names are only names."""

import gzip
import io
import os
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from analyzer.errors import SourceError
from analyzer.execution.local import ingest
from analyzer.sources import find_sources, read_blocks
from analyzer.store import Lake
from tests.lines import HTTP, text

LOG = b"".join(b"%d %d\n" % (n, n * n) for n in range(30_000))
FILES = {"a/one.log": b"one\n", "two.log": LOG, "three.log.gz": gzip.compress(b"three\n")}
CONTENT = {"a/one.log": b"one\n", "two.log": LOG, "three.log.gz": b"three\n"}


def tar(files: Mapping[str, bytes], mode: str = "w:gz") -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return written.getvalue()


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


PACK: dict[str, Callable[[Mapping[str, bytes]], bytes]] = {
    "tar": lambda files: tar(files, "w"),
    "tar.gz": tar,
    "tar.xz": lambda files: tar(files, "w:xz"),
    "tar.bz2": lambda files: tar(files, "w:bz2"),
    "zip": zipped,
    "zip.stored": lambda files: zipped(files, zipfile.ZIP_STORED),
    "zip.gz": lambda files: gzip.compress(zipped(files)),
}


def content_of(path: Path, notes: list[str] | None = None) -> dict[str, bytes]:
    (source,) = find_sources([str(path)])
    found: dict[str, bytes] = {}
    for block in read_blocks(source, 1 << 16, (notes if notes is not None else []).append):
        name = block.origin.removeprefix(f"{path}!")
        found[name] = found.get(name, b"") + block.load()
    return found


@pytest.mark.parametrize("kind", sorted(PACK))
def test_the_files_of_an_archive_are_sources(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "export"
    path.write_bytes(PACK[kind](FILES))

    assert content_of(path) == CONTENT


def test_an_archive_in_an_archive_is_opened_too(tmp_path: Path) -> None:
    path = tmp_path / "all"
    path.write_bytes(tar({"in.zip": zipped(FILES), "in.tar.gz": tar(FILES)}))

    assert content_of(path) == {
        f"{outer}!{name}": data for outer in ("in.zip", "in.tar.gz") for name, data in CONTENT.items()
    }


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip", "zip.stored"])
def test_an_archive_that_was_cut_gives_what_was_readable_and_says_so(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "export"
    packed = PACK[kind]({"a.log": b"first\n", "b.log": os.urandom(1 << 20).hex().encode()})
    path.write_bytes(packed[: len(packed) * 2 // 3])
    notes: list[str] = []

    found = content_of(path, notes)

    assert found["a.log"] == b"first\n"
    assert len(found["b.log"]) > 100_000
    assert notes


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_a_members_name_is_only_a_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "export"
    path.write_bytes(PACK[kind]({"../../etc/passwd": b"x\n", "/abs.log": b"y\n", "same.log": b"1\n"}))
    before = sorted(tmp_path.rglob("*"))

    assert set(content_of(path)) == {"../../etc/passwd", "/abs.log", "same.log"}
    assert sorted(tmp_path.rglob("*")) == before


def test_two_files_of_one_name_are_two_sources(tmp_path: Path) -> None:
    path = tmp_path / "export"
    path.write_bytes(tar({"a.log": b"1\n"}, "w").removesuffix(b"\0" * 9216) + tar({"a.log": b"2\n"}, "w"))

    assert content_of(path) == {"a.log": b"1\n", "a.log#2": b"2\n"}


def test_links_and_devices_are_no_logs(tmp_path: Path) -> None:
    path = tmp_path / "export.tar"
    with tarfile.open(path, "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            header = tarfile.TarInfo("odd")
            header.type, header.linkname = kind, "/etc/passwd"
            archive.addfile(header)
    notes: list[str] = []

    assert content_of(path, notes) == {}
    assert notes == ["holds no file that could be read"]


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_bomb_in_an_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr("analyzer.sources.compression.ALWAYS_ALLOWED", 1 << 20)
    path = tmp_path / "bomb"
    path.write_bytes(PACK[kind]({"a.log": gzip.compress(b"\0" * (64 << 20))}))

    with pytest.raises(SourceError, match="times its size"):
        content_of(path)


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_an_archive_of_endless_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr("analyzer.sources.archives.MOST_MEMBERS", 10)
    path = tmp_path / "bomb"
    path.write_bytes(PACK[kind]({f"{n}.log": b"" for n in range(11)}))

    with pytest.raises(SourceError, match="more than 10 files"):
        content_of(path)


def test_a_header_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, 1 << 30
    path = tmp_path / "bomb.tar"
    path.write_bytes(header.tobuf())

    with pytest.raises(SourceError, match="claims"):
        content_of(path)


def test_an_encrypted_member_is_left_out_and_said(tmp_path: Path) -> None:
    packed = bytearray(zipped({"a.log": b"secret\n"}))
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    path = tmp_path / "export.zip"
    path.write_bytes(packed)
    notes: list[str] = []

    assert content_of(path, notes) == {}
    assert notes == ["is encrypted: not read"]


def test_a_bug_report_says_who_wrote_each_log(tmp_path: Path) -> None:
    line = (text(HTTP) + "\n").encode()
    member = "bug-report/proxies/shop/web-7c5d8f9b6d-k8wzn/istio-proxy.log"
    path = tmp_path / "bug-report.tar.gz"
    path.write_bytes(
        tar(
            {
                member: line,
                f"elk/var/log/pods/shop_kafka-0_{'1' * 8}-2222-3333-4444-555555555555/istio-proxy/0.log": line + line,
            }
        )
    )

    tally = ingest([str(path)], str(tmp_path / "lake"))
    again = ingest([str(path)], str(tmp_path / "lake"))

    assert (tally.sources, tally.lines, tally.entries + tally.duplicates, again.sources_skipped) == (2, 3, 3, 2)
    rows = [
        row
        for batch in Lake(tmp_path / "lake").entries(["origin", "source_namespace", "source_workload"])
        for row in batch.to_pylist()
    ]
    assert {(row["origin"].rpartition("/")[2], row["source_namespace"], row["source_workload"]) for row in rows} == {
        ("istio-proxy.log", "shop", "web"),
        ("0.log", "shop", "kafka"),
    }


def test_standard_input_may_be_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(zipped({"a.log": gzip.compress(LOG)}))))
    (source,) = find_sources(["-"])

    assert b"".join(block.load() for block in read_blocks(source, 1 << 16)) == LOG
