"""Turn option texts into values, or say what is wrong with them."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from analyzer.errors import UsageError
from analyzer.vocabulary import NEWEST_ISTIO

if TYPE_CHECKING:
    from analyzer.mesh import Mesh
    from analyzer.pipeline import Audit
    from analyzer.settings import Settings
    from analyzer.vocabulary import Mode


def labels_of(pairs: Sequence[str]) -> dict[str, str]:
    """`key=value` pairs as a mapping."""
    labels: dict[str, str] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key or not value:
            raise UsageError(f"--label {pair}: not key=value", hint="for example --label source_namespace=shop")
        labels[key] = value
    return labels


def one_of(log_format: str | None, mesh_config: Sequence[str]) -> None:
    """Refuse two answers to one question."""
    if log_format is not None and mesh_config:
        raise UsageError("--format and --mesh-config both say what the format is", hint="give one of them")


def time_of(text: str | None, option: str) -> datetime | None:
    """An ISO 8601 moment; one without an offset is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text}: not a time", hint="for example 2026-03-02T10:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def span_of(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Two moments, of which the first comes first."""
    start, end = time_of(since, "--since"), time_of(until, "--until")
    if start is not None and end is not None and start >= end:
        raise UsageError(f"--since {since} is not before --until {until}", hint="give the earlier time to --since")
    return start, end


def day_of(text: str | None) -> date | None:
    """An ISO 8601 day."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--as-of {text}: not a day", hint="for example 2026-03-02") from None


def modes_of(pairs: Sequence[str]) -> "dict[str, Mode]":
    """`namespace=MODE` pairs as a mapping."""
    from analyzer.vocabulary import Mode

    modes: dict[str, Mode] = {}
    for pair in pairs:
        namespace, _, mode = pair.partition("=")
        if not namespace or mode not in list(Mode):
            raise UsageError(f"--mode-of {pair}: not namespace=MODE", hint="for example --mode-of shop=REGISTRY_ONLY")
        modes[namespace] = Mode(mode)
    return modes


def mesh_of(paths: Sequence[str], *, proposed: bool = False) -> "Mesh":
    """The mesh that some paths describe; documents that are not understood are warned of on stderr.

    `proposed` marks the objects as younger than everything that exists.
    """
    from analyzer.cli.terminal import warn
    from analyzer.mesh import load_mesh

    mesh, warnings = load_mesh(paths)
    for warning in warnings:
        warn(str(warning))
    return mesh.as_proposed() if proposed else mesh


def settings_of(path: str | None, companions: Sequence[str] = ()) -> "Settings":
    """The settings of a file with companions added; names are checked here, before anything long begins."""
    from analyzer.companions import check_names
    from analyzer.settings_file import read_settings

    settings = read_settings(path)
    names = tuple(sorted({*settings.proposals.companions, *companions}))
    check_names(names)
    proposals = settings.proposals.model_copy(update={"companions": names})
    return settings.model_copy(update={"proposals": proposals})


def auditing(
    *,
    settings: str | None = None,
    mesh: Sequence[str] = (),
    istio_version: str = NEWEST_ISTIO,
    since: str | None = None,
    until: str | None = None,
    as_of: str | None = None,
    companions: Sequence[str] = (),
) -> Callable[[str], "Audit"]:
    """How to audit a lake with options as they were typed; what is wrong with them is said here and now."""
    from analyzer.versions import version_of

    version_of(istio_version)
    start, end = span_of(since, until)
    understood = {
        "settings": settings_of(settings, companions),
        "since": start,
        "until": end,
        "as_of": day_of(as_of),
        "mesh": mesh_of(mesh),
        "istio_version": istio_version,
    }
    return partial(_audited, understood)


def _audited(understood: dict[str, Any], lake: str) -> "Audit":
    from analyzer.cli.terminal import warn
    from analyzer.execution.auditing import audit

    result = audit(lake, **understood)
    for note in (*result.settings_notes, *result.companions.notes):
        warn(note)
    return result
