"""A context of the kernel, and what turns its columns into Arrow's."""

import ctypes
import os
import weakref
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from analyzer.parsing.parsed import OWN_TYPES, RAW_TYPES, Entries, Lines, OddLine, Reading
from analyzer.text import encodable

_TEXT, _CODED, NUMBER, _STATUS, _TIME = range(1, 6)
_I = ctypes.c_int32


@dataclass(frozen=True)
class Field:
    """A column, and its kind in the kernel's words."""

    name: str
    kind: int


def fields_of(names: Sequence[str]) -> list[Field]:
    """Columns of an entry, or texts that are none."""
    return [Field(name, _kind(name)) for name in names]


def _type(name: str) -> pa.DataType:
    """A column's type; what is no column of an entry is text."""
    return RAW_TYPES.get(name, OWN_TYPES.get(name, pa.string()))


def _kind(name: str) -> int:
    wanted = _type(name)
    if pa.types.is_dictionary(wanted):
        return _CODED
    if pa.types.is_timestamp(wanted):
        return _TIME
    if pa.types.is_string(wanted):
        return _TEXT
    return _STATUS if wanted == pa.int16() else NUMBER


class _Context:
    """A context of the kernel, freed with the last who holds it."""

    def __init__(self, functions: Mapping[str, Any], fields: Sequence[Field]) -> None:
        self._free, self.address = functions["free"], None
        kinds = (_I * len(fields))(*(field.kind for field in fields))
        self.address = functions["new"](kinds, len(fields), os.urandom(16))
        if not self.address:
            raise MemoryError

    def __del__(self) -> None:
        self._free(self.address)


class _Lease:
    """Holds a context for the columns that lie in its memory."""

    def __init__(self, context: _Context) -> None:
        self.context = context


class Reader(ABC):
    """A context of the kernel and what turns its columns into Arrow's. Not for two threads at once.

    It reads block by block (`read`), or gathers the rows of many (`gather`, `add`) until they are taken (`take`).
    """

    def __init__(self, functions: Mapping[str, Any], name: str, fields: Sequence[Field]) -> None:
        self.native, self.name, self.fields = functions, name, fields
        self.place = {field.name: index for index, field in enumerate(fields)}
        self._context = _Context(functions, fields)
        self._lease: weakref.ref[_Lease] | None = None
        self._lengths = (_I * len(fields))()

    @property
    def context(self) -> Any:
        """The context, in the kernel's words."""
        return self._context.address

    @property
    def rows(self) -> int:
        """How many rows were gathered and not taken yet."""
        return 0 if self._lease is not None else self._all_rows()

    def read(self, data: bytes) -> Reading:
        """Read a block; what the kernel does not read comes back as odd."""
        lines, odd = self.gather(data)
        columns = self.columns() if len(lines) else {}
        self._forget()
        return Reading(Entries(self.name, columns, lines) if columns else None, odd)

    def gather(self, data: bytes) -> tuple[Lines, list[OddLine]]:
        """Read a block and keep its rows: the lines of the rows, and what the kernel does not read."""
        self._let_go()
        if not self.run(data, len(data)):
            raise MemoryError
        odd = self.native["odd"](self.context)
        places = (self._array(name, odd).tolist() for name in ("odd_lines", "odd_starts", "odd_ends"))
        odd_lines = [(line, data[start:end]) for line, start, end in zip(*places, strict=True)]
        return self._array("lines", self.native["block_rows"](self.context)), odd_lines

    def last(self, field: str) -> pa.Array:
        """A column of the block that was gathered last; it is gone with the next block."""
        index = self.place[field]
        column = self._column(index, self.fields[index], self._all_rows(), _Lease(self._context))
        return column.slice(len(column) - self.native["block_rows"](self.context))

    def undo(self) -> None:
        """Forget the rows of the block that was gathered last."""
        self.native["undo"](self.context)

    def add(self, values: Mapping[str, str]) -> bool:
        """Gather one row that was read with care; false, and no row, where a value is not of its column's kind."""
        self._let_go()
        if not values.keys() <= self.place.keys():
            return False
        letters = b""
        for index, field in enumerate(self.fields):
            value = values.get(field.name)
            if value is None:
                self._lengths[index] = -1
                continue
            written = encodable(value).encode()
            self._lengths[index] = len(written)
            letters += written
        return bool(self.native["add"](self.context, letters, self._lengths))

    def take(self) -> dict[str, pa.Array]:
        """The gathered rows, in the kernel's own memory, which waits until nobody holds them any more."""
        lease = _Lease(self._context)
        self._lease = weakref.ref(lease)
        return self.columns(lease)

    @abstractmethod
    def run(self, data: Any, length: int) -> int:
        """Let the kernel read so many bytes; 0 where memory ends."""

    def _all_rows(self) -> int:
        rows: int = self.native["rows"](self.context)
        return rows

    def _let_go(self) -> None:
        """Forget what was taken; where somebody still holds it, the memory is theirs."""
        if self._lease is None:
            return
        if self._lease() is None:
            self._forget()
        else:
            self._context, self._lease = _Context(self.native, self.fields), None

    def _forget(self) -> None:
        self.native["forget"](self.context)
        self._lease = None

    def columns(self, lease: _Lease | None = None) -> dict[str, pa.Array]:
        """All rows as columns: copied, or under a lease in the kernel's own memory."""
        rows = self._all_rows()
        return {field.name: self._column(index, field, rows, lease) for index, field in enumerate(self.fields)}

    def _column(self, index: int, field: Field, rows: int, lease: _Lease | None) -> pa.Array:
        nulls = self.native["nulls"](self.context, index)
        valid = self._buffer("valid", index, rows // 8 + 1, lease) if nulls else None
        wanted = _type(field.name)
        if field.kind == _TEXT:
            offsets = self._buffer("codes", index, (rows + 1) * 4, lease)
            letters = self._buffer("letters", index, self.native["letters_used"](self.context, index), lease)
            return pa.Array.from_buffers(wanted, rows, [valid, offsets, letters], nulls)
        if field.kind == _CODED:
            codes = pa.Array.from_buffers(
                pa.int32(), rows, [valid, self._buffer("codes", index, rows * 4, lease)], nulls
            )
            return pa.DictionaryArray.from_arrays(codes, self._values(index, lease), safe=False)
        numbers = self._buffer("numbers", index, rows * 8, lease)
        column = pa.Array.from_buffers(pa.int64(), rows, [valid, numbers], nulls)
        if field.kind == _TIME:
            return column.view(wanted)
        return column.cast(wanted) if field.kind == _STATUS else column

    def _values(self, index: int, lease: _Lease | None) -> pa.Array:
        """The dictionary of a column."""
        count = self.native["values"](self.context, index)
        if not count:
            return pa.array([], pa.string())
        offsets = self._buffer("ends", index, (count + 1) * 4, lease)
        letters = self._buffer("letters", index, self.native["letters_used"](self.context, index), lease)
        return pa.Array.from_buffers(pa.string(), count, [None, offsets, letters], 0)

    def _buffer(self, name: str, index: int, size: int, lease: _Lease | None) -> pa.Buffer:
        address = self.native[name](self.context, index)
        if lease is not None and address:
            return pa.foreign_buffer(address, size, lease)
        buffer = pa.allocate_buffer(size)
        if size:
            ctypes.memmove(buffer.address, address, size)
        return buffer

    def _array(self, name: str, count: int) -> Lines:
        array = np.empty(count, np.int64)
        if count:
            ctypes.memmove(array.ctypes.data, self.native[name](self.context), array.nbytes)
        return array
