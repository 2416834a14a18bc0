"""The way to the compiled kernel: a block in, columns and odd lines out; none where no compiler was at hand.

The kernel is plain C behind ctypes: it needs no header of Python's to be built, and holds no lock while it reads.
"""

import ctypes
import os
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import pyarrow as pa

from analyzer.parsing.layout import IGNORED, Layout
from analyzer.parsing.parsed import EXTRA, OWN_TYPES, RAW_TYPES, Entries, Lines, OddLine, Reading
from analyzer.text import encodable

MOST_COLUMNS, OF_CLUSTER = 64, -1
"""As in the kernel."""
_TEXT, _CODED, _NUMBER, _STATUS, _TIME = range(1, 6)
_P, _I, _L = ctypes.c_void_p, ctypes.c_int32, ctypes.c_int64


class _Step(ctypes.Structure):
    _fields_ = (
        ("literal", ctypes.c_char_p),
        ("marks", ctypes.c_char_p),
        ("literal_length", _I),
        ("marks_length", _I),
        ("column", _I),
        ("inside", _I),
    )


class _Key(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("length", _I), ("column", _I))


_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "new": (_P, (ctypes.POINTER(_I), _I, ctypes.c_char_p)),
    "free": (None, (_P,)),
    "read_text": (_I, (_P, _P, _L, ctypes.POINTER(_Step), _I)),
    "read_json": (_I, (_P, _P, _L, ctypes.POINTER(_Key), _I, _I, _I, _I, _I, _I)),
    "read_pairs": (_I, (_P, _P, _L, ctypes.POINTER(_Key), _I, ctypes.POINTER(_Key), _I, _I, _I, _I)),
    "forget": (None, (_P,)),
    "undo": (None, (_P,)),
    "add": (_I, (_P, ctypes.c_char_p, ctypes.POINTER(_I))),
    "rows": (_L, (_P,)),
    "block_rows": (_L, (_P,)),
    "lines": (_P, (_P,)),
    "odd": (_L, (_P,)),
    "odd_lines": (_P, (_P,)),
    "odd_starts": (_P, (_P,)),
    "odd_ends": (_P, (_P,)),
    "nulls": (_L, (_P, _I)),
    "valid": (_P, (_P, _I)),
    "numbers": (_P, (_P, _I)),
    "codes": (_P, (_P, _I)),
    "letters": (_P, (_P, _I)),
    "letters_used": (_L, (_P, _I)),
    "values": (_L, (_P, _I)),
    "ends": (_P, (_P, _I)),
    "source": (ctypes.c_uint32, ()),
}


@lru_cache(maxsize=1)
def library() -> Mapping[str, Any] | None:
    """The kernel's functions by name, or null where it was not built, or from another source than the one here."""
    return built_in(Path(__file__).parent)


def built_in(here: Path) -> Mapping[str, Any] | None:
    """The functions of the kernel in a folder; none where it was built from another source than lies beside it."""
    source = here / "kernel.c"
    for path in sorted(here.glob("_kernel*.so")):
        try:
            functions = load(path)
        except (OSError, AttributeError):
            continue
        # A function that takes other arguments than we give would bring the process down.
        if not source.exists() or functions["source"]() == crc32(source.read_bytes()):
            return functions
    return None


def load(path: Path) -> Mapping[str, Any]:
    """The functions of a kernel by name.

    Raises `OSError` where the file is none for this machine, `AttributeError` where it lacks a function.
    """
    loaded = ctypes.CDLL(str(path))
    functions = {}
    for name, (returns, takes) in _SIGNATURES.items():
        function = loaded[f"native_{name}"]
        function.restype, function.argtypes = returns, takes
        functions[name] = function
    return functions


@dataclass(frozen=True)
class _Field:
    name: str
    kind: int


def _fields(names: Sequence[str]) -> list[_Field]:
    return [_Field(name, _kind(name)) for name in names]


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
    return _STATUS if wanted == pa.int16() else _NUMBER


class _Context:
    """A context of the kernel, freed with the last who holds it."""

    def __init__(self, functions: Mapping[str, Any], fields: Sequence[_Field]) -> None:
        self._free = functions["free"]
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


class _Reader:
    """A context of the kernel and what turns its columns into Arrow's. Not for two threads at once.

    It reads block by block (`read`), or gathers the rows of many (`gather`, `add`) until they are taken (`take`).
    """

    def __init__(self, functions: Mapping[str, Any], name: str, fields: Sequence[_Field]) -> None:
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

    def run(self, data: Any, length: int) -> int:
        """Let the kernel read so many bytes; 0 where memory ends."""
        raise NotImplementedError

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

    def _column(self, index: int, field: _Field, rows: int, lease: _Lease | None) -> pa.Array:
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


