"""`egress-audit run`: the whole road, from logs to a proven manifest and a report."""

from pathlib import Path

import typer

from analyzer.cli.options import (
    AsOfOption,
    CompanionOption,
    FailOn,
    FailOnOption,
    FormatOption,
    LabelOption,
    LakeOption,
    MeshConfigOption,
    MeshOption,
    OutOption,
    Output,
    OutputOption,
    QuietOption,
    SettingsOption,
    SinceOption,
    Sources,
    UntilOption,
    VersionOption,
    WorkersOption,
)
from analyzer.vocabulary import NEWEST_ISTIO


def command(
    sources: Sources,
    lake: LakeOption,
    out: OutOption,
    settings: SettingsOption = None,
    mesh: MeshOption = [],  # noqa: B006
    istio_version: VersionOption = NEWEST_ISTIO,
    companion: CompanionOption = [],  # noqa: B006
    log_format: FormatOption = None,
    mesh_config: MeshConfigOption = [],  # noqa: B006
    label: LabelOption = [],  # noqa: B006
    since: SinceOption = None,
    until: UntilOption = None,
    as_of: AsOfOption = None,
    output: OutputOption = Output.table,
    fail_on: FailOnOption = FailOn.never,
    workers: WorkersOption = None,
    quiet: QuietOption = False,
) -> None:
    """Ingest, classify, judge, propose, replay and report, in one go."""
    from analyzer.cli.reading import auditing, labels_of, one_of
    from analyzer.cli.terminal import hint, print_json, progress, say, warn
    from analyzer.cli.verdicts import exit_code, why_nothing_is_proposed
    from analyzer.execution.local import ingest
    from analyzer.report import headline, write_output, write_report
    from analyzer.shapes import summary_as_json

    # A mistake in the options should be said before an hour of reading.
    audited = auditing(
        settings=settings,
        mesh=mesh,
        istio_version=istio_version,
        since=since,
        until=until,
        as_of=as_of,
        companions=companion,
    )
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
            apart=[out],
        )
    for note in tally.notes:
        warn(note)
    audit = audited(lake)
    write_output(audit, out)
    page = write_report(audit, Path(out) / "report.html")
    if (why := why_nothing_is_proposed(audit)) is not None:
        warn(why)
    if output is Output.json:
        print_json(summary_as_json(audit))
    else:
        say(headline(audit))
        say(f"report:    {page}")
        say(f"manifests: {Path(out) / 'manifests'} ({len(audit.proposals.proposed)})")
        if audit.companions.files:
            say(f"companions: {Path(out) / 'companions'} ({len(audit.companions.files)})")
        say(f"the rest:  {Path(out) / 'not_proposed.csv'} ({len(audit.proposals.not_proposed)})")
        hint(f"next: read {page}, then `kubectl diff -k {Path(out) / 'manifests'}`", quiet=quiet)
    raise typer.Exit(exit_code(audit, fail_on))
