import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from analyzer.dictionaries import codes_of, counted, dictionary_of, numbered

_WORDS = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=40)
_NUMBERS = st.lists(st.one_of(st.none(), st.integers(-5, 5), st.integers(-(1 << 62), 1 << 62)), min_size=1, max_size=20)


@given(_WORDS, st.integers(0, 40))
def test_codes_and_dictionary_are_the_column_wherever_it_is_cut(words: list[str | None], start: int) -> None:
    column = pa.array(words, pa.string()).dictionary_encode()[start:]

    codes = codes_of(column)

    assert [None if code < 0 else column.dictionary[code].as_py() for code in codes.tolist()] == words[start:]
    assert dictionary_of(codes, column.dictionary).to_pylist() == words[start:]


@given(
    st.one_of(_WORDS.map(lambda words: pa.array(words, pa.string())), _NUMBERS.map(lambda n: pa.array(n, pa.int64())))
)
def test_numbers_are_equal_where_values_are(column: pa.Array) -> None:
    numbers, size = numbered(column)

    pairs = set(zip(numbers.tolist(), column.to_pylist(), strict=True))
    assert len(pairs) == len({number for number, _ in pairs}) == len({value for _, value in pairs})
    assert min(numbers) >= 0
    assert max(numbers) < size


@given(st.one_of(st.lists(st.integers(-9, 9), min_size=1), st.lists(st.integers(-(1 << 62), 1 << 62), min_size=1)))
def test_each_distinct_number_is_counted(numbers: list[int]) -> None:
    distinct, counts = counted(np.array(numbers, np.int64))

    assert dict(zip(distinct.tolist(), counts.tolist(), strict=True)) == {n: numbers.count(n) for n in numbers}
