"""The identity of a source: its content, whatever its name, its packing or the size of the blocks it is read in."""

import xxhash


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
