"""Object storage, against servers of each kind that the test starts."""

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from analyzer.errors import SourceError, UsageError
from analyzer.execution.local import ingest
from analyzer.sources import find_sources, read_blocks
from tests.lines import HTTP, text
from tests.sources.stores import STORES
from tests.sources.test_archives import tar

LINE = (text(HTTP, authority="api.example.com") + "\n").encode()
POD = f"web-7c5d8f9b6d-k8wzn_shop_istio-proxy-{'0a' * 32}.log"
OBJECTS = {
    "2026/03/01/a.log": LINE,
    "2026/03/02/b.log.gz": gzip.compress(LINE * 2),
    "2026/03/02/dump.tar.gz": tar({"in/c.log": LINE * 3}),
    f"containers/{POD}": LINE * 4,
    "empty.log": b"",
}


@pytest.fixture(scope="module", params=STORES)
def bucket(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a bucket on a server of this machine, found by the environment that the cloud's tools use."""
    with pytest.MonkeyPatch.context() as patch, STORES[request.param](OBJECTS, patch) as address:
        yield address
        fsspec.get_filesystem_class(request.param).clear_instance_cache()


def lines_of(*arguments: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for source in find_sources(arguments):
        for block in read_blocks(source):
            found[block.origin] = found.get(block.origin, 0) + block.load().count(b"\n")
    return found


def test_an_object_a_glob_a_folder_and_a_prefix_are_sources(bucket: str) -> None:
    first, second = f"{bucket}/2026/03/01/a.log", f"{bucket}/2026/03/02/b.log.gz"
    dump = f"{bucket}/2026/03/02/dump.tar.gz!in/c.log"

    assert lines_of(first) == {first: 1}
    assert lines_of(f"{bucket}/2026/**/*.gz") == {second: 2, dump: 3}
    assert lines_of(f"{bucket}/2026/03") == {first: 1, second: 2, dump: 3}
    assert lines_of(f"{bucket}/2026/03/0") == {first: 1, second: 2, dump: 3}
    assert sum(lines_of(bucket).values()) == 10


def test_an_object_is_ingested_once_and_its_name_says_who_wrote_it(bucket: str, tmp_path: Path) -> None:
    (source,) = find_sources([f"{bucket}/containers"])

    tally = ingest([bucket], str(tmp_path / "lake"))

    assert dict(source.labels)["source_workload"] == "web"
    assert (tally.lines, tally.entries + tally.duplicates) == (10, 10)
    assert ingest([bucket], str(tmp_path / "lake")).sources_skipped == tally.sources


@pytest.mark.parametrize("path", ["missing", "2026/*.missing"])
def test_nothing_under_an_address_is_an_error_with_a_hint(bucket: str, path: str) -> None:
    with pytest.raises(SourceError) as caught:
        find_sources([f"{bucket}/{path}"])

    assert caught.value.hint


def test_a_bucket_that_is_not_there_is_an_error(bucket: str) -> None:
    with pytest.raises(SourceError):
        find_sources([f"{bucket}-not/a.log"])


def test_a_store_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "gs", raising=False)

    with pytest.raises(UsageError) as caught:
        find_sources(["gs://bucket/a.log"])

    assert caught.value.hint == "pip install 'egress-audit[gs]'"
