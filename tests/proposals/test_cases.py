"""The case files: evidence in, manifests out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from analyzer.proposals import Proposal, Proposals
from analyzer.vocabulary import NEWEST_ISTIO
from tests.detection.building import destination
from tests.proposals.building import mesh_of, proposals_for


def _cases() -> Iterator[Any]:
    for file in sorted((Path(__file__).parent / "cases").glob("*.yaml")):
        for case in YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")):
            yield pytest.param(case, id=f"{file.stem}: {case['case']}")


def _proposals(case: dict[str, Any]) -> Proposals:
    evidence = [destination(**facts) for facts in case["evidence"]]
    version = case.get("istio_version", NEWEST_ISTIO)
    return proposals_for(evidence, mesh_of(case.get("mesh", [])), version, **case.get("settings", {}))


def _spec(proposal: Proposal) -> Any:
    return YAML(typ="safe", pure=True).load(proposal.yaml)["spec"]


@pytest.mark.parametrize("case", list(_cases()))
def test_case(case: dict[str, Any]) -> None:
    found = _proposals(case)

    manifests = case.get("manifests", [])
    names = case.get("names", [manifest["name"] for manifest in manifests])
    assert [f"{item.namespace}/{item.name}" for item in found.proposed] == names
    for manifest, proposal in zip(manifests, found.proposed, strict=False):
        assert _spec(proposal) == manifest["spec"]
        assert proposal.needs_review == manifest.get("needs_review", False)
    refused = sorted((item.key.name, item.code) for item in found.not_proposed)
    assert refused == sorted((item["destination"], item["code"]) for item in case.get("not_proposed", []))
    assert all(item.reason.endswith(".") for item in found.not_proposed)
