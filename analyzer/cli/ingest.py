"""`egress-audit ingest`: logs into the lake."""

from analyzer.cli.options import (
    FormatOption,
    LabelOption,
    LakeOption,
    MeshConfigOption,
    Output,
    OutputOption,
    QuietOption,
    Sources,
    WorkersOption,
)


def command(
    sources: Sources,
    lake: LakeOption,
    log_format: FormatOption = None,
    mesh_config: MeshConfigOption = [],  # noqa: B006
    label: LabelOption = [],  # noqa: B006
    output: OutputOption = Output.table,
    workers: WorkersOption = None,
    quiet: QuietOption = False,
) -> None:
    """Read logs into the lake and print the tally; a source that is in there already is skipped."""
    from analyzer.cli.reading import labels_of, one_of
    from analyzer.cli.terminal import print_json, print_table, progress, warn
    from analyzer.execution.local import ingest
    from analyzer.shapes import tally_as_json

    one_of(log_format, mesh_config)
    with progress(quiet=quiet) as shown:
        tally = ingest(
            sources,
            lake,
            labels=labels_of(label),
            log_format=log_format,
            mesh_config=mesh_config,
            workers=workers,
            progress=shown,
        )
    for note in tally.notes:
        warn(note)
    shape = tally_as_json(tally)
    if output is Output.json:
        print_json(shape)
        return
    rows = []
    for name, value in shape.items():
        if isinstance(value, dict):
            rows += [(f"{name}: {key}", count) for key, count in value.items()]
        elif name != "notes":
            rows.append((name, value))
    print_table(("what", "count"), rows, right=("count",))
