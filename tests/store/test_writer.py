from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from analyzer.store import PartitionWriter
from analyzer.store.layout import REJECTED_KIND
from analyzer.store.writer import _frequent_first

WORDS = st.lists(st.sampled_from([None, *"abcdefgh"]), min_size=1, max_size=40)


@given(WORDS, st.permutations("abcdefgh"))
def test_putting_frequent_values_first_changes_no_row(words: list[str | None], dictionary: list[str]) -> None:
    codes = pa.array([None if word is None else dictionary.index(word) for word in words], pa.int32())
    column = pa.chunked_array([pa.DictionaryArray.from_arrays(codes, pa.array(dictionary))])

    assert _frequent_first(column).to_pylist() == words


def test_the_most_frequent_value_gets_the_first_code() -> None:
    words = [*"abcdef", *"cc", "e"]

    assert _frequent_first(pa.chunked_array([pa.array(words).dictionary_encode()])).dictionary.to_pylist()[:2] == [
        "c",
        "e",
    ]


def test_a_file_holds_the_rows_that_were_written_in_their_order(tmp_path: Path) -> None:
    rows = pa.table({"origin": pa.array([*"abcdefcce"]).dictionary_encode(), "line_number": list(range(9))})
    writer = PartitionWriter(str(tmp_path), "name")
    writer.write(REJECTED_KIND, rows)

    (file,) = writer.finish()

    assert pq.read_table(tmp_path / file.path)["origin"].to_pylist() == [*"abcdefcce"]


def test_long_texts_are_written_in_several_row_groups(tmp_path: Path) -> None:
    rows = pa.table({"text": [letter * (8 << 20) for letter in "abcdef"]})
    writer = PartitionWriter(str(tmp_path), "name")
    writer.write(REJECTED_KIND, rows)

    (file,) = writer.finish()

    written = pq.ParquetFile(tmp_path / file.path)
    assert written.metadata.num_row_groups == 3
    assert written.read().equals(rows)
