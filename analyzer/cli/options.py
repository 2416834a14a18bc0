"""Options that several commands share."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer


class Output(StrEnum):
    """How a result is printed."""

    table = "table"
    json = "json"


class FailOn(StrEnum):
    """From which finding on a run exits with 1."""

    never = "never"
    denied = "denied"
    suspicious = "suspicious"
    review = "review"


@dataclass
class Settle:
    """What holds for the whole command, whichever it is."""

    debug: bool = False


settle = Settle()

Sources = Annotated[
    list[str],
    typer.Argument(
        help="Files, folders, globs, archives, s3:// gs:// az:// addresses, or - for standard input.",
        metavar="SOURCE...",
    ),
]
LakeOption = Annotated[str, typer.Option("--lake", help="Folder of the lake.", metavar="DIR")]
OutOption = Annotated[str, typer.Option("--out", help="Folder for the results.", metavar="DIR")]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="table for people, json for programs.")]
SettingsOption = Annotated[str | None, typer.Option("--settings", help="Settings in TOML.", metavar="FILE")]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="Name of the log format, or its format string; recognised where it is not given.",
        metavar="NAME|FORMAT_STRING",
    ),
]
MeshConfigOption = Annotated[
    list[str],
    typer.Option(
        "--mesh-config",
        help="Take the format from here: the `istio` ConfigMap, a MeshConfig, Telemetry; may be repeated.",
        metavar="FILE",
    ),
]
LabelOption = Annotated[
    list[str],
    typer.Option("--label", help="Who wrote the lines, as key=value; may be repeated.", metavar="KEY=VALUE"),
]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="Only entries from then on (ISO 8601, UTC).", metavar="TIME")
]
UntilOption = Annotated[
    str | None, typer.Option("--until", help="Only entries before then (ISO 8601, UTC).", metavar="TIME")
]
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", help="Day on which expiry dates are looked at; default: the log's last.", metavar="DATE"),
]
MeshOption = Annotated[
    list[str],
    typer.Option("--mesh", help="The mesh as it is: manifests, files or folders; may be repeated.", metavar="PATH"),
]
CompanionOption = Annotated[
    list[str],
    typer.Option(
        "--companion",
        help="Make this companion too: sidecar, egress_gateway, network_policy and others; may be repeated.",
        metavar="NAME",
    ),
]
VersionOption = Annotated[str, typer.Option("--istio-version", help="Istio version of the proxies.", metavar="X.Y")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints.")]
WorkersOption = Annotated[int | None, typer.Option("--workers", "-j", min=1, help="Processes; default: one a core.")]
FailOnOption = Annotated[
    FailOn, typer.Option("--fail-on", help="Exit with 1 where a destination has this verdict or a graver one.")
]
