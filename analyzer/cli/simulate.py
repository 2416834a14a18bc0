"""`egress-audit simulate`: replay the log against manifests."""

from typing import Annotated

import typer

from analyzer.cli.options import (
    LakeOption,
    MeshOption,
    Output,
    OutputOption,
    SinceOption,
    UntilOption,
    VersionOption,
)
from analyzer.vocabulary import NEWEST_ISTIO, Mode


def command(
    lake: LakeOption,
    manifests: Annotated[
        list[str], typer.Option("--manifests", help="What would be applied; may be repeated.", metavar="PATH")
    ],
    more: Annotated[list[str] | None, typer.Argument(help="More manifests.", metavar="[PATH...]")] = None,
    mesh: MeshOption = [],  # noqa: B006
    mode: Annotated[Mode, typer.Option("--mode", help="Mesh-wide outbound policy.")] = Mode.REGISTRY_ONLY,
    istio_version: VersionOption = NEWEST_ISTIO,
    since: SinceOption = None,
    until: UntilOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Say of every outbound destination what would become of it under these manifests."""
    from analyzer.cli.reading import mesh_of, time_of
    from analyzer.cli.terminal import print_json, print_table
    from analyzer.evidence import gather
    from analyzer.execution.summing import summaries_of
    from analyzer.simulation import Simulator, replay_as_json
    from analyzer.store import Lake

    whole = mesh_of(mesh).over(mesh_of([*manifests, *(more or [])], proposed=True))
    simulator = Simulator(whole, mode=mode, istio_version=istio_version)
    summaries = summaries_of(Lake(lake), time_of(since, "--since"), time_of(until, "--until"))
    replay = simulator.replay(gather(summaries))
    if output is Output.json:
        print_json(replay_as_json(replay))
        return
    rows = [
        (d.key.source_namespace, d.key.name, d.entries, d.decision.outcome, d.decision.because)
        for d in replay.destinations
    ]
    print_table(("namespace", "destination", "entries", "outcome", "because"), rows, right=("entries",))
