"""`%START_TIME(...)%` read back: Envoy's strftime with its own marks for the epoch and for fractions of a second.

Source: envoyproxy/envoy docs/root/configuration/advanced/substitution_formatter.rst (START_TIME) and
source/common/common/utility.cc (DateFormatter), which hands the rest to absl::FormatTime.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MARKS = {
    "Y": r"(?P<year>\d{4})",
    "y": r"(?P<short_year>\d\d)",
    "m": r"(?P<month>\d\d)",
    "d": r"(?P<day>\d\d)",
    "e": r"(?P<padded_day> ?\d{1,2})",
    "j": r"(?P<day_of_year>\d{3})",
    "H": r"(?P<hour>\d\d)",
    "I": r"(?P<half_hour>\d\d)",
    "l": r"(?P<half_hour> ?\d{1,2})",
    "k": r"(?P<padded_hour> ?\d{1,2})",
    "M": r"(?P<minute>\d\d)",
    "S": r"(?P<second>\d\d)",
    "p": r"(?P<half>[AaPp][Mm])",
    "b": r"(?P<month_name>[A-Za-z]{3})",
    "h": r"(?P<month_name>[A-Za-z]{3})",
    "B": r"(?P<month_name>[A-Za-z]+)",
    "a": r"[A-Za-z]{3}",
    "A": r"[A-Za-z]+",
    "z": r"(?P<zone>[+-]\d\d:?\d\d|Z)",
    "Z": r"(?P<zone_name>[A-Za-z]+|[+-]\d\d(?:\d\d)?)",
    "s": r"(?P<epoch>\d{1,12})",
    "n": r"\s",
    "t": r"\s",
    "%": "%",
}
_LONG = {
    "F": "%Y-%m-%d",
    "T": "%H:%M:%S",
    "D": "%m/%d/%y",
    "R": "%H:%M",
    "r": "%I:%M:%S %p",
    "c": "%a %b %e %H:%M:%S %Y",
}
_WITH_BLANKS = frozenset("eklnt")
"""Marks that write a blank, or one in place of a digit."""
CLOCK = frozenset(("year", "month", "day", "hour", "minute", "second"))
PLAIN = CLOCK | {"fraction"}
"""Parts that make a time in UTC by standing side by side, and a fraction of a second with them or not."""
_PIECE = re.compile(
    r"%(?P<digits>[1-9])?f|%E(?P<whole>[0-9*])S|%E(?P<part>[0-9*])f|%E(?P<zone>[*]?z)|%E4Y|%(?P<mark>[A-Za-z%])|(?P<text>[^%]+|%)"
)

_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
ReadTime = Callable[[str], str | None]


@lru_cache(maxsize=64)
def time_reader(pattern: str | None, *, local: bool = False) -> ReadTime:
    """A function from a text as Envoy writes it to UTC in ISO 8601, or null where it says no moment.

    `pattern` is null for Envoy's own form. `local` says that the proxy's own zone is written, which is known only
    where the pattern writes it too.
    """
    if pattern is None:
        return _as_utc
    used: set[str] = set()
    shape = re.compile(_regex(pattern, used))
    if local and not used & {"epoch", "zone", "zone_name"}:
        return lambda text: None
    return lambda text: _read(shape, text, local)


def time_pattern(pattern: str | None) -> str:
    """What a time so written looks like."""
    return _ISO if pattern is None else re.sub(r"\(\?P<\w+>", "(?:", _regex(pattern, set()))


def parts_of_times(pattern: str) -> tuple[str, frozenset[str]]:
    """What a time so written looks like, a group for each part, and which parts those are."""
    used: set[str] = set()
    return _regex(pattern, used), frozenset(used)


def count_in_times(pattern: str, letter: str) -> int | None:
    """How often a letter stands in every time so written; null where that differs from time to time."""
    count = 0
    for piece in _PIECE.finditer(pattern):
        mark = piece["mark"]
        if mark in _LONG:
            inner = count_in_times(_LONG[mark], letter)
            if inner is None:
                return None
            count += inner
        elif piece["text"] is not None:
            count += piece["text"].count(letter)
        elif (mark in _WITH_BLANKS and letter.isspace()) or letter in "%+-.:":
            return None
    return count


def _as_utc(text: str) -> str | None:
    """Envoy's own form; in the proxy's zone it ends in an offset."""
    if text.endswith("Z"):
        return text
    try:
        return _iso(datetime.fromisoformat(text).astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _regex(pattern: str, used: set[str]) -> str:
    parts: list[str] = []
    for piece in _PIECE.finditer(pattern):
        mark = piece["mark"]
        if mark in _LONG:
            parts.append(_regex(_LONG[mark], used))
        elif mark is not None:
            parts.append(_once(_MARKS.get(mark, ".*?"), used))
        elif piece["text"] is not None:
            parts.append(re.escape(piece["text"]))
        elif piece["zone"] is not None:
            parts.append(_once(_MARKS["z"], used))
        elif piece[0] == "%E4Y":
            parts.append(_once(_MARKS["Y"], used))
        elif piece["whole"] is not None:
            parts.append(_once(r"(?P<second>\d\d)", used) + _once(r"(?:\.(?P<fraction>\d{1,15}))?", used))
        else:
            digits = piece["digits"] or piece["part"] or "9"
            parts.append(_once(r"(?P<fraction>\d{1,15})" if digits == "*" else rf"(?P<fraction>\d{{{digits}}})", used))
    return "".join(parts)


def _once(part: str, used: set[str]) -> str:
    """A group that stands twice is read where it stands first."""
    match = re.search(r"\(\?P<(\w+)>", part)
    if match is None or match[1] not in used:
        used.update({match[1]} if match else ())
        return part
    return part.replace(match[0], "(?:")


def _read(shape: re.Pattern[str], text: str, local: bool) -> str | None:
    match = shape.fullmatch(text)
    if match is None:
        return None
    parts = match.groupdict()
    if parts.keys() <= PLAIN and parts.keys() >= CLOCK:
        fraction = parts.get("fraction") or "0"
        return f"{parts['year']}-{parts['month']}-{parts['day']}T{_clock(parts)}.{fraction[:9]}Z"
    parts = {name: value for name, value in parts.items() if value is not None}
    micros = int((parts.get("fraction", "") + "000000")[:6])
    try:
        moment = _moment(parts, local)
        return None if moment is None else _iso(moment.replace(microsecond=micros))
    except (ValueError, OverflowError, OSError):
        return None


def _clock(parts: dict[str, str]) -> str:
    return f"{parts['hour']}:{parts['minute']}:{parts['second']}"


def _moment(parts: dict[str, str], local: bool) -> datetime | None:
    if "epoch" in parts:
        return datetime.fromtimestamp(int(parts["epoch"]), UTC)
    day = _day(parts)
    zone = _zone(parts, local)
    if day is None or zone is None or not parts.keys() & {"hour", "padded_hour", "half_hour"}:
        return None
    minute, second = int(parts.get("minute", 0)), int(parts.get("second", 0))
    return (day + timedelta(hours=_hour(parts), minutes=minute, seconds=second)).replace(tzinfo=zone).astimezone(UTC)


def _day(parts: dict[str, str]) -> datetime | None:
    if "year" in parts:
        year = int(parts["year"])
    elif "short_year" in parts:
        year = 2000 + int(parts["short_year"])
    else:
        return None
    if "day_of_year" in parts:
        return datetime(year, 1, 1) + timedelta(days=int(parts["day_of_year"]) - 1)
    name = parts.get("month_name", "")[:3].lower()
    month = int(parts["month"]) if "month" in parts else _MONTHS.index(name) + 1 if name in _MONTHS else None
    day = parts.get("day") or parts.get("padded_day")
    return None if month is None or day is None else datetime(year, month, int(day))


def _hour(parts: dict[str, str]) -> int:
    hour = parts.get("hour") or parts.get("padded_hour")
    if hour is not None:
        return int(hour)
    return int(parts["half_hour"]) % 12 + (12 if parts.get("half", "").lower() == "pm" else 0)


def _zone(parts: dict[str, str], local: bool) -> timezone | None:
    written = parts.get("zone") or parts.get("zone_name")
    if written is None:
        return None if local else UTC
    if written.upper() in ("Z", "UTC", "GMT"):
        return UTC
    if written[0] not in "+-":
        return None if local else UTC
    digits = written[1:].replace(":", "").ljust(4, "0")
    spent = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-spent if written[0] == "-" else spent)


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
