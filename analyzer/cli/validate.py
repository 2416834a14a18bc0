"""`egress-audit validate`: Istio's own rules on the manifests that decide egress."""

from enum import StrEnum
from typing import Annotated

import typer

from analyzer.cli.options import QuietOption, VersionOption
from analyzer.vocabulary import NEWEST_ISTIO, Severity


class Form(StrEnum):
    """How findings are printed."""

    table = "table"
    json = "json"
    sarif = "sarif"


def command(
    paths: Annotated[list[str], typer.Argument(help="Manifests: files, folders, or -.", metavar="PATH...")],
    istio_version: VersionOption = NEWEST_ISTIO,
    fail_on: Annotated[Severity, typer.Option("--fail-on", help="Exit with 1 from this severity on.")] = Severity.ERROR,
    output: Annotated[
        Form, typer.Option("--output", "-o", help="table for people, json for programs, sarif for code scanning.")
    ] = Form.table,
    quiet: QuietOption = False,
) -> None:
    """Say what Istio would refuse, warn of, or take in silence; exit 1 where it would refuse something.

    All PATHs together are one mesh: rules between objects hold over all of them.
    """
    from importlib.metadata import version

    from analyzer.cli.terminal import hint, print_json, say
    from analyzer.validation import as_sarif, counted, finding_as_json, render, validate_paths

    findings = validate_paths(paths, istio_version)
    if output is Form.json:
        print_json([finding_as_json(finding) for finding in findings])
    elif output is Form.sarif:
        print_json(as_sarif(findings, version("egress-audit")))
    else:
        for text in render(findings):
            say(text)
        hint(counted(findings), quiet=quiet)
    grave = list(Severity)[: list(Severity).index(fail_on) + 1]
    raise typer.Exit(1 if any(finding.severity in grave for finding in findings) else 0)
