"""The identity of a source: its content and its pod, whatever its name, its packing or the blocks it is read in."""

from collections.abc import Iterable

import xxhash

from analyzer.sources import Source
from analyzer.store import SourceRecord

_POD = ("source_cluster", "source_namespace", "source_pod")


class Identity:
    """128 bits of XXH3 over the unpacked bytes, so that no two exports meet by chance.

    Speed is worth more here than resistance to forgery: a client writes a few fields of some lines, and to make one
    export look like another it would have to know every other byte of both.
    """

    def __init__(self) -> None:
        self._hash = xxhash.xxh3_128()

    def update(self, data: bytes | memoryview) -> None:
        """Take the next bytes in."""
        self._hash.update(data)

    @property
    def text(self) -> str:
        """The identity as hexadecimal digits."""
        return self._hash.hexdigest()


def identity_of(content: str, source: Source) -> str:
    """The identity of some content: two pods that say the same to the byte are two, where name or label tells them."""
    labels = dict(source.labels)
    if "source_pod" not in labels:
        return content
    return xxhash.xxh3_128_hexdigest("/".join((content, *(labels.get(name, "") for name in _POD))).encode())


class Known:
    """Sources that are there; one that does not say its pod may be any that holds the same."""

    def __init__(self, records: Iterable[SourceRecord], digests: Iterable[str] = ()) -> None:
        self._digests, self._contents = set(digests), set[str]()
        for record in records:
            self.add(record)

    def add(self, record: SourceRecord) -> None:
        """Know one more."""
        self._digests.add(record.digest)
        self._contents.add(record.content)

    def holds(self, digest: str, content: str) -> bool:
        """Whether the source with this identity and content is there."""
        nameless = digest == content
        return not self._digests.isdisjoint((digest, content)) or (nameless and content in self._contents)
