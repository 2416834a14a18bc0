"""Assessments for tests: destinations, a mesh in a few words, and hours that were watched."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from analyzer.detection import judge
from analyzer.evidence import Destination, merge
from analyzer.evidence.hours import HOURS
from analyzer.mesh.model import Mesh
from analyzer.proposals import placed, propose
from analyzer.readiness import Assessment, assess
from analyzer.settings import Settings
from analyzer.simulation import Simulator
from analyzer.vocabulary import NEWEST_ISTIO

START = datetime(2026, 3, 2, tzinfo=UTC)
ENOUGH = 31 * 24


def assessment(
    destinations: Sequence[Destination], mesh: Mesh | None = None, *, hours: int = ENOUGH, **settings: Any
) -> Assessment:
    """What would be said of the switch; every namespace was watched for so many hours."""
    whole = mesh or Mesh()
    chosen = Settings.model_validate(settings)
    ordered = sorted(destinations, key=lambda item: item.key.order)
    judged, _ = judge(ordered, chosen, START)
    proposals = propose(judged, whole, chosen, istio_version=NEWEST_ISTIO)
    proposed = whole.over(proposals.mesh)
    return assess(
        merge([]) | {HOURS.name: watched({item.key.source_namespace for item in ordered}, hours)},
        judged,
        [placed(item, chosen) for item in ordered],
        as_is=Simulator(whole),
        proposed=Simulator(proposed),
        proposals=proposals.proposed,
        settings=chosen,
    )


def watched(namespaces: set[str | None], hours: int) -> pa.Table:
    """One entry an hour in every namespace."""
    rows = [
        {"source_namespace": namespace, "hour": START + timedelta(hours=number), "entries": 1}
        for namespace in sorted(namespaces, key=str)
        for number in range(hours)
    ]
    return pa.Table.from_pylist(rows, HOURS.schema)
