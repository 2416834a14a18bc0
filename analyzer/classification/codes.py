"""Work on the dictionary of a column instead of its rows: look at each distinct value once."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from analyzer.dictionaries import Codes, codes_of, dictionary_of

Flags = np.ndarray[Any, np.dtype[np.bool_]]


class Coded:
    """A dictionary column as codes (-1 for null) and its distinct values."""

    def __init__(self, column: pa.DictionaryArray) -> None:
        self.codes = codes_of(column)
        self.values: list[str] = column.dictionary.to_pylist()

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def known(self) -> Flags:
        """Which rows have a value."""
        return self.codes >= 0

    def map(self, function: Callable[[str], int], absent: int, rows: Any = slice(None)) -> Codes:
        """A small number a row: `function` of the value, `absent` for null."""
        return looked_up([*map(function, self.values), absent], self.codes[rows])


def looked_up(numbers: Sequence[int], codes: Codes) -> Codes:
    """The number that stands at each code's place; -1 picks the last."""
    return np.array(numbers, np.int32)[codes]


def enumerated(codes: Codes, names: Sequence[str]) -> pa.DictionaryArray:
    """A dictionary column from codes into a fixed list of names; -1 is null."""
    return dictionary_of(codes, pa.array(names, pa.string()))


def deduplicated(codes: Codes, values: Sequence[str | None]) -> pa.DictionaryArray:
    """A dictionary column from codes into values that may be equal, null or unused; -1 is null."""
    places = np.flatnonzero(np.bincount(codes + 1, minlength=len(values) + 1)[1:])  # those that are used
    distinct = pa.array([values[place] for place in places.tolist()], pa.string()).dictionary_encode()
    table = np.full(len(values) + 1, -1, np.int32)
    table[places] = codes_of(distinct)
    return dictionary_of(table[codes], distinct.dictionary)
