"""Every case in `cases/`: what is asked of a mesh comes out as Istio and Envoy have it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from analyzer.evidence import Request
from analyzer.simulation import Simulator
from tests.simulation.building import mesh_in, mode_of, request

PROTOCOLS = ("http", "grpc", "tls", "tcp", "connect")


def _cases() -> Iterator[Any]:
    for file in sorted((Path(__file__).parent / "cases").glob("*.yaml")):
        for case in YAML(typ="safe").load(file):
            for expected in case["expect"]:
                protocol = next(word for word in PROTOCOLS if word in expected)
                for version, outcome in _by_version(expected):
                    name = f"{file.stem}: {case['case']}: {protocol} {expected[protocol]} {version}"
                    yield pytest.param(case, expected, protocol, version, outcome, id=name)


def _by_version(expected: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    outcome = expected["outcome"]
    if isinstance(outcome, str):
        yield str(expected.get("istio", "1.31")), outcome
    else:
        yield from ((str(version), word) for version, word in outcome.items())


@pytest.mark.parametrize(("case", "expected", "protocol", "version", "outcome"), list(_cases()))
def test_a_case_comes_out_as_istio_has_it(
    case: Mapping[str, Any], expected: Mapping[str, Any], protocol: str, version: str, outcome: str
) -> None:
    simulator = Simulator(
        mesh_in(case),
        mode=mode_of(expected.get("mode", case.get("mode", "R"))),
        istio_version=version,
        override_sidecars=case.get("override_sidecars", False),
    )
    asked: Request = request(protocol, expected[protocol])

    decision = simulator.decide(asked)

    assert (decision.outcome.value, decision.because) == (outcome, decision.because)
    for key in ("by", "rule", "unguarded"):
        if key in expected:
            assert (key, getattr(decision, key), decision.because) == (key, expected[key], decision.because)
    assert list(decision.conditions) == expected.get("conditions", [])
