import re
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.execution.auditing import audit
from analyzer.execution.local import ingest
from analyzer.pipeline import Audit
from analyzer.report.sections.overview import headline
from analyzer.settings import Settings
from analyzer.vocabulary import Outcome
from tests.lines import BLOCKED_HTTP, text


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    folder: Path = tmp_path_factory.mktemp("overview")
    (folder / "a.log").write_text(text(BLOCKED_HTTP) + "\n")
    ingest([str(folder / "a.log")], str(folder / "lake"))
    return audit(str(folder / "lake"), settings=Settings(), istio_version="1.31")


def with_coverage(audited: Audit, *counts: int) -> Audit:
    coverage = dict(zip(Outcome, counts, strict=True))
    return replace(audited, replay=replace(audited.replay, coverage=coverage))


@pytest.mark.parametrize(
    "counts", [(3, 0, 0, 0, 4), (3, 2, 0, 1, 4), (0, 0, 5, 0, 4), (0, 0, 0, 0, 4), (1, 2, 3, 4, 5)]
)
def test_the_numbers_of_the_headline_add_up(audited: Audit, counts: tuple[int, ...]) -> None:
    sentence = headline(with_coverage(audited, *counts))

    let_out, total, *others = map(int, re.findall(r"\d+", sentence.split("manifests, ")[1]))
    assert let_out + sum(others) == total == sum(counts)


def test_the_headline_names_every_fate(audited: Audit) -> None:
    assert headline(with_coverage(audited, 1, 2, 3, 4, 5)) == (
        "Under REGISTRY_ONLY with 0 proposed manifests, 5 of 15 outbound entries would be let out, 1 refused, "
        "2 matched and broken all the same and 3 sent to another host's entry; "
        "for 4 the log does not show enough to tell."
    )
