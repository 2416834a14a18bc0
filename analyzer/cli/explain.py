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
    VersionOption,
)
from analyzer.vocabulary import NEWEST_ISTIO


def command(
    what: Annotated[str, typer.Argument(help="A host name or an address.", metavar="HOST_OR_ADDRESS")],
    lake: LakeOption,
    settings: SettingsOption = None,
    mesh: MeshOption = [],  # noqa: B006
    istio_version: VersionOption = NEWEST_ISTIO,
    as_of: AsOfOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Follow one destination from the log lines to the decision."""
    from analyzer.cli.reading import audit_of, mesh_of
    from analyzer.cli.terminal import print_json, say
    from analyzer.explaining import explain, explanation_as_json, explanation_as_text

    audit = audit_of(lake, settings=settings, mesh=mesh, istio_version=istio_version, as_of=as_of)
    explanations = explain(audit, mesh_of(mesh), what)
    if output is Output.json:
        print_json([explanation_as_json(explanation) for explanation in explanations])
        return
    for explanation in explanations:
        for line in explanation_as_text(explanation):
            say(line)
