"""Words and numbers in sentences."""

from analyzer.detection.texts import entries, share, shown


def test_one_entry_is_singular() -> None:
    assert (entries(1), entries(12345)) == ("1 entry", "12,345 entries")


def test_a_share_gives_both_numbers_and_the_percentage() -> None:
    assert share(12, 30) == "12 of 30 (40 %)"


def test_log_text_is_cut_and_written_out() -> None:
    assert shown("a\x1bb") == "a\\x1bb"
    assert shown("x" * 500) == "x" * 120 + "…"
