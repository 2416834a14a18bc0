"""Dictionary columns as plain numbers, and back: what works on codes need not know how Arrow keeps what is missing."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Codes = np.ndarray[Any, np.dtype[np.int32]]

Parts = Iterable[tuple[Any, int]]
"""Of each column a number from 0 for each row, and how many numbers there are."""

_SMALL, _ROOM = 1 << 31, 1 << 62
"""What 32 and 64 bits hold of joined numbers."""
_CLOSE = 1 << 17
"""Numbers no further apart than this are told apart by their place in a table instead of by hashing."""


def one_chunk(column: Any) -> pa.Array:
    """A column in one piece, copied only where it is in several."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        return pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    return array


def codes_of(column: pa.DictionaryArray) -> Codes:
    """The code of each row, -1 for null."""
    indices = column.indices
    if not indices.null_count:
        return np.asarray(indices)
    if indices.null_count == len(indices):
        return np.full(len(indices), -1, np.int32)
    validity, data = indices.buffers()
    end = indices.offset + len(indices)
    valid = np.unpackbits(np.frombuffer(validity, np.uint8), count=end, bitorder="little")[indices.offset :]
    # All bits are set where a row has no value, none where it has one: a third of what `fill_null` takes.
    codes: Codes = valid.astype(np.int32)
    codes -= 1
    codes |= np.frombuffer(data, indices.type.to_pandas_dtype())[indices.offset : end]
    return codes


def dictionary_of(codes: Codes, values: Any) -> pa.DictionaryArray:
    """A column from codes of an array of distinct values; -1 is null. Codes beyond it are the caller's fault."""
    return pa.DictionaryArray.from_arrays(with_nulls(codes), values, safe=False)


def with_nulls(numbers: Codes) -> pa.Array:
    """A column of numbers; those below zero are null."""
    valid = numbers >= 0
    validity = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(
        pa.int32(), len(numbers), [validity, pa.py_buffer(np.ascontiguousarray(numbers, np.int32))]
    )


def counted(numbers: Any) -> tuple[Any, Any]:
    """The distinct ones of some numbers and how often each stands there; hashing is quicker than sorting them all."""
    lowest = int(numbers.min())
    if int(numbers.max()) - lowest < _CLOSE:
        counts = np.bincount(numbers - lowest)
        distinct = np.flatnonzero(counts)
        return distinct + lowest, counts[distinct]
    encoded = pa.array(numbers).dictionary_encode()
    return np.asarray(encoded.dictionary), np.bincount(np.asarray(encoded.indices))


def numbered(column: pa.Array) -> tuple[Codes, int]:
    """Numbers from 0, equal where the column's values are, and how many there may be; null is a value of its own."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_integer(column.type):
        bounds = pc.min_max(column).as_py()
        if column.null_count < len(column) and bounds["max"] - bounds["min"] < _CLOSE:
            lowest = bounds["min"] - (column.null_count > 0)
            wide = column.cast(pa.int64())
            places = np.asarray(wide.fill_null(lowest) if column.null_count else wide) - lowest
            return places.astype(np.int32), bounds["max"] - lowest + 1
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    codes = codes_of(coded)
    return (codes + 1, len(coded.dictionary) + 1) if coded.indices.null_count else (codes, len(coded.dictionary))


def joined(parts: Parts) -> Any:
    """One number per row, equal where all parts are equal; the parts are its digits as long as 62 bits hold them.

    Small numbers are joined in half the time, so the parts of few numbers come first.
    """
    combined: Any = None
    size = 1
    for codes, count in parts:
        if combined is None:
            combined, size = codes.astype(np.int32), count
            continue
        if count <= 1:
            continue
        if size * count >= _ROOM:
            encoded = pa.array(combined).dictionary_encode()
            combined, size = np.array(encoded.indices), len(encoded.dictionary)
        if size * count >= _SMALL:
            combined = combined.astype(np.int64, copy=False)
        combined *= count
        combined += codes
        size *= count
    return combined
