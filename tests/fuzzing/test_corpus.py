"""Inputs that once broke a law, and odd ones that might have: the laws hold of all of them."""

from pathlib import Path

import pytest

from tests.fuzzing.laws import LAWS

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_the_laws_hold_of_what_fuzzing_found(path: Path, law) -> None:
    law(path.read_bytes())
