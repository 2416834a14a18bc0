"""The case files: manifests in, findings out."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from analyzer.validation import Finding, known_rules, validate_paths
from analyzer.vocabulary import NEWEST_ISTIO, Severity
from tests.validation.test_rules import LIMITS

CASES = Path(__file__).parent / "cases"
HEAD = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: entry, namespace: shop}\nspec:\n"
OLDEST_V1 = (1, 22)


@lru_cache(maxsize=1)
def _all_cases() -> list[tuple[str, dict[str, Any]]]:
    read = YAML(typ="safe", pure=True).load
    return [
        (file.stem, case) for file in sorted(CASES.glob("*.yaml")) for case in read(file.read_text(encoding="utf-8"))
    ]


def _cases() -> Iterator[Any]:
    for stem, case in _all_cases():
        yield pytest.param(case, id=f"{stem}: {case['case']}")


def _text(case: dict[str, Any]) -> str:
    """The manifests as they are written, or a ServiceEntry round its spec."""
    if "manifests" in case:
        return str(case["manifests"])
    head = HEAD if _version(case) >= OLDEST_V1 else HEAD.replace("/v1\n", "/v1beta1\n")
    return head + "".join(f"  {line}\n" for line in case["spec"].splitlines())


def _version(case: dict[str, Any]) -> tuple[int, ...]:
    return tuple(int(part) for part in case.get("istio", NEWEST_ISTIO).split("."))


def _found(case: dict[str, Any], folder: Path) -> list[Finding]:
    (folder / "manifests.yaml").write_text(_text(case), encoding="utf-8")
    return validate_paths([str(folder / "manifests.yaml")], case.get("istio", NEWEST_ISTIO))


@pytest.mark.parametrize("case", list(_cases()))
def test_case(case: dict[str, Any], tmp_path: Path) -> None:
    found = _found(case, tmp_path)

    by_code = {finding.code: finding for finding in reversed(found)}
    assert {code for code, finding in by_code.items() if finding.severity is not Severity.INFO} == set(case["finds"])
    assert set(case.get("notes", ())) <= set(by_code)
    assert not case.get("quiet") or found == []
    for code, place in case.get("at", {}).items():
        assert f"{by_code[code].line}:{by_code[code].column}" == place
    for code, said in case.get("says", {}).items():
        assert said in f"{by_code[code].message} {by_code[code].hint}"
    for code, times in case.get("times", {}).items():
        assert len([finding for finding in found if finding.code == code]) == times
    if "accepted" in case:
        assert case["accepted"] is not any(finding.severity is Severity.ERROR for finding in found)


@pytest.mark.parametrize("rule", known_rules(), ids=lambda rule: rule.code)
def test_every_rule_has_a_case_in_which_it_speaks(rule: Any) -> None:
    said = {code for _, case in _all_cases() for code in (*case["finds"], *case.get("notes", ()))} | set(LIMITS)

    assert rule.code in said
