"""`egress-audit validate`: Istio's own rules on ServiceEntry manifests."""

from typing import Annotated

import typer

from analyzer.cli.options import Output, OutputOption, VersionOption
from analyzer.vocabulary import NEWEST_ISTIO, Severity


def command(
    paths: Annotated[list[str], typer.Argument(help="Manifests: files, folders, or -.", metavar="PATH...")],
    istio_version: VersionOption = NEWEST_ISTIO,
    fail_on: Annotated[Severity, typer.Option("--fail-on", help="Exit with 1 from this severity on.")] = Severity.ERROR,
    output: OutputOption = Output.table,
) -> None:
    """Say what Istio would refuse, warn of, or take in silence; exit 1 where it would refuse something."""
    from analyzer.cli.terminal import print_json, say
    from analyzer.validation import finding_as_json, render, validate_paths

    findings = validate_paths(paths, istio_version)
    if output is Output.json:
        print_json([finding_as_json(finding) for finding in findings])
    else:
        for text in render(findings):
            say(text)
    grave = list(Severity)[: list(Severity).index(fail_on) + 1]
    raise typer.Exit(1 if any(finding.severity in grave for finding in findings) else 0)
