"""`egress-audit simulate`: replay the log against manifests."""

from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from analyzer.simulation import Replay


def command(
    lake: LakeOption,
    manifests: Annotated[
        list[str], typer.Option("--manifests", help="What would be applied; may be repeated.", metavar="PATH")
    ],
    more: Annotated[list[str] | None, typer.Argument(help="More manifests.", metavar="[PATH...]")] = None,
    mesh: MeshOption = [],  # noqa: B006
    compare: Annotated[
        list[str],
        typer.Option("--compare", help="Show only what differs from these manifests over --mesh.", metavar="PATH"),
    ] = [],  # noqa: B006
    mode: Annotated[Mode, typer.Option("--mode", help="Mesh-wide outbound policy.")] = Mode.REGISTRY_ONLY,
    mode_of: Annotated[
        list[str],
        typer.Option("--mode-of", help="Another policy for one namespace; may be repeated.", metavar="NAMESPACE=MODE"),
    ] = [],  # noqa: B006
    override_sidecars: Annotated[
        bool, typer.Option("--override-sidecars", help="Let --mode hold where a Sidecar has a policy of its own.")
    ] = False,
    istio_version: VersionOption = NEWEST_ISTIO,
    since: SinceOption = None,
    until: UntilOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Say of every outbound destination what would become of it under these manifests."""
    from analyzer.cli.reading import mesh_of, modes_of, span_of
    from analyzer.evidence import gather
    from analyzer.execution.paths import with_paths
    from analyzer.execution.summing import summaries_of
    from analyzer.simulation import Simulator
    from analyzer.store import Lake

    start, end = span_of(since, until)
    as_it_is, modes = mesh_of(mesh), modes_of(mode_of)

    def replayed(paths: list[str]) -> "Replay":
        whole = as_it_is.over(mesh_of(paths, proposed=True))
        simulator = Simulator(
            whole, mode=mode, istio_version=istio_version, modes=modes, override_sidecars=override_sidecars
        )
        return simulator.replay(with_paths(store, destinations, whole, start, end))

    store = Lake(lake)
    destinations = gather(summaries_of(store, start, end))
    after = replayed([*manifests, *(more or [])])
    if compare:
        _print_comparison(replayed(compare), after, output)
    else:
        _print_replay(after, output)


def _print_replay(replay: "Replay", output: Output) -> None:
    from analyzer.cli.terminal import print_json, print_table
    from analyzer.simulation import replay_as_json

    if output is Output.json:
        print_json(replay_as_json(replay))
        return
    rows = [
        (d.key.source_namespace, d.key.source_workload, d.key.name, d.entries, d.decision.outcome, d.decision.because)
        for d in replay.destinations
    ]
    columns = ("namespace", "workload", "destination", "entries", "outcome", "because")
    print_table(columns, rows, right=("entries",), colored="outcome")


def _print_comparison(before: "Replay", after: "Replay", output: Output) -> None:
    from analyzer.cli.terminal import print_json, print_table
    from analyzer.simulation.comparing import compare, comparison_as_json

    compared = compare(before, after)
    if output is Output.json:
        print_json(comparison_as_json(compared))
        return
    rows = [
        (
            item.after.key.source_namespace,
            item.after.key.source_workload,
            item.after.key.name,
            item.after.entries,
            item.change,
            f"{item.before.decision.outcome} to {item.after.decision.outcome}: {item.after.decision.because}",
        )
        for item in compared
    ]
    print_table(("namespace", "workload", "destination", "entries", "change", "because"), rows, right=("entries",))
