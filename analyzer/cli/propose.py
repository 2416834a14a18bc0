"""`egress-audit propose`: manifests, and what is not proposed and why."""

from pathlib import Path

import typer

from analyzer.cli.options import (
    AsOfOption,
    CompanionOption,
    FailOn,
    FailOnOption,
    LakeOption,
    MeshOption,
    OutOption,
    Output,
    OutputOption,
    QuietOption,
    SettingsOption,
    SinceOption,
    UntilOption,
    VersionOption,
)
from analyzer.vocabulary import NEWEST_ISTIO


def command(
    lake: LakeOption,
    out: OutOption,
    settings: SettingsOption = None,
    mesh: MeshOption = [],  # noqa: B006
    istio_version: VersionOption = NEWEST_ISTIO,
    companion: CompanionOption = [],  # noqa: B006
    since: SinceOption = None,
    until: UntilOption = None,
    as_of: AsOfOption = None,
    output: OutputOption = Output.table,
    fail_on: FailOnOption = FailOn.never,
    quiet: QuietOption = False,
) -> None:
    """Write manifests for the legitimate destinations, each replayed before it is written."""
    from analyzer.cli.reading import auditing
    from analyzer.cli.terminal import hint, print_json, print_table, warn
    from analyzer.cli.verdicts import exit_code, why_nothing_is_proposed
    from analyzer.proposals import proposals_as_json
    from analyzer.report import write_output, write_report
    from analyzer.shapes import companions_as_json

    audit = auditing(
        settings=settings,
        mesh=mesh,
        istio_version=istio_version,
        since=since,
        until=until,
        as_of=as_of,
        companions=companion,
    )(lake)
    write_output(audit, out)
    write_report(audit, Path(out) / "report.html")
    if (why := why_nothing_is_proposed(audit)) is not None:
        warn(why)
    if output is Output.json:
        proposals = proposals_as_json(audit.proposals, audit.replay.coverage)
        print_json(proposals | {"companions": companions_as_json(audit)})
    else:
        rows: list[tuple[str, str, int | None, str]] = [
            (p.file, ", ".join(p.hosts), p.entries, p.reason) for p in audit.proposals.proposed
        ]
        rows += [(file.file, "", None, file.reason) for file in audit.companions.files]
        print_table(("file", "hosts", "entries", "reason"), rows, right=("entries",))
        rest, page = len(audit.proposals.not_proposed), Path(out) / "report.html"
        hint(f"not proposed: {rest:,}, with reasons in {Path(out) / 'not_proposed.csv'}; to read: {page}", quiet=quiet)
    raise typer.Exit(exit_code(audit, fail_on))
