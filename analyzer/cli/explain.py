"""`egress-audit explain`: everything known about one destination."""

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
    what: Annotated[
        str,
        typer.Argument(help="A host, *.host, an address or a CIDR, with :port or without.", metavar="HOST_OR_ADDRESS"),
    ],
    lake: LakeOption,
    settings: SettingsOption = None,
    mesh: MeshOption = [],  # noqa: B006
    istio_version: VersionOption = NEWEST_ISTIO,
    since: SinceOption = None,
    until: UntilOption = None,
    as_of: AsOfOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Follow one destination from the log lines to the decision; as JSON, one is an object and several are a list."""
    from analyzer.cli.reading import auditing
    from analyzer.cli.terminal import print_json, say
    from analyzer.explaining import explain, explanation_as_json, explanation_as_text

    audit = auditing(settings=settings, mesh=mesh, istio_version=istio_version, since=since, until=until, as_of=as_of)(
        lake
    )
    explanations = explain(audit, what)
    if output is Output.json:
        found = [explanation_as_json(explanation) for explanation in explanations]
        print_json(found[0] if len(found) == 1 else found)
        return
    for explanation in explanations:
        for line in explanation_as_text(explanation):
            say(line)
