import bz2
import gzip
import io
import lzma
import os
import threading
from pathlib import Path

import lz4.frame
import pytest
import snappy
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from analyzer.errors import SourceError, UsageError
from analyzer.sources import Compression, find_sources, known_sources, read_blocks, workload_of
from analyzer.sources.compression import BombError, unpacked
from analyzer.sources.labels import labels_of_path
from analyzer.sources.remote import EXTRAS

LETTERS = b"a\n\xe2\x80\xa8b\r\n\x00"


def content_of(path: Path, block_size: int = 1 << 20) -> bytes:
    (source,) = find_sources([str(path)])
    return b"".join(block.load() for block in read_blocks(source, block_size))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
@given(st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\n\n", b"\xe2\x80\xa8"]), max_size=60), st.integers(1, 40))
def test_blocks_of_any_size_are_the_source_and_end_at_line_ends(
    tmp_path_factory, pack, pieces: list[bytes], size: int
) -> None:
    content = b"".join(pieces)
    path = tmp_path_factory.mktemp("source") / "a.log"
    path.write_bytes(pack(content))
    (source,) = find_sources([str(path)])

    blocks = list(read_blocks(source, size))

    assert b"".join(block.load() for block in blocks) == content
    assert all(block.load().endswith(b"\n") for block in blocks[:-1])
    firsts = [1 + content[: block.offset].count(b"\n") for block in blocks]
    assert [block.first_line for block in blocks] == firsts


@pytest.mark.parametrize(
    ("pack", "kind"),
    [
        (lambda data: gzip.compress(data[:5]) + gzip.compress(data[5:]), Compression.GZIP),
        (lambda data: zstd.compress(data[:5]) + zstd.compress(data[5:]), Compression.ZSTD),
        (lambda data: bz2.compress(data[:5]) + bz2.compress(data[5:]), Compression.BZIP2),
        (lambda data: lzma.compress(data[:5]) + lzma.compress(data[5:]), Compression.XZ),
        (lambda data: lz4.frame.compress(data[:5]) + lz4.frame.compress(data[5:]), Compression.LZ4),
        (lambda data: snappy.StreamCompressor().compress(data), Compression.SNAPPY),
        (lambda data: gzip.compress(zstd.compress(data)), Compression.GZIP),
    ],
    ids=["gzip of two members", "zstd of two frames", "bzip2", "xz", "lz4", "snappy", "gzip round zstd"],
)
def test_a_packed_source_is_told_by_its_content(tmp_path: Path, pack, kind: Compression) -> None:
    path = tmp_path / "misleading.txt"
    path.write_bytes(pack(LETTERS * 100))
    (source,) = find_sources([str(path)])

    assert source.compression is kind
    assert content_of(path) == LETTERS * 100


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        zstd.compress,
        bz2.compress,
        lzma.compress,
        lz4.frame.compress,
        lambda data: snappy.StreamCompressor().compress(data),
    ],
    ids=["gzip", "zstd", "bzip2", "xz", "lz4", "snappy"],
)
def test_a_packed_source_that_was_cut_gives_what_was_readable_and_says_so(tmp_path: Path, pack) -> None:
    content = b"".join(b"%d %d\n" % (n, n * n) for n in range(200_000))
    path = tmp_path / "cut"
    packed = pack(content)
    path.write_bytes(packed[: len(packed) // 2])
    (source,) = find_sources([str(path)])
    notes: list[str] = []

    read = b"".join(block.load() for block in read_blocks(source, 1 << 16, notes.append))

    assert content.startswith(read)
    assert len(read) > 1000
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("pack", "kind"),
    [
        (gzip.compress, Compression.GZIP),
        (zstd.compress, Compression.ZSTD),
        (bz2.compress, Compression.BZIP2),
        (lzma.compress, Compression.XZ),
    ],
)
def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch, pack, kind: Compression) -> None:
    monkeypatch.setattr("analyzer.sources.compression.ALWAYS_ALLOWED", 1 << 20)
    bomb = io.BytesIO(pack(b"\0" * (64 << 20)))

    pieces = []
    with pytest.raises(BombError):
        pieces += [len(piece) for piece in unpacked(bomb, kind, lambda problem: None)]
    assert max(pieces, default=0) <= 8 << 20


def test_what_a_windows_shell_saved_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes("one\r\ntwo ü\r\n".encode("utf-16"))

    assert content_of(path).decode() == "one\r\ntwo ü\r\n"


