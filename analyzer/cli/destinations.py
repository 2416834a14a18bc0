"""`egress-audit destinations`: one row per destination with its evidence."""

from analyzer.cli.options import (
    AsOfOption,
    LakeOption,
    Output,
    OutputOption,
    SettingsOption,
    SinceOption,
    UntilOption,
)


def command(
    lake: LakeOption,
    settings: SettingsOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    as_of: AsOfOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Print every destination with its evidence and verdict."""
    from analyzer.cli.reading import audit_of
    from analyzer.cli.terminal import print_json, print_table
    from analyzer.shapes import destination_as_json

    judged = audit_of(lake, settings=settings, since=since, until=until, as_of=as_of).judged
    if output is Output.json:
        print_json([destination_as_json(item) for item in judged])
        return
    rows = [
        (
            item.key.source_namespace,
            item.key.source_workload,
            item.destination.name,
            item.key.application_protocol,
            item.destination.entries,
            ", ".join(item.destination.by_class),
            item.verdict,
            item.reasons[0].code,
        )
        for item in judged
    ]
    columns = ("namespace", "workload", "destination", "protocol", "entries", "classes", "verdict", "reason")
    print_table(columns, rows, right=("entries",))
