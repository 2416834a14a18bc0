"""`egress-audit report`: the page and, beside it, its JSON twin."""

from typing import Annotated

import typer

from analyzer.cli.options import (
    AsOfOption,
    LakeOption,
    MeshOption,
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
) -> None:
    """Write the report of a lake."""
    from analyzer.cli.reading import audit_of
    from analyzer.cli.terminal import say
    from analyzer.report import write_report

    audit = audit_of(
        lake, settings=settings, mesh=mesh, istio_version=istio_version, since=since, until=until, as_of=as_of
    )
    say(str(write_report(audit, out)))
