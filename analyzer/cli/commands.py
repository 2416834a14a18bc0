"""The table of commands, one module a verb."""

from typing import Annotated

import typer

from analyzer.cli import (
    catalog,
    destinations,
    entries,
    explain,
    ingest,
    propose,
    rejected,
    report,
    run,
    simulate,
    validate,
)
from analyzer.cli.options import settle

_HELP = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="egress-audit",
    help="From Istio access logs to ServiceEntries that are proven before anyone applies them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=_HELP,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from analyzer.vocabulary import NEWEST_ISTIO, OLDEST_ISTIO

        typer.echo(f"egress-audit {version('egress-audit')} (Istio {OLDEST_ISTIO} to {NEWEST_ISTIO})")
        raise typer.Exit


@app.callback()
def common(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version and the Istio range.")
    ] = False,
) -> None:
    """Options before the command."""
    settle.debug = debug


for verb in (run, ingest, entries, destinations, rejected, propose, simulate, validate, explain, report, catalog):
    app.command(name=verb.__name__.rpartition(".")[2], context_settings=_HELP)(verb.command)