def test_every_place_and_every_packing_is_in_the_catalog() -> None:
    packings = {kind.value for kind in Compression if kind is not Compression.NONE}

    assert set(known_sources()) == {"file", "stdin", *EXTRAS.values(), *packings}
    assert all(kind.reference for kind in known_sources().values())


def test_a_mark_of_utf8_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"\xef\xbb\xbfone\n")

    assert content_of(path) == b"one\n"


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("x\n")
    (tmp_path / "link.log").symlink_to(path)

    assert len(find_sources([str(path), str(tmp_path), str(tmp_path / "*.log")])) == 1


def test_sources_come_in_the_same_order_whatever_was_named_first(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / name).write_text("x")
    paths = [str(tmp_path / name) for name in ("c", "a", "b")]

    assert find_sources(paths) == find_sources(paths[::-1])


def test_a_pipe_that_is_named_is_read_from_its_first_byte(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = gzip.compress(b"one\ntwo\n" * 5000)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()

    assert content_of(pipe) == b"one\ntwo\n" * 5000
    writer.join()


def test_what_is_no_file_in_a_folder_is_left_out_and_said(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x\n")
    (tmp_path / "gone.log").symlink_to(tmp_path / "rotated away")
    os.mkfifo(tmp_path / "pipe.log")
    notes: list[str] = []

    (source,) = find_sources([str(tmp_path)], note=notes.append)

    assert source.origin == str(tmp_path / "a.log")
    assert notes == [f"{tmp_path}/gone.log: leads nowhere: not read", f"{tmp_path}/pipe.log: is no file: not read"]


def test_folders_of_our_own_are_not_looked_into_unless_the_logs_stand_there(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    for path in (tmp_path / "a.log", tmp_path / "lake" / "b.log"):
        path.write_text("x\n")

    def names(argument: str, *apart: Path) -> list[str]:
        return [Path(s.origin).name for s in find_sources([argument], apart=[str(folder) for folder in apart])]

    for argument in (str(tmp_path), f"{tmp_path}/**"):
        assert names(argument) == ["a.log", "b.log"]
        assert names(argument, tmp_path / "lake") == ["a.log"]
        assert names(argument, tmp_path) == ["a.log", "b.log"]


def test_nothing_to_read_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        find_sources([str(tmp_path / "*.log")])

    assert caught.value.hint


def test_a_label_nobody_knows_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")

    with pytest.raises(UsageError):
        find_sources([str(tmp_path)], {"namespace": "shop"})


def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("x")
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    path.chmod(0)
    superuser = os.geteuid() == 0
    if superuser:
        os.seteuid(65534)  # whom nothing is allowed for being who they are

    try:
        with pytest.raises(SourceError):
            find_sources([str(path)])
    finally:
        if superuser:
            os.seteuid(0)


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("web-7c5d8f9b6d-k8wzn", "web"),
        ("my-app-5b8c7d6f49-m4v9t", "my-app"),
        ("kafka-0", "kafka"),
        ("node-exporter-zq7vf", "node-exporter"),
        ("backup-28461120-x2lqp", "backup"),
        ("indexed-job-3-x2lqp", "indexed-job"),
        ("standalone", None),
        ("big-worker", None),
    ],
)
def test_a_pods_name_gives_its_workload(pod: str, workload: str | None) -> None:
    assert workload_of(pod) == workload


def test_the_kubelets_file_name_says_who_wrote_it() -> None:
    labels = labels_of_path(f"/var/log/containers/web-7c5d8f9b6d-k8wzn_shop_istio-proxy-{'0a' * 32}.log")

    assert labels == {
        "source_namespace": "shop",
        "source_pod": "web-7c5d8f9b6d-k8wzn",
        "source_workload": "web",
    }


def test_the_pod_folder_says_who_wrote_it() -> None:
    path = "/var/log/pods/shop_kafka-0_11111111-2222-3333-4444-555555555555/istio-proxy/0.log"

    assert labels_of_path(path)["source_workload"] == "kafka"


def test_a_name_that_only_looks_alike_gives_no_label() -> None:
    assert labels_of_path("exports/web_shop_istio-proxy-1.log") == {}


def test_a_label_that_was_given_wins_over_the_name(tmp_path: Path) -> None:
    path = tmp_path / f"web-0_shop_istio-proxy-{'0a' * 32}.log"
    path.write_text("x")

    (source,) = find_sources([str(path)], {"source_namespace": "other"})

    assert dict(source.labels)["source_namespace"] == "other"
