"""Which formats to look for: all, one by its name, or one that a mesh's operator wrote."""

from collections.abc import Sequence

from analyzer.errors import UsageError
from analyzer.parsing.log_format import LogFormat, known_formats
from analyzer.parsing.text import TextFormat


def formats_for(choice: str | None) -> list[LogFormat]:
    """The formats to look for: all of them, the one that was named, or the one whose format string was given.

    Raises `UsageError` for a name that no format has and for a format string that cannot be read.
    """
    formats = known_formats()
    if choice is None:
        return list(formats.values())
    if choice in formats:
        return [formats[choice]]
    if "%" in choice or choice.lstrip().startswith("{"):
        return [format_of(choice)]
    raise UsageError(
        f"no format is named {choice!r}",
        hint=f"known formats: {', '.join(formats)}; a format string has command operators such as %START_TIME%",
    )


def format_of(format_string: str) -> LogFormat:
    """The format of a format string or a JSON template; Istio's and Envoy's own have theirs already.

    Raises `UsageError` for one that cannot be read.
    """
    # Only where somebody has a format of his own: the start of every other reading is shorter without them.
    from analyzer.parsing.custom_json import CustomJson
    from analyzer.parsing.custom_text import CustomText

    if format_string.lstrip().startswith("{"):
        return CustomJson(format_string.strip())
    plain = _plain(format_string)
    for log_format in known_formats().values():
        if isinstance(log_format, TextFormat) and _plain(log_format.format_string) == plain:
            return log_format
    return CustomText(format_string.rstrip("\r\n"))


def _plain(format_string: str) -> str:
    """Two strings that differ here only are read alike."""
    return format_string.strip().replace("%UPSTREAM_CLUSTER_RAW%", "%UPSTREAM_CLUSTER%")


def as_sent(formats: Sequence[LogFormat]) -> list[LogFormat | str]:
    """Formats as they go to another process: known ones by name, others whole."""
    known = known_formats()
    return [log_format.name if log_format.name in known else log_format for log_format in formats]


def as_received(sent: Sequence[LogFormat | str]) -> list[LogFormat]:
    """The formats that were sent."""
    return [known_formats()[item] if isinstance(item, str) else item for item in sent]
