"""`egress-audit report`: the page and, beside it, its JSON twin."""

from typing import Annotated

import typer

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
    out: Annotated[
        str, typer.Option("--out", help="The page; its JSON twin is written beside it.", metavar="FILE.html")
    ],
    settings: SettingsOption = None,
    mesh: MeshOption = [],  # noqa: B006
    istio_version: VersionOption = NEWEST_ISTIO,
    since: SinceOption = None,
    until: UntilOption = None,
    as_of: AsOfOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Write the report of a lake and say where it is."""
    from analyzer.cli.reading import auditing
    from analyzer.cli.terminal import print_json, say
    from analyzer.report import write_report

    audit = auditing(settings=settings, mesh=mesh, istio_version=istio_version, since=since, until=until, as_of=as_of)(
        lake
    )
    page = write_report(audit, out)
    if output is Output.json:
        print_json({"report": str(page), "data": str(page.with_suffix(".json"))})
    else:
        say(str(page))
