"""`egress-audit destinations`: one row per destination with its evidence."""

from analyzer.cli.options import (
    AsOfOption,
    LakeOption,
    MeshOption,
    Output,
    OutputOption,
    SettingsOption,
    SinceOption,
    UntilOption,
    VersionOption,
)
from analyzer.vocabulary import NEWEST_ISTIO


def command(
    lake: LakeOption,
    settings: SettingsOption = None,
    mesh: MeshOption = [],  # noqa: B006
    istio_version: VersionOption = NEWEST_ISTIO,
    since: SinceOption = None,
    until: UntilOption = None,
    as_of: AsOfOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Print every destination with its evidence, its verdict, and why it is refused or would be."""
    from analyzer.cli.reading import auditing
    from analyzer.cli.terminal import print_json, print_table
    from analyzer.shapes import destinations_as_json

    audit = auditing(settings=settings, mesh=mesh, istio_version=istio_version, since=since, until=until, as_of=as_of)(
        lake
    )
    if output is Output.json:
        print_json(destinations_as_json(audit))
        return
    causes = audit.assessment.causes
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
            ", ".join(dict.fromkeys(block.cause.code for block in causes.get(item.key, ()))) or None,
        )
        for item in audit.judged
    ]
    columns = ("namespace", "workload", "destination", "protocol", "entries", "classes", "verdict", "reason", "cause")
    print_table(columns, rows, right=("entries",), colored="verdict")