class Cut(NamedTuple):
    """One step through a line: the field that is read, the literal that ends it, and the letters it cannot hold.

    The value ends at the first letter of the literal, or behind as many of those as are `inside` of it; for
    `OF_CLUSTER` its beginning tells how many. The first step of a format has a literal only, and a field that has no
    column is `IGNORED`.
    """

    field: str
    literal: str
    marks: str = ""
    inside: int = 0


def cuts_of(layout: Layout, parts: Sequence[tuple[str, str]]) -> list[Cut]:
    """The steps of a layout; `parts` are its pairs of field and the literal behind it."""
    alone = {segment.fields[0] for segment in layout.segments if segment.quoted and len(segment.fields) == 1}
    cuts = [Cut(field, literal, "" if field in alone or field == IGNORED else " ") for field, literal in parts]
    # A tab behind the last word is not the proxy's.
    return [*cuts[:-1], cuts[-1]._replace(marks=" \t")] if cuts[-1].marks else cuts


class TextKernel(_Reader):
    """Reads blocks of one text format."""

    def __init__(self, functions: Mapping[str, Any], name: str, cuts: Sequence[Cut]) -> None:
        """A line holds as many double quotes as the literals of the cuts do."""
        super().__init__(functions, name, _fields([cut.field for cut in cuts if cut.field != IGNORED]))
        self.steps = (_Step * len(cuts))(
            *(
                _Step(literal, marks, len(literal), len(marks), self.place.get(cut.field, -1), cut.inside)
                for cut in cuts
                for literal, marks in [(cut.literal.encode(), cut.marks.encode())]
            )
        )

    def run(self, data: Any, length: int) -> int:
        """Let the kernel read; lines that are not plainly of the layout come back as odd."""
        done: int = self.native["read_text"](self.context, data, length, self.steps, len(self.steps))
        return done


class JsonKernel(_Reader):
    """Reads blocks of flat JSON objects."""

    def __init__(
        self,
        functions: Mapping[str, Any],
        name: str,
        keys: Mapping[str, str],
        fewest: int,
        proof: tuple[str, str],
        *,
        others: bool,
        gaps: bool = True,
    ) -> None:
        """`keys` are the keys of an object and the field of each; `proof` are fields of which one must be there.

        With `others`, what has another key comes as one object in the column `extra`, raw; else it makes a line odd.
        Without `gaps`, so does an empty string or `-` under one of the keys; with them, both are missing values.
        """
        super().__init__(functions, name, _fields([*keys.values(), *((EXTRA,) if others else ())]))
        self.keys = _keys({f'"{key}":': self.place[field] for key, field in keys.items()})
        self.limits = (fewest, self.place[proof[0]], self.place[proof[1]], self.place[EXTRA] if others else -1, gaps)

    def run(self, data: Any, length: int) -> int:
        """Let the kernel read; lines that are not plainly objects with these keys come back as odd."""
        done: int = self.native["read_json"](self.context, data, length, self.keys, len(self.keys), *self.limits)
        return done


class PairsKernel(_Reader):
    """Reads blocks of lines that are a time, a head, and `key=value` after `key=value`."""

    def __init__(
        self, functions: Mapping[str, Any], name: str, heads: Sequence[str], keys: Mapping[str, str], head: str
    ) -> None:
        """`heads` are what may stand between the time and the pairs, a tab for any blanks; which of them it was goes
        to the column `head` as its number. `keys` are the keys and the field of each, no key without a value; the
        others come as one object in the column `extra`, raw.
        """
        super().__init__(functions, name, [*_fields([*keys.values(), "start_time", EXTRA]), _Field(head, _NUMBER)])
        self.heads = _keys(dict.fromkeys(heads, -1))
        self.keys = _keys({f"{key}=": self.place[field] for key, field in keys.items()})
        self.limits = (self.place["start_time"], self.place[head], self.place[EXTRA])

    def run(self, data: Any, length: int) -> int:
        """Let the kernel read; lines that are not plainly such come back as odd."""
        arguments = (self.heads, len(self.heads), self.keys, len(self.keys), *self.limits)
        done: int = self.native["read_pairs"](self.context, data, length, *arguments)
        return done


def _keys(columns: Mapping[str, int]) -> Any:
    """Keys as they stand in a line, and the column of each, in the kernel's words."""
    texts = [(text.encode(), column) for text, column in columns.items()]
    return (_Key * len(texts))(*(_Key(text, len(text), column) for text, column in texts))
