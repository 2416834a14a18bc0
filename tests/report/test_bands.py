from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from analyzer.report.bands import laid_out
from analyzer.report.model import Bands, Table

NAMES = st.sampled_from(["a", "b", "c", "rest"])
ROWS = st.lists(st.tuples(NAMES, NAMES, st.just("review"), st.integers(0, 10**6)), max_size=12)


def bands(*rows: tuple[str, str, str, int]) -> Bands:
    return Bands(Table(("from", "to", "verdict", "entries"), rows), "rest")


def test_the_largest_names_come_first_and_the_rest_last() -> None:
    drawing = laid_out(bands(("a", "x", "review", 1), ("b", "x", "denied", 5), ("a", "rest", "various", 90)))

    assert [(node.name, node.amount) for node in drawing.sources] == [("a", 91), ("b", 5)]
    assert [(node.name, node.amount) for node in drawing.targets] == [("x", 6), ("rest", 90)]
    assert drawing.tones == ["review", "denied", "various"]


def test_a_band_goes_from_the_bar_of_its_source_to_that_of_its_target() -> None:
    drawing = laid_out(bands(("a", "x", "review", 30), ("a", "y", "review", 10)))

    assert [band.path for band in drawing.bands] == [
        "M0 19.0C50 19.0 50 9.5 100 9.5v165.0C50 174.5 50 184.0 0 184.0Z",
        "M0 184.0C50 184.0 50 193.5 100 193.5v55.0C50 248.5 50 239.0 0 239.0Z",
    ]


@given(ROWS)
def test_both_columns_are_as_high_as_the_drawing_and_no_bar_is_taller_than_its_room(rows) -> None:
    drawing = laid_out(bands(*rows))

    for column in (drawing.sources, drawing.targets):
        assert abs(sum(node.room for node in column) - drawing.height) <= 0.1 * (len(column) + 1)
        assert all(node.bar < node.room for node in column)
        assert sum(node.amount for node in column) == sum(row[3] for row in rows)
        named = [node.amount for node in column if node.name != "rest"]
        assert all(before >= after for before, after in pairwise(named))
