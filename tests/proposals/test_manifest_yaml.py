"""Manifests as YAML text."""

from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from analyzer.proposals.manifest_yaml import as_yaml

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def _read(text: str, version: tuple[int, int]) -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = version  # type: ignore[assignment]
    return yaml.load(StringIO(text))


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.lists(_TEXTS, max_size=3) | _TEXTS | st.integers(0, 65535)))
def test_text_stays_the_same_text_for_readers_of_both_versions_of_yaml(document: dict) -> None:
    text = as_yaml(document)

    assert _read(text, (1, 1)) == document
    assert _read(text, (1, 2)) == document


@pytest.mark.parametrize(
    "word", ["no", "On", "y", "null", "1e3", "0x1f", "12:30:45", "1_000", "2026-03-02", "~", ".", "="]
)
def test_words_that_some_reader_takes_for_something_else_are_quoted(word: str) -> None:
    assert as_yaml({"a": word}) == f'a: "{word}"\n'


@given(_TEXTS)
def test_a_text_never_breaks_out_of_its_line(text: str) -> None:
    assert as_yaml({"a": text, "b": 1}).count("\n") == 2


def test_no_byte_outside_ascii_is_written() -> None:
    assert as_yaml({"a": "\u202e\x1b[31m☃"}).isascii()
